"""DescribeInstanceHistoryEvents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from simulator.actions.instances import tags
from simulator.cloud import Call
from simulator.errors import Refusal
from simulator.machine import EventRecord, Machine
from simulator.paging import Limits, page
from simulator.wire import Parameters, seconds

LIMITS = Limits(most=100, least=10, clamps=True)
KEPT = timedelta(days=30)  # ended events are forgotten after this
ENDED = ("Executed", "Avoided", "Canceled", "Failed")
UNENDED = ("Inquiring", "Scheduled", "Executing")
# Codes as they stand in published samples; the others are not documented.
CYCLE_CODES = {"Inquiring": 28, "Scheduled": 24, "Executed": 0, "Avoided": 8, "Executing": 4}
TYPE_CODES = {
    "SystemMaintenance.Reboot": 1,
    "SystemMaintenance.RebootAndIsolateErrorDisk": 3,
    "SystemFailure.Reboot": 65,
    "InstanceExpiration.Stop": 34,
}


def describe_instance_history_events(call: Call) -> dict:
    call.params.required("RegionId", status=404)  # this operation's own status for it
    region, params = call.region, call.params
    if params.text("ResourceType", "instance") not in ("instance", "ddh", "managedhost"):
        raise Refusal(403, "InvalidParameter", "ResourceType is instance, ddh or managedhost.")
    fits = _asked(params)
    rows = [
        (machine, event)
        for machine in _machines(call, region)
        for event in machine.events
        if fits(event) and _known_yet(call, machine, event)
    ]
    rows.sort(key=lambda row: (row[1].published_at, row[1].event_id), reverse=True)
    if call.cloud.faults.strike("duplicate_events", call.operation, region):
        call.cloud.counters.add("faults", "duplicate_events")
        rows = [row for row in rows for _ in range(2)]
    part = page(rows, params, LIMITS, lambda row: row[1].event_id, call.scope)
    shown = [_shown(machine, event) for machine, event in part.rows]
    return {"InstanceSystemEventSet": {"InstanceSystemEventType": shown}, **part.keys}


def _machines(call: Call, region: str) -> list[Machine]:
    params = call.params
    if params.text("ResourceType", "instance") != "instance":
        return []
    ids = _at_most(params, "ResourceId", 100) or list(filter(None, [params.text("InstanceId")]))
    wanted = tags(params)
    group = params.text("ResourceGroupId")
    return [
        machine
        for machine in call.cloud.machines(region)
        if (not ids or machine.instance_id in ids)
        and (not group or machine.resource_group_id == group)
        and all(k in machine.tags and v in (None, machine.tags[k]) for k, v in wanted)
    ]


def _asked(params: Parameters) -> Callable[[EventRecord], bool]:
    ids = _at_most(params, "EventId", 100, "EventIdLimitExceeded")
    types = _at_most(params, "InstanceEventType", 30) or [params.text("EventType")]
    cycles = _at_most(params, "InstanceEventCycleStatus", 7)
    cycles = cycles or list(filter(None, [params.text("EventCycleStatus")])) or list(ENDED)
    if unknown := sorted(set(cycles) - {*ENDED, *UNENDED}):
        raise Refusal(403, "InvalidParameter", f"No EventCycleStatus is called {unknown[0]}.")
    published = _between(params, "EventPublishTime")
    not_before = _between(params, "NotBefore")
    return lambda event: (
        (not ids or event.event_id in ids)
        and (types == [""] or event.type in types)
        and event.cycle_status in cycles
        and published(event.published_at)
        and not_before(event.not_before)
    )


def _at_most(params: Parameters, name: str, most: int, code: str = "InvalidParameter") -> list[str]:
    values = params.listed(name)
    if len(values) > most:
        raise Refusal(403, code, f"{name}.N allows at most {most} values.")
    return values


def _between(params: Parameters, name: str) -> Callable[[datetime | None], bool]:
    start, end = params.moment(f"{name}.Start"), params.moment(f"{name}.End")
    if start and end and end < start:
        raise Refusal(403, "InvalidParameter.TimeEndBeforeStart", f"{name}.End is before Start.")

    def inside(moment: datetime | None) -> bool:
        if moment is None:
            return start is None and end is None
        return (start is None or moment >= start) and (end is None or moment <= end)

    return inside


def _known_yet(call: Call, machine: Machine, event: EventRecord) -> bool:
    """Ended events are forgotten after 30 days; a late one shows up after its time."""
    if event.finished_at and event.cycle_status in ENDED and call.now - event.finished_at > KEPT:
        return False
    late = call.cloud.faults.strike(
        "late_events", call.operation, machine.region, [machine.instance_id]
    )
    if late is None:
        return True
    patience = timedelta(seconds=float(late.arguments.get("seconds", 600)))
    return call.now >= event.published_at + patience


def _shown(machine: Machine, event: EventRecord) -> dict:
    return {
        "EventId": event.event_id,
        "InstanceId": machine.instance_id,
        "ResourceType": "instance",
        "EventType": {"Code": TYPE_CODES.get(event.type, 0), "Name": event.type},
        "EventCycleStatus": {
            "Code": CYCLE_CODES.get(event.cycle_status, 0),
            "Name": event.cycle_status,
        },
        "EventPublishTime": seconds(event.published_at),
        "NotBefore": seconds(event.not_before),
        "EventFinishTime": seconds(event.finished_at),
        "ImpactLevel": event.impact,
        "Reason": event.reason,
        "ReasonCode": event.reason_code,
        "ExtendedAttribute": {
            "InactiveDisks": {"InactiveDisk": []},
            "MigrationOptions": {"MigrationOption": []},
            **event.extended,
        },
    }
