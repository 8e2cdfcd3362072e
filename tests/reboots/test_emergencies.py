"""One instance, at once, by who may; limited by the day, and somebody else looks at it later."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F

from commands.models import RebootBatch
from commands.reboots import asking, steering
from portal.audit.models import AuditEntry
from portal.transitions import WrongState
from tests.factories import a_person
from tests.reboots.driving import outcomes, over
from tests.reboots.waiting import instances

REASON = "it hangs and customers wait"
FORMS = ("html", "md")


def hurry(row, by, reason=REASON, force=False) -> RebootBatch:
    return asking.at_once(row, by=by, reason=reason, force=force, via="page")


def test_it_goes_down_at_once_and_only_once(fleet):
    row = fleet.rows[0]
    batch = over(hurry(row, a_person("operator")))
    assert (outcomes(batch), fleet.counted("reboots", row)) == (["proven"], 1)
    assert AuditEntry.objects.get(act="reboot.emergency").details["reason"] == REASON


@pytest.mark.django_db
def test_a_few_a_day_are_allowed_to_one_person(settings):
    settings.REBOOT_EMERGENCIES_A_DAY = 2
    rows, person = instances(4), a_person("operator")
    hurry(rows[0], person)
    hurry(rows[1], person)
    with pytest.raises(ValidationError, match="2 emergency"):
        hurry(rows[2], person)
    hurry(rows[2], a_person("operator"))
    RebootBatch.objects.update(asked_at=F("asked_at") - timedelta(hours=25))
    hurry(rows[3], person)


@pytest.mark.django_db
def test_a_reason_of_a_word_is_none_and_so_is_a_right_one_lacks():
    (row,) = instances(1)
    with pytest.raises(ValidationError, match="sentence"):
        hurry(row, a_person("operator"), reason="hangs")
    for person in (a_person("viewer"), a_person("operator", region="ap-southeast-1")):
        with pytest.raises(PermissionDenied):
            hurry(row, person)


@pytest.mark.django_db
def test_what_is_under_way_already_is_left_to_that():
    (row,) = instances(1)
    batch = hurry(row, a_person("operator"))
    batch.items.update(state="preparing")
    with pytest.raises(ValidationError, match="under way"):
        hurry(row, a_person("operator"))


@pytest.mark.django_db
def test_the_second_of_two_clicks_gets_the_same_one_and_nobody_begins_another():
    (row,), person = instances(1), a_person("operator")
    batch = hurry(row, person)  # nobody has taken it up yet
    assert hurry(row, person) == batch
    with pytest.raises(ValidationError, match=f"under way already: #{batch.pk}"):
        hurry(row, a_person("operator"))
    with pytest.raises(ValidationError, match=f"under way already: #{batch.pk}"):
        hurry(row, person, force=True)
    assert RebootBatch.objects.count() == 1


@pytest.mark.django_db
def test_home_and_the_report_say_that_nobody_approved_it_and_who_looked(client):
    person, manager = a_person("manager"), a_person("manager")
    batch = hurry(instances(1)[0], person)
    client.force_login(person)
    assert "somebody else has to review" not in client.get("/").text
    client.force_login(manager)
    assert "an emergency that somebody else has to review" in client.get("/").text
    assert "Nobody else has reviewed it yet" in reports(client, batch)
    steering.review(batch, by=manager, text="was right", via="page")
    told = reports(client, batch)
    assert "Nobody approved it beforehand" in told and "was right" in told
    assert "Digest of what was approved" not in told


def reports(client, batch) -> str:
    html, markdown = (client.get(f"{batch.get_absolute_url()}report.{n}").text for n in FORMS)
    assert html.count("was right") == markdown.count("was right")
    return html


@pytest.mark.django_db
def test_somebody_else_reviews_it_and_once():
    person = a_person("manager")
    batch = hurry(instances(1)[0], person)
    due = batch.review_due_at - batch.asked_at
    assert timedelta(hours=23) < due <= timedelta(hours=24, minutes=1)
    with pytest.raises(PermissionDenied):
        steering.review(batch, by=person, text="was right", via="page")
    with pytest.raises(ValidationError):
        steering.review(batch, by=a_person("manager"), text=" ", via="page")
    steering.review(batch, by=a_person("manager"), text="was right", via="page")
    with pytest.raises(WrongState):
        steering.review(batch, by=a_person("manager"), text="again", via="page")
