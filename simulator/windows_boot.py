"""Which boot a Windows machine is on, as the portal's probe prints it; known by the exact text."""

from datetime import UTC

from simulator.machine import Machine

# SHA-256 of commands/reboots/proof.py: WINDOWS
DIGEST = "dc556ea6f7f5a0b0df08374c32b126e28d736bc70e3faa69f8df3e5da8886efc"


def answer(machine: Machine) -> bytes:
    """The boot's moment stands for its id, as on Windows."""
    started = machine.boot.started_at.astimezone(UTC)
    stamp = started.strftime("%Y%m%dT%H%M%S.%fZ")
    lines = (f"boot_id={stamp}", f"booted={int(started.timestamp())}", "end=1", "")
    return "\r\n".join(lines).encode()
