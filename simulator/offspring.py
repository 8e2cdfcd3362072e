"""How large a sandbox has grown: its processes and their memory, seen from outside.

The kernel's own limit on processes does not bind the host's root, as which the simulator may run.
"""

import os
from pathlib import Path

PROCESSES = 256
MEMORY = 2 << 30  # resident bytes of all processes together
PAGE = os.sysconf("SC_PAGE_SIZE")


def overgrown(pid: int) -> str:
    """Why the processes under `pid` are too many or too large; "" while they are not."""
    family = _family(pid)
    if len(family) > PROCESSES:
        return f"it had more than {PROCESSES} processes"
    if sum(_resident(member) for member in family) > MEMORY:
        return f"it used more than {MEMORY >> 20} MiB of memory"
    return ""


def _family(pid: int) -> list[int]:
    """The process and its descendants, counted until there are too many."""
    family = [pid]
    for member in family:  # grows while it is walked
        if len(family) > PROCESSES:
            break
        family += _children(member)
    return family


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    except OSError:  # it has ended meanwhile, or the kernel does not tell
        pass
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0
