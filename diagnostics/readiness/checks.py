"""What is checked, and the shape of an answer. Plain values, no Django.

Only what was seen to be right is `ok`: what could not be asked, or whose answer makes no sense,
is `unknown`, and unknown never counts as ok.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from diagnostics.wording import Text, quoted
from diagnostics.wording import say as _

OK, MISSING, UNKNOWN = "ok", "missing", "unknown"
STATES = (MISSING, UNKNOWN, OK)  # the most telling first
AGENT_SINCE = (2, 2, 3, 317)  # from here on Cloud Assistant acts on exit codes
GIB_IN_KB = 1 << 20


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a crash needs: `found` in words, `line` as the machine printed it, and which
    of the steps in `fixes` mends it ("" where there is nothing to mend)."""

    name: str
    state: str
    found: Text
    line: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """`advised` ones help, but a crash is captured without them too."""

    title: Text
    why: Text
    advised: bool = False


KINDS = {
    "kdump_service": Kind(
        _("kdump service"),
        _("It loads the crash kernel at each start and saves the dump after a crash."),
    ),
    "crash_memory": Kind(
        _("Memory for the crash kernel"),
        _("Without memory set aside at boot there is nothing for a crash kernel to run in."),
    ),
    "crash_kernel": Kind(
        _("Crash kernel loaded"),
        _("Only a crash kernel that is loaded now can write the dump of a crash tonight."),
    ),
    "dump_space": Kind(
        _("Room for the dump"),
        _("A dump that does not fit is cut or not written at all."),
    ),
    "panic_on_oops": Kind(
        _("Panic on an oops"),
        _(
            "After an oops the kernel goes on half broken: no dump is written, and the end comes"
            " later and looks like something else."
        ),
    ),
    "panic_reboot": Kind(
        _("Restart after a panic"),
        _("A machine that stays in its panic is down until somebody restarts it."),
    ),
    "softlockup_panic": Kind(
        _("Panic on a soft lockup"),
        _("A processor that hangs leaves a dump only if the hang becomes a panic."),
        advised=True,
    ),
    "hung_task_panic": Kind(
        _("Panic on a hung task"),
        _("A task that hangs for minutes leaves a dump only if the hang becomes a panic."),
        advised=True,
    ),
    "journal": Kind(
        _("Journal kept over restarts"),
        _("The last lines before the end are the first thing that a diagnosis reads."),
    ),
    "pstore": Kind(
        _("Kernel messages in pstore"),
        _("pstore keeps the last messages of the kernel where even a dead disk does not matter."),
        advised=True,
    ),
    "serial_console": Kind(
        _("Serial console"),
        _(
            "What the kernel prints there can be read from outside (GetInstanceConsoleOutput) after"
            " a crash that reaches no disk."
        ),
        advised=True,
    ),
    "var_space": Kind(
        _("Room in /var"),
        _("On a full disk the logs end before the crash does."),
    ),
    "dump_enabled": Kind(
        _("Memory dumps turned on"),
        _("With dumps turned off a blue screen leaves no memory of itself."),
    ),
    "page_file": Kind(
        _("Page file for the dump"),
        _("Windows writes the dump into the page file of the system drive first."),
    ),
    "dump_kept": Kind(
        _("Dump kept after the restart"),
        _(
            "With less than 25 GB free, Windows outside a domain deletes the dump again, unless it"
            " is told to keep it."
        ),
    ),
    "auto_reboot": Kind(
        _("Restart after a blue screen"),
        _("A machine that stays on its blue screen is down until somebody restarts it."),
    ),
    "crash_event": Kind(
        _("Blue screens in the event log"),
        _("The record of the bugcheck (event 1001) names code and parameters without the dump."),
        advised=True,
    ),
    "event_log": Kind(
        _("System event log"),
        _("A log that is off, full or small has lost the records of the crash when it is read."),
    ),
    "agent": Kind(
        _("Cloud Assistant"),
        _("It collects the evidence after the crash, and reboots with proof need its exit codes."),
    ),
}
TITLES = {name: kind.title for name, kind in KINDS.items()}
ADVISED = frozenset(name for name, kind in KINDS.items() if kind.advised)


def ok(name: str, found: Text, line: str = "") -> Check:
    return Check(name, OK, found, line)


def missing(name: str, found: Text, line: str = "", fix: str = "") -> Check:
    return Check(name, MISSING, found, line, fix or name)


def unknown(name: str, found: Text, line: str = "", fix: str = "") -> Check:
    return Check(name, UNKNOWN, found, line, fix)


UNTOLD = _("the machine did not tell")


def not_told(name: str, why: str | Text) -> Check:
    """`why` as a sentence of ours, or in the words of the machine."""
    said = why if isinstance(why, Text) else quoted(why)
    return unknown(name, _("It could not be asked: %(why)s", why=said))


def agent(told: str | None, known: str) -> Check:
    """`told` by the machine itself, `known` from ECS."""
    version, line = told or known, f"agent_version={told}" if told else ""
    numbers = tuple(int(part) for part in re.findall(r"\d{1,9}", version)[:4])
    if not numbers:
        return not_told("agent", UNTOLD)
    least = ".".join(map(str, AGENT_SINCE))
    if numbers < AGENT_SINCE:
        said = _("Version %(version)s is older than %(least)s.", version=version, least=least)
        return missing("agent", said, line)
    return ok("agent", _("Version %(version)s.", version=version), line)


def gib(kilobytes: int) -> str:
    return f"{kilobytes / GIB_IN_KB:.1f} GiB"
