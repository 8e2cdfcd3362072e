"""Under which names processes hold rows, and whether the one of a name still lives."""

from __future__ import annotations

import os
import secrets
import socket
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.utils import timezone


class Leased(Protocol):
    lease_until: datetime | None
    lease_owner: str


def holder_is_gone(row: Leased) -> bool:
    """The lease ran out, or its owner was a process of this machine that lives no more."""
    if row.lease_until is None or row.lease_until <= timezone.now():
        return True
    if not HERE or not row.lease_owner.startswith(HERE):
        return False
    pid = row.lease_owner.removeprefix(HERE).partition(":")[0]
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"  # dead, and not buried yet


def _here() -> str:
    """What owners on this machine begin with: its name, and which process numbers it counts."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        return f"{socket.gethostname()[:50]}/{boot}.{os.stat('/proc/self/ns/pid').st_ino}:"
    except OSError:
        return ""


HERE = _here()


def new() -> str:
    """A name of this process that nobody used before."""
    return f"{HERE}{os.getpid()}:{secrets.token_hex(4)}"
