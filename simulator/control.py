"""The simulator's own switchboard under /_simulator/: faults, counters, small changes.

It is no part of ECS, unsigned, and only reachable from this machine. Tests and drills use it;
the portal never does.
  GET    /_simulator/counters    every act performed so far
  GET    /_simulator/faults      the rules in force;  POST adds one or a list;  DELETE forgets them
  POST   /_simulator/machines    {"instance": id, "released"|"status"|"agent"|"name"|
                                 "agent_version"|"on_reboot"|"tags": value,
                                 "for_seconds": how long the agent has been so}; DELETE takes back
  POST   /_simulator/power       {"seconds": [shortest, longest]} of going down or coming back
  POST   /_simulator/events      {"instance": id, "in_seconds": s}: a reboot planned by the platform
  POST   /_simulator/logins      {"instance": id or name, "lines": what root types there}
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from simulator.actions.instances import STATUSES
from simulator.cloud import Cloud
from simulator.faults import WrongRule
from simulator.machine import EventRecord, Machine
from simulator.power import FATES
from simulator.wire import Reply, Request

PREFIX = "/_simulator/"
LOGIN_SECONDS = 60.0


class Wrong(ValueError):
    """A control request that makes no sense; the text says why."""


def answer(cloud: Cloud, request: Request) -> Reply:
    """The reply to a control request."""
    ways = {
        ("GET", "counters"): lambda: cloud.counters.tree(),
        ("GET", "faults"): lambda: cloud.faults.shown(),
        ("POST", "faults"): lambda: _add_faults(cloud, request),
        ("DELETE", "faults"): lambda: cloud.faults.clear(),
        ("POST", "machines"): lambda: _change(cloud, _body(request)),
        ("DELETE", "machines"): lambda: _restore(cloud),
        ("POST", "power"): lambda: _set_power(cloud, _body(request)),
        ("POST", "events"): lambda: _plan(cloud, _body(request)),
        ("POST", "logins"): lambda: _log_in(cloud, _body(request)),
    }
    way = ways.get((request.method, request.path.removeprefix(PREFIX)))
    if way is None:
        return Reply.json(404, {"error": f"known are {sorted(' '.join(key) for key in ways)}"})
    try:
        return Reply.json(200, way())
    except (WrongRule, Wrong) as error:
        return Reply.json(400, {"error": str(error)})


def _body(request: Request) -> object:
    try:
        return json.loads(request.body or b"null")
    except ValueError as error:
        raise Wrong(f"the body is not JSON: {error}") from None


def _add_faults(cloud: Cloud, request: Request) -> list:
    body = _body(request)
    cloud.faults.send(body if isinstance(body, list) else [body])
    return cloud.faults.shown()


def _change(cloud: Cloud, body: object) -> dict:
    """Change one machine the way the world could: release it, stop it, silence its agent."""
    if not isinstance(body, dict):
        raise Wrong("a JSON object is needed")
    machine = _machine(cloud, body.pop("instance", None))
    since = cloud.clock() - timedelta(seconds=_seconds(body.pop("for_seconds", 0)))
    changes = {
        "released": lambda value: _release(cloud, machine, value),
        "status": lambda value: _set_status(cloud, machine, value),
        "agent": lambda value: _set_agent(machine, value, since),
        "name": lambda value: setattr(machine, "name", str(value)),
        "agent_version": lambda value: setattr(machine.agent, "version", str(value)),
        "on_reboot": lambda value: _set_fate(machine, value),
        "tags": lambda value: _set_tags(machine, value),
    }
    if unknown := sorted(set(body) - set(changes)):
        raise Wrong(f"unknown {unknown}; allowed are {sorted(changes)}")
    cloud.remember(machine)
    for name, value in body.items():
        changes[name](value)
    return {
        "instance": machine.instance_id,
        "status": machine.status,
        "released": machine.instance_id in cloud.released,
    }


def _log_in(cloud: Cloud, body: object) -> dict:
    """Type at the machine's own prompt, as by VNC or SSH: the way when its agent is down."""
    if not isinstance(body, dict) or not isinstance(body.get("lines"), str):
        raise Wrong('{"instance": id or name, "lines": text} is needed')
    named = [m for m in cloud.world.machines if m.name == body.get("instance")]
    machine = named[0] if named else _machine(cloud, body.get("instance"))
    cloud.counters.add("acts", "logins")
    ran = machine.typed(body["lines"], LOGIN_SECONDS)
    output = ran.output.decode(errors="replace") or ran.error_info
    return {"exit_code": ran.exit_code, "output": output}


def _restore(cloud: Cloud) -> None:
    cloud.released.clear()
    for machine in cloud.world.machines:
        if before := cloud.originals.pop(machine.instance_id, None):
            machine.name, machine.status = before.name, before.status
            machine.stopped_at, machine.agent = before.stopped_at, before.agent
            machine.on_reboot, machine.events = before.on_reboot, before.events
            machine.tags = before.tags


def _machine(cloud: Cloud, instance_id: object) -> Machine:
    for machine in cloud.world.machines:
        if machine.instance_id == instance_id:
            return machine
    raise Wrong(f"there is no instance {instance_id!r}")


def _release(cloud: Cloud, machine: Machine, value: object) -> None:
    (cloud.released.add if value else cloud.released.discard)(machine.instance_id)


def _set_status(cloud: Cloud, machine: Machine, value: object) -> None:
    if value not in STATUSES:
        raise Wrong(f"status is one of {', '.join(STATUSES)}")
    machine.status = value
    machine.stopped_at = None if value == "Running" else cloud.clock()


def _set_fate(machine: Machine, value: object) -> None:
    if value not in ("", *FATES):
        raise Wrong(f"on_reboot is empty or one of {', '.join(FATES)}")
    machine.on_reboot = value


def _set_tags(machine: Machine, value: object) -> None:
    """Put these tags on it, over those of the same keys."""
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise Wrong('tags is an object such as {"app": "shop"}')
    machine.tags = {**machine.tags, **value}


def _set_power(cloud: Cloud, body: object) -> dict:
    """How long machines take for going down or coming back, from now on."""
    bounds = body.get("seconds") if isinstance(body, dict) else None
    if (
        not isinstance(bounds, list)
        or len(bounds) != 2
        or _seconds(bounds[0]) > _seconds(bounds[1])
    ):
        raise Wrong('{"seconds": [shortest, longest]} is needed')
    cloud.power.seconds = (float(bounds[0]), float(bounds[1]))
    return {"seconds": bounds}


def _plan(cloud: Cloud, body: object) -> dict:
    """Announce a planned reboot of a machine, as the platform does."""
    if not isinstance(body, dict):
        raise Wrong("a JSON object is needed")
    machine, now = _machine(cloud, body.get("instance")), cloud.clock()
    not_before = now + timedelta(seconds=_seconds(body.get("in_seconds", 86_400)))
    cloud.remember(machine)
    event = EventRecord(
        f"e-{machine.instance_id[2:]}{len(machine.events)}",
        "SystemMaintenance.Reboot",
        "Scheduled",
        now,
        not_before,
        None,
        reason="The underlying host has a software risk",
        reason_code="System maintenance",
    )
    machine.events = [*machine.events, event]
    return {"event": event.event_id}


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and 0 <= value <= 10**8:
        return float(value)
    raise Wrong("for_seconds is a number of seconds, 0 or more")


def _set_agent(machine: Machine, value: object, since: datetime) -> None:
    if value not in ("running", "stopped", "silent"):
        raise Wrong("agent is one of running, stopped, silent")
    machine.agent.stopped_at = since if value == "stopped" else None
    machine.agent.silent_since = since if value == "silent" else None
