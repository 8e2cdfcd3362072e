"""Which boot a Windows machine is on, as the portal's probe prints it; known by the exact text."""

from datetime import UTC

from simulator.machine import Machine

# SHA-256 of commands/reboots/proof.py: WINDOWS
DIGEST = "35180ffcac3de516c83f173131a31d04dbce8e132e33ca4481619598f37dd03e"


def answer(machine: Machine) -> bytes:
    """The boot's moment stands for its id, as on Windows."""
    started = machine.boot.started_at.astimezone(UTC)
    stamp = started.strftime("%Y%m%dT%H%M%S.%fZ")
    lines = (f"boot_id={stamp}", f"booted={int(started.timestamp())}", "end=1", "")
    return "\r\n".join(lines).encode()
