"""DescribeCloudAssistantStatus and InstallCloudAssistant."""

from __future__ import annotations

from simulator.cloud import Call
from simulator.errors import Refusal, invalid, missing
from simulator.machine import Machine
from simulator.paging import Limits, page
from simulator.wire import seconds

LIMITS = Limits(most=50, assistant=True)
IDS = 50
NEWEST = "2.2.3.936"
SYSTEMS = {"Windows": "windows", "Linux": "linux", "FreeBSD": "freebsd"}
SESSIONS_SINCE = {"linux": (2, 2, 3, 189), "windows": (2, 1, 3, 189)}


def describe_cloud_assistant_status(call: Call) -> dict:
    params, region = call.params, call.region
    ids = params.listed("InstanceId")
    if len(ids) > IDS:
        raise Refusal(403, "InstanceIds.ExceedLimit", f"At most {IDS} instances are allowed.")
    system = params.text("OSType")
    if system and system not in SYSTEMS:
        raise invalid("OSType", f"one of {', '.join(SYSTEMS)}")
    named = [call.machine(instance_id) for instance_id in dict.fromkeys(ids)]
    machines = named or call.cloud.machines(region)
    if system:
        machines = [m for m in machines if m.os_type == SYSTEMS[system]]
    rows, keys = machines, _everything(machines)
    if not ids:
        part = page(machines, params, LIMITS, lambda m: m.instance_id, call.scope)
        rows, keys = part.rows, part.keys
    shown = [_shown(call, machine) for machine in rows]
    return {
        "InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": shown},
        **keys,
    }


def install_cloud_assistant(call: Call) -> dict:
    """The newest agent is put on the machines; it works from their next start on."""
    ids = call.params.listed("InstanceId")
    _region = call.region
    if not ids:
        raise missing("InstanceId")
    if len(ids) > IDS:
        raise Refusal(403, "InstanceIds.ExceedLimit", f"At most {IDS} instances are allowed.")
    machines = [call.machine(instance_id) for instance_id in dict.fromkeys(ids)]
    for machine in machines:
        machine.agent.pending_version = NEWEST
        call.cloud.counters.add("installs", machine.instance_id)
    return {}


def _everything(machines: list[Machine]) -> dict:
    """Named instances come on one page, whatever page was asked for."""
    count = len(machines)
    return {"NextToken": "", "PageNumber": 1, "PageSize": max(count, 1), "TotalCount": count}


def _shown(call: Call, machine: Machine) -> dict:
    alive = machine.agent_running(call.now)
    tally = call.cloud.runs.tally(machine.instance_id)
    return {
        "InstanceId": machine.instance_id,
        "CloudAssistantStatus": "true" if alive else "false",
        "CloudAssistantVersion": machine.agent.version if alive else "",
        "ActiveTaskCount": tally.active,
        "InvocationCount": tally.count,
        "LastInvokedTime": seconds(tally.last_at),
        "LastHeartbeatTime": seconds(machine.heartbeat(call.now)),
        "OSType": machine.os_type.capitalize(),
        "SupportSessionManager": alive and _sessions(machine),
    }


def _sessions(machine: Machine) -> bool:
    return machine.agent.numbers >= SESSIONS_SINCE.get(machine.os_type, (99,))
