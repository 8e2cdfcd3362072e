"""The account's audit trail (ActionTrail): who asked ECS to take an instance down or up.

The only module that knows that product's SDK, loaded at the first question. Used by `ecs` alone.
It only reads, so every PORTAL_MODE allows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from instances import ecs_call, ecs_errors, ecs_mode, ecs_sdk
from instances import ecs_wire as wire
from instances.ecs_values import Account, Answer

OPERATION = "LookupEvents"
PAGE, MOST_PAGES = 50, 4  # events a call; calls for one question, of which two a second are taken
TAKE_DOWN = frozenset({"RebootInstance", "RebootInstances", "StopInstance", "StopInstances"})
POWER = TAKE_DOWN | {"StartInstance", "StartInstances"}
TAKEN = ("", "200")


@dataclass(frozen=True, slots=True)
class PowerCall:
    """One call as the trail has it. `error` "" where ECS took it."""

    name: str  # ECS's operation, such as RebootInstance
    at: datetime
    user: str = ""
    user_type: str = ""  # root-account | ram-user | assumed-role | system ...
    key_id: str = ""
    source_ip: str = ""
    agent: str = ""
    event_id: str = ""
    request_id: str = ""
    error: str = ""
    forced: bool = False

    @classmethod
    def read(cls, row: Mapping[str, Any], instance_id: str) -> PowerCall | None:
        """None for what is no power call on this instance, or tells no time."""
        name, at = wire.text(row.get("eventName")), wire.time(row.get("eventTime"))
        if name not in POWER or at is None or not _names(row, instance_id):
            return None
        who, asked = _part(row, "userIdentity"), _part(row, "requestParameters")
        return cls(
            name,
            at,
            user=wire.text(who.get("userName") or who.get("principalId"))[:200],
            user_type=wire.text(who.get("type"))[:60],
            key_id=wire.text(who.get("accessKeyId"))[:128],
            source_ip=wire.text(row.get("sourceIpAddress"))[:120],
            agent=wire.text(row.get("userAgent"))[:200],
            event_id=wire.text(row.get("eventId"))[:64],
            request_id=ecs_errors.request_id_of(row.get("requestId")),
            error=(wire.text(row.get("errorCode")) or _refused(row, instance_id))[:120],
            forced=any(wire.true(asked.get(each)) for each in ("ForceStop", "ForceReboot")),
        )


@dataclass(frozen=True, slots=True)
class Trail:
    """What the trail told; `whole` is false where more calls lay in that time than were read."""

    calls: tuple[PowerCall, ...]
    whole: bool = True


def _names(row: Mapping[str, Any], instance_id: str) -> bool:
    """The trail's filter is not believed: the event itself has to name the instance."""
    told = ("resourceName", "referencedResources", "requestParameters", "requestParameterJson")
    return instance_id in json.dumps([row.get(each) for each in told], default=str)


def _part(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _refused(row: Mapping[str, Any], instance_id: str) -> str:
    """Calls for many instances are answered instance by instance."""
    answers = _part(_part(row, "responseElements"), "InstanceResponses").get("InstanceResponse")
    for each in answers if isinstance(answers, list) else ():
        if isinstance(each, dict) and each.get("InstanceId") == instance_id:
            code = wire.text(each.get("Code"))
            return "" if code in TAKEN else code
    return ""


def product() -> ecs_sdk.Product:
    from alibabacloud_actiontrail20200706 import models
    from alibabacloud_actiontrail20200706.client import Client

    return ecs_sdk.Product("actiontrail", models, Client, ecs_mode.setup().trail_endpoint)


def power_calls(
    account: Account, region: str, instance_id: str, *, since: datetime, until: datetime
) -> Answer[Trail]:
    """Who asked for reboots, stops and starts of the instance between two moments; newest first.

    The trail keeps 90 days and tells of a call up to ten minutes late.
    """
    asked: dict[str, Any] = {
        "LookupAttribute": [{"Key": "ResourceName", "Value": instance_id}],
        "StartTime": wire.written(since),
        "EndTime": wire.written(until),
        "MaxResults": str(PAGE),
        "Direction": "BACKWARD",
    }
    found: dict[object, PowerCall] = {}
    request_ids: list[str] = []
    token = ""
    for _page in range(MOST_PAGES):
        more = {"NextToken": token} if token else {}
        body = ecs_call.call(account, region, OPERATION, asked | more, product)
        request_ids.append(ecs_errors.request_id_of(body.request_id))
        for row in _rows(body):
            if each := PowerCall.read(row, instance_id):
                found[each.event_id or each] = each
        token = wire.text(body.next_token)
        if not token:
            break
    return Answer(Trail(tuple(found.values()), whole=not token), tuple(request_ids))


def _rows(body: Any) -> list[Mapping[str, Any]]:
    """A page without its list is no answer, which is not "none"."""
    if not isinstance(body.events, list) or not all(isinstance(row, dict) for row in body.events):
        raise ecs_errors.strange()
    return body.events
