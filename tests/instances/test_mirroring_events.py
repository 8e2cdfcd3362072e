"""Events may come late, twice, in any order, and before their instance."""

from datetime import UTC, datetime
from itertools import permutations

import pytest

from instances import ecs, events, mirror
from instances.models import Instance, SystemEvent
from tests.factories import AccountFactory
from tests.instances.syncing import HANGZHOU, look, region_named

pytestmark = pytest.mark.django_db
TOLD = {"published_at": datetime(2026, 1, 1, tzinfo=UTC)}


def event(status, event_id="e-1", instance_id="i-1", **more):
    return ecs.EventInfo(event_id, instance_id, "SystemMaintenance.Reboot", status, **TOLD | more)


def keep(*infos):
    return events.keep(AccountFactory(), HANGZHOU, infos)


@pytest.mark.parametrize("order", list(permutations(["Scheduled", "Executing", "Executed"])))
def test_the_last_status_stands_in_whatever_order_they_are_heard(order):
    for status in order:
        keep(event(status))
    assert SystemEvent.objects.get().cycle_status == "Executed"


def test_duplicates_in_one_listing_make_one_row():
    keep(event("Executed"), event("Scheduled"), event("Executed"))
    assert SystemEvent.objects.get().cycle_status == "Executed"


def test_the_same_answer_again_changes_nothing():
    assert keep(event("Scheduled")) == 1
    assert keep(event("Scheduled")) == 0


def test_details_of_a_scheduled_event_may_change():
    keep(event("Scheduled", reason="maintenance"))
    keep(event("Scheduled", reason="moved to Sunday"))
    assert SystemEvent.objects.get().reason == "moved to Sunday"


def test_an_event_of_an_unknown_instance_waits_for_it():
    keep(event("Scheduled"))
    assert SystemEvent.objects.get().instance is None
    mirror.keep(AccountFactory(), HANGZHOU, [ecs.InstanceInfo("i-1", HANGZHOU)], None)
    keep()
    assert SystemEvent.objects.get().instance == Instance.objects.get()


def test_an_event_without_id_is_no_event():
    assert keep(event("Scheduled", event_id="")) == 0


def test_ecs_forgetting_an_event_does_not_make_us_forget_it():
    keep(event("Executed"))
    keep()
    assert SystemEvent.objects.exists()


def test_duplicate_and_late_events_of_the_cloud_are_harmless(cloud):
    region = region_named()
    cloud.faults({"kind": "late_events", "seconds": 86_400 * 400})
    look(region)
    assert not SystemEvent.objects.exists()
    cloud.faults({"kind": "duplicate_events"})
    cloud.control("DELETE", "faults")
    cloud.faults({"kind": "duplicate_events"})
    look(region)
    once = SystemEvent.objects.count()
    look(region)
    assert SystemEvent.objects.count() == once > 0
