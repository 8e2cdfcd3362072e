"""System events: only ended ones unless asked, of the last thirty days, filtered and paged."""

from datetime import timedelta

import pytest
from alibabacloud_ecs20140526 import models

from simulator.machine import EventRecord
from tests.simulation import in_a_thread
from tests.simulator.conftest import REGION, client_of

ALL = ["Inquiring", "Scheduled", "Executing", "Executed", "Avoided", "Canceled", "Failed"]
ENDED = {"Executed", "Avoided", "Canceled", "Failed"}


@pytest.fixture(scope="module")
def place():
    """A small fleet whose first machine has one event of each status, hourly, and an old one."""
    with in_a_thread("fleet:4") as simulator:
        machine = simulator.cloud.machines(REGION)[0]
        now = simulator.cloud.clock().replace(microsecond=0)
        for hours, status in enumerate(ALL, 1):
            at = now - timedelta(hours=hours)
            ended = at + timedelta(minutes=5) if status in ENDED else None
            kind = "SystemMaintenance.Reboot" if hours % 2 else "SystemFailure.Reboot"
            machine.events.append(EventRecord(f"e-{status}", kind, status, at, at, ended))
        old = now - timedelta(days=31)
        machine.events.append(
            EventRecord("e-old", "SystemFailure.Reboot", "Executed", old, old, old)
        )
        yield simulator, machine, now


def told(simulator, **asked):
    request = models.DescribeInstanceHistoryEventsRequest(region_id=REGION, **asked)
    body = client_of(simulator).describe_instance_history_events(request).body
    return body.instance_system_event_set.instance_system_event_type


def names(rows):
    return [row.event_id for row in rows]


def test_without_a_filter_only_ended_events_come_newest_first(place):
    assert names(told(place[0])) == ["e-Executed", "e-Avoided", "e-Canceled", "e-Failed"]


def test_all_statuses_come_when_asked_for_and_old_ones_are_forgotten(place):
    rows = told(place[0], instance_event_cycle_status=ALL)
    assert names(rows) == [f"e-{status}" for status in ALL]
    assert [row.event_cycle_status.name for row in rows] == ALL
    assert rows[0].event_type.name == "SystemMaintenance.Reboot"
    assert rows[0].event_finish_time == ""
    assert rows[3].event_finish_time.endswith("Z") and len(rows[3].event_finish_time) == 20


def test_the_single_status_counts_only_without_the_list(place):
    assert names(told(place[0], event_cycle_status="Scheduled")) == ["e-Scheduled"]
    both = told(place[0], event_cycle_status="Scheduled", instance_event_cycle_status=["Failed"])
    assert names(both) == ["e-Failed"]


def test_they_are_filtered_by_type_machine_id_and_time(place):
    simulator, machine, now = place
    failures = told(
        simulator,
        instance_event_cycle_status=ALL,
        instance_event_type=["SystemFailure.Reboot"],
    )
    assert names(failures) == ["e-Scheduled", "e-Executed", "e-Canceled"]
    assert len(told(simulator, instance_id=machine.instance_id)) == 4
    other = simulator.cloud.machines(REGION)[1].instance_id
    assert told(simulator, instance_id=other) == []
    assert names(told(simulator, event_id=["e-Avoided"])) == ["e-Avoided"]
    window = models.DescribeInstanceHistoryEventsRequestEventPublishTime(
        start=(now - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        end=(now - timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    assert names(told(simulator, event_publish_time=window)) == ["e-Executed", "e-Avoided"]


def test_events_of_another_region_stay_there(place):
    request = models.DescribeInstanceHistoryEventsRequest(region_id="ap-southeast-1")
    body = client_of(place[0]).describe_instance_history_events(request).body
    assert body.instance_system_event_set.instance_system_event_type == []


def test_they_can_come_twice_or_late(place):
    simulator = place[0]
    simulator.faults({"kind": "duplicate_events", "count": 1})
    assert sorted(names(told(simulator))) == sorted(names(told(simulator)) * 2)
    simulator.faults({"kind": "late_events", "seconds": 10**8})
    assert told(simulator) == []
    simulator.restore()
    assert len(told(simulator)) == 4
