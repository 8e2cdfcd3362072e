"""GetInstanceConsoleOutput and GetInstanceScreenshot: the two looks from outside."""

from __future__ import annotations

import base64
import re
from datetime import timedelta, timezone

from simulator.cloud import Call
from simulator.errors import Refusal
from simulator.machine import Machine

CHINA = timezone(timedelta(hours=8))
BETWEEN_SCREENSHOTS = timedelta(seconds=10)
SYMBOLS = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


def get_instance_console_output(call: Call) -> dict:
    machine = _machine(call)
    if machine.os_type != "linux":
        raise Refusal(405, "NotSupported", "The operating system of the instance has no console.")
    text, updated_at = machine.console(call.now)
    if call.params.flag("RemoveSymbols"):
        text = SYMBOLS.sub(b"", text)
    return {
        "InstanceId": machine.instance_id,
        "ConsoleOutput": base64.b64encode(text).decode(),
        "LastUpdateTime": updated_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S"),
    }


def get_instance_screenshot(call: Call) -> dict:
    machine = _machine(call)
    call.params.flag("WakeUp")
    if machine.status != "Running":
        raise Refusal(
            405,
            "IncorrectInstanceStatus",
            f"The instance is {machine.status}; a screenshot needs a running one.",
        )
    _once_in_a_while(call, machine)
    image = base64.b64encode(machine.screenshot(call.now)).decode()
    return {"InstanceId": machine.instance_id, "Screenshot": image}


def _machine(call: Call) -> Machine:
    _ = call.region
    return call.machine(call.params.required("InstanceId"), code="InvalidParameter")


def _once_in_a_while(call: Call, machine: Machine) -> None:
    shots = call.cloud.screenshots
    with call.cloud.lock:
        last = shots.get(machine.instance_id)
        if last and call.now - last < BETWEEN_SCREENSHOTS:
            raise Refusal(429, "Throttling", "One screenshot of an instance in 10 seconds.")
        shots[machine.instance_id] = call.now
