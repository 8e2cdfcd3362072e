"""A region that stays unread is told of once, and once more when it is read again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from instances import ecs, sync
from instances.models import Region
from portal.notices.models import Notification
from tests.instances.syncing import claimed, region_named, told
from tests.notices.conftest import a_channel, a_rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def region() -> Region:
    a_rule(a_channel("webhook", url="https://hooks.example.com/", secret="s" * 16))
    row = region_named()
    told(row, ["i-1", "i-2"])
    return row


def fail(region: Region, ago: float = 0) -> None:
    """One look that failed, with the last good one so many minutes ago."""
    if ago:
        at = timezone.now() - timedelta(minutes=ago)
        Region.objects.filter(pk=region.pk).update(synced_at=at)
    sync._failed(claimed(region), ecs.NoAnswer("nobody answered"))
    region.refresh_from_db()


def events() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("event", flat=True))


def test_a_short_trouble_is_no_news(region):
    fail(region)
    told(region, ["i-1", "i-2"])
    assert events() == []


def test_a_long_one_is_told_once_and_its_end_once(region):
    fail(region, ago=30)
    fail(region)
    fail(region)
    assert events() == ["sync.stopped"]
    row = Notification.objects.get()
    assert str(region) in row.title and row.body == "nobody answered"
    told(region, ["i-1", "i-2"])
    told(region, ["i-1", "i-2"])
    assert events() == ["sync.stopped", "back_to_normal"]
    fail(region, ago=30)
    assert events() == ["sync.stopped", "back_to_normal", "sync.stopped"]


def test_a_listing_that_shrank_asks_a_person_once(region):
    told(region, [])
    told(region, [])
    assert region.state == Region.State.DOUBTED
    assert events() == ["sync.stopped"]
    assert "2 instances; are they gone?" in Notification.objects.get().title
    told(region, ["i-1", "i-2"])
    assert events() == ["sync.stopped", "back_to_normal"]
