"""LookupEvents of ActionTrail (version 2020-07-06), and what power calls leave there."""

from __future__ import annotations

from datetime import timedelta

from simulator.cloud import Call
from simulator.errors import Refusal, invalid
from simulator.paging import Limits, page
from simulator.trail import TrailRecord
from simulator.wire import Request, seconds

LIMITS = Limits(most=50, least=0, default=20)
KEPT = timedelta(days=90)
LATELY = timedelta(days=7)
RECORDED = frozenset(
    f"{act}Instance{many}" for act in ("Reboot", "Stop", "Start") for many in ("", "s")
)
KEYS = {
    "ServiceName": lambda row, value: value == "Ecs",
    "EventName": lambda row, value: row.name == value,
    "User": lambda row, value: row.user == value,
    "EventId": lambda row, value: row.request_id == value,
    "ResourceType": lambda row, value: value == "ACS::ECS::Instance",
    "ResourceName": lambda row, value: value in row.instance_ids,
    "EventRW": lambda row, value: value == "Write",
    "EventAccessKeyId": lambda row, value: row.key_id == value,
}


def lookup_events(call: Call) -> dict:
    params = call.params
    until = params.moment("EndTime") or call.now
    since = max(params.moment("StartTime") or call.now - LATELY, call.now - KEPT)
    if until < since:
        raise Refusal(400, "InvalidTimeRange", "EndTime is before StartTime, or not kept any more.")
    direction = params.text("Direction", "BACKWARD")
    if direction not in ("BACKWARD", "FORWARD"):
        raise invalid("Direction", "BACKWARD or FORWARD")
    wanted = params.structures("LookupAttribute")
    if len(wanted) > 1:
        raise invalid("LookupAttribute", "one condition")
    rows = call.cloud.trail.between(since, until)
    for condition in wanted:
        fits = KEYS.get(condition.get("Key", ""))
        if fits is None:
            raise invalid("LookupAttribute", f"one of {', '.join(KEYS)}")
        rows = [row for row in rows if fits(row, condition.get("Value", ""))]
    rows.sort(key=lambda row: (row.at, row.request_id), reverse=direction == "BACKWARD")
    part = page(rows, params, LIMITS, lambda row: row.request_id, call.scope)
    told = {"Events": [row.shown() for row in part.rows]}
    told |= {"StartTime": seconds(since), "EndTime": seconds(until)}
    return told | ({"NextToken": part.keys["NextToken"]} if part.keys.get("NextToken") else {})


def record(call: Call, request: Request, request_id: str, answer: dict | Refusal) -> None:
    """Keep a power call in the trail, refused ones too."""
    if call.operation not in RECORDED:
        return
    one, params = call.params.text("InstanceId"), call.params
    ids = tuple(dict.fromkeys([*params.listed("InstanceId"), *([one] if one else [])]))
    machine = call.cloud.anywhere(ids[0]) if ids else None
    rows = () if isinstance(answer, Refusal) else _rows(answer)
    call.cloud.trail.add(
        TrailRecord(
            call.operation,
            call.now.replace(microsecond=0),
            params.text("RegionId") or (machine.region if machine else ""),
            ids,
            call.key.id,
            key_id=call.key.id,
            agent=request.headers.get("user-agent", ""),
            request_id=request_id,
            error=answer.code if isinstance(answer, Refusal) else "",
            force="true" in {params.text(n).lower() for n in ("ForceStop", "ForceReboot")},
            refused=tuple((row["InstanceId"], row["Code"]) for row in rows if row["Code"] != "200"),
        )
    )


def _rows(answer: dict) -> list[dict]:
    return answer.get("InstanceResponses", {}).get("InstanceResponse", [])
