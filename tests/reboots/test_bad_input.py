"""What makes no sense is refused with the name of its field, before anything is written."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from commands.models import RebootBatch
from tests.reboots.driving import a_script, asked
from tests.reboots.waiting import instances

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
EITHER = "[ -e /etc/spare ] && exit 193\nexit 194"


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"sizes": []}, "sizes"),
        ({"sizes": ["0"]}, "sizes"),
        ({"sizes": ["101%"]}, "sizes"),
        ({"sizes": ["-1"]}, "sizes"),
        ({"mode": "Concurrency", "sizes": ["1", "2"]}, "sizes"),
        ({"mode": "Fast"}, "mode"),
        ({"max_errors": "101%"}, "max_errors"),
        ({"max_errors": "many"}, "max_errors"),
        ({"spread": {"zone": 0}}, "spread"),
        ({"spread": {"zone": 101}}, "spread"),
        ({"pause_option": "Sometimes"}, "pause_option"),
        ({"linux_back_within": 5}, "linux_back_within"),
        ({"windows_back_within": 99_999}, "windows_back_within"),
        ({"way": "kick"}, "way"),
        ({"way": "stop", "stopped_mode": "Free"}, "stopped_mode"),
        ({"way": "exit_code"}, "pre_script"),
        ({"pre_script": a_script("exit 194")}, "pre_script"),
        ({"way": "exit_code", "pre_script": a_script(EITHER)}, "pre_script"),
        ({"post_script": a_script("exit 194")}, "post_script"),
        ({"way": "stop", "post_script": a_script("true")}, "post_script"),
        ({"way": "start", "pre_script": a_script("true")}, "pre_script"),
    ],
    ids=str,
)
def test_the_field_is_named(told, field):
    with pytest.raises(ValidationError) as refusal:
        asked(instances(1), **told)
    assert field in refusal.value.message_dict
    assert not RebootBatch.objects.exists()


@pytest.mark.parametrize(
    ("opens", "closes"), [(-2 * HOUR, -HOUR), (2 * HOUR, HOUR), (HOUR, timedelta(days=30))]
)
def test_a_window_in_the_past_or_upside_down_or_too_far_is_none(opens, closes):
    now = timezone.now()
    with pytest.raises(ValidationError) as refusal:
        asked(instances(1), opens_at=now + opens, closes_at=now + closes)
    assert "closes_at" in refusal.value.message_dict


def test_released_and_doubled_instances_are_left_out_and_named():
    first, second = instances(2)
    second.released_at = timezone.now()
    second.save()
    batch = asked([first, second, first])
    assert list(batch.items.values_list("instance", flat=True)) == [first.pk]
    assert batch.left_out["released"]["names"] == [str(second)]


def test_where_nobody_is_left_there_is_no_batch():
    (gone,) = instances(1, released_at=timezone.now())
    with pytest.raises(ValidationError, match="No instance is left"):
        asked([gone])


def test_the_directory_that_a_script_begins_in_is_judged_with_it():
    script = a_script("rm -rf *")
    with pytest.raises(ValidationError, match="rm -r on /"):
        asked(instances(1), pre_script=script | {"working_dir": "/"})
    asked(instances(1), pre_script=script | {"working_dir": "/var/cache/shop"})
