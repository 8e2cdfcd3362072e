"""RebootInstances, StopInstances, StartInstances, and the same for one instance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.cloud import Call
from simulator.errors import Refusal, invalid, missing
from simulator.machine import Machine

MOST = 100
MODES = ("AllTogether", "SuccessFirst")
STOPPED_MODES = ("KeepCharging", "StopCharging")


@dataclass(frozen=True)
class Act:
    """What is asked of machines, and the statuses between which it leads."""

    before: str
    after: str
    carry_out: Callable[[Call, Machine], None]


def _reboot(call: Call, machine: Machine) -> None:
    call.cloud.power.avoid_events(machine)
    call.cloud.power.reboot(machine, call.operation)


def _stop(call: Call, machine: Machine) -> None:
    call.cloud.power.avoid_events(machine)
    mode = call.params.text("StoppedMode") or "KeepCharging"
    call.cloud.power.stop(machine, call.operation, mode)


def _start(call: Call, machine: Machine) -> None:
    call.cloud.power.start(machine, call.operation)


REBOOT = Act("Running", "Starting", _reboot)
STOP = Act("Running", "Stopping", _stop)
START = Act("Stopped", "Starting", _start)


def reboot_instances(call: Call) -> dict:
    call.params.flag("ForceReboot")
    return _batch(call, REBOOT)


def stop_instances(call: Call) -> dict:
    _stopping(call)
    return _batch(call, STOP)


def start_instances(call: Call) -> dict:
    return _batch(call, START)


def reboot_instance(call: Call) -> dict:
    call.params.flag("ForceStop")
    return _single(call, REBOOT)


def stop_instance(call: Call) -> dict:
    _stopping(call)
    return _single(call, STOP)


def start_instance(call: Call) -> dict:
    return _single(call, START)


def _stopping(call: Call) -> None:
    call.params.flag("ForceStop")
    if call.params.text("StoppedMode") not in ("", *STOPPED_MODES):
        raise invalid("StoppedMode", f"one of {', '.join(STOPPED_MODES)}")


def _single(call: Call, act: Act) -> dict:
    instance_id = call.params.required("InstanceId")
    machine = call.cloud.anywhere(instance_id)
    if why := _unfit(call, machine, act, instance_id):
        raise why
    if call.params.flag("DryRun"):
        raise Refusal(400, "DryRunOperation", "Request validation has been passed with DryRun.")
    act.carry_out(call, machine)
    return {}


def _batch(call: Call, act: Act) -> dict:
    region, ids = call.region, list(dict.fromkeys(call.params.listed("InstanceId")))
    mode = call.params.text("BatchOptimization") or "AllTogether"
    if not ids:
        raise missing("InstanceId")
    if len(ids) > MOST:
        raise Refusal(403, "InstanceIdLimitExceeded", f"At most {MOST} instances are allowed.")
    if mode not in MODES:
        raise invalid("BatchOptimization", f"one of {', '.join(MODES)}")
    found = [(instance_id, call.cloud.machine(region, instance_id)) for instance_id in ids]
    unfit = {i: why for i, machine in found if (why := _unfit(call, machine, act, i))}
    if unfit and mode == "AllTogether":
        raise next(iter(unfit.values()))
    if call.params.flag("DryRun"):
        raise Refusal(400, "DRYRUN.SUCCESS", "Request validation has been passed with DryRun.")
    rows = []
    for instance_id, machine in found:
        if why := unfit.get(instance_id):
            rows.append(_row(instance_id, why.code, why.message))
            continue
        before = machine.status
        act.carry_out(call, machine)
        rows.append(_row(instance_id, "200", "success", before, act.after))
    return {"InstanceResponses": {"InstanceResponse": rows}}


def _row(instance_id: str, code: str, message: str, before: str = "", after: str = "") -> dict:
    return {
        "InstanceId": instance_id,
        "Code": code,
        "Message": message,
        "PreviousStatus": before,
        "CurrentStatus": after,
    }


def _unfit(call: Call, machine: Machine | None, act: Act, instance_id: str) -> Refusal | None:
    """Why this cannot be asked of the machine; None where it can."""
    if machine is None:
        text = f"The specified InstanceId {instance_id} does not exist."
        return Refusal(404, "InvalidInstanceId.NotFound", text)
    if "security" in machine.lock_reasons:
        return Refusal(403, "InstanceLockedForSecurity", f"{instance_id} is locked for security.")
    if machine.lock_reasons:
        return Refusal(403, "InstanceExpiredOrInArrears", f"{instance_id} has expired or is owed.")
    if machine.status != act.before:
        text = f"{instance_id} is {machine.status}; this needs {act.before}."
        return Refusal(403, "IncorrectInstanceStatus", text)
    if act is not REBOOT and call.cloud.power.moving(machine):
        return Refusal(409, "OperationConflict", f"{instance_id} is about to reboot.")
    return None
