"""Kernel messages: how this fleet's kernels boot, and how they die.

The texts under logs/ are console logs of real kernels (and some written in their form), cut to the
fault; here they get a machine's own release, board, memory and time of dying.
"""

import functools
import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from simulator.scenarios.distros import BOARD, Distro

LOGS = Path(__file__).resolve().parent.parent / "logs"
STAMPED = re.compile(r"\[ *(\d+\.\d+)\] ?(.*)")
KDUMP_MARK = re.compile(r"^(CPU: .*Comm: \S+)(?= )(?! Kdump)")
LEVELS = (  # the loudest first; what matches nothing is informational
    (0, re.compile(r"Kernel panic|end Kernel panic")),
    (1, re.compile(r"BUG: |#PF: |Oops|PGD |general protection")),
    (3, re.compile(r"INFO: task|Out of memory|oom-kill:|error|not responding|hung_task_timeout")),
    (
        4,
        re.compile(
            r"^(CPU: |Hardware name|RIP: |Code: |R..: |RSP: |FS: |CS: |CR2: |Call Trace"
            r"| \? | <| \S+\+0x|Modules|---\[|task:|nvme|watchdog:|sysrq: "
            r"|Kernel Offset|Mem-Info|Node \d|\[)"
        ),
    ),
    (5, re.compile(r"Linux version|Command line|module|Loaded X\.509|random:")),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One message: seconds since the boot, syslog level, text."""

    seconds: float
    level: int
    text: str


@functools.cache
def _texts(name: str) -> tuple[tuple[float, str], ...]:
    lines = (LOGS / f"{name}.log").read_text().splitlines()
    found = (STAMPED.fullmatch(line) for line in lines)
    return tuple((float(match[1]), match[2]) for match in found if match)


def _level(text: str) -> int:
    return next((level for level, shape in LEVELS if shape.search(text)), 6)


def _lines(name: str, distro: Distro, shift: float, **own: str) -> list[Line]:
    own |= {"RELEASE": distro.kernel, "BUILT": distro.built, "BOARD": BOARD}
    lines = []
    for seconds, raw in _texts(name):
        text = re.sub(r"@([A-Z]+)@", lambda match: own[match[1]], raw)
        lines.append(Line(seconds + shift, _level(text), text))
    return lines


def boots(distro: Distro, cmdline: str, memory_mib: int, at: datetime) -> list[Line]:
    """What the kernel says from power-on to the start of init."""
    total = memory_mib * 1024 - 163_840
    return _lines(
        "boot",
        distro,
        0.0,
        COMPILER=distro.compiler,
        CMDLINE=cmdline,
        TOTAL=str(total),
        FREE=str(total - 402_112),
        RTC=f"{at:%Y-%m-%dT%H:%M:%S} UTC ({int(at.timestamp())})",
    )


def dies(name: str, distro: Distro, at: float, *, captured: bool = False) -> list[Line]:
    """The fault `name`; its last message comes `at` seconds after the boot.

    With a crash kernel loaded (`captured`) the kernel says so, and jumps before its closing lines.
    """
    lines = _lines(name, distro, at - _texts(name)[-1][0])
    if not captured:
        return lines
    loaded = [replace(line, text=KDUMP_MARK.sub(r"\1 Kdump: loaded", line.text)) for line in lines]
    return [line for line in loaded if not line.text.startswith("---[ end Kernel panic")]


def printed(line: Line) -> str:
    """As printk writes it to console and dmesg."""
    return f"[{line.seconds:12.6f}] {line.text}"


def before_panic(lines: list[Line]) -> list[Line]:
    """What may still reach a disk: everything before the kernel gave up."""
    end = next((n for n, line in enumerate(lines) if "Kernel panic" in line.text), len(lines))
    return lines[:end]
