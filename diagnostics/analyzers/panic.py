"""The kernel stopped itself: panics and oopses, and which report led to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..findings import Finding
from ..readers.boots import Boot
from ..readers.events import Event
from ..wording import Text
from ..wording import say as _
from . import causes, culprit
from .claims import claim, traced
from .hang import stuck_in
from .locks import waits_in
from .oom import eaters
from .registry import analyzer

PANIC, OOPS, SURVIVED = 100, 90, 66  # weights; an orderly end weighs 70
WENT_ON = 300.0  # seconds after an oops that was not the end
CHAIN = 30.0  # seconds between reports of one and the same death
NO_FUNCTION = {"init_killed", "no_init", "vfs_root", "oom_panic", "fs_panic", "mce"}
# What the panic's own trace shows is a random moment of it.
STANDING_STILL = {"soft_lockup", "hard_lockup", "rcu_stall", "stack"}
REASONS = {  # panic subkind -> reports that tell where
    "soft_lockup": "hang.soft_lockup",
    "hard_lockup": "hang.hard_lockup",
    "rcu_stall": "hang.rcu_stall",
    "sched_atomic": "warning.sched_atomic",
}
WORDS = {
    "null_deref": _("NULL pointer dereference"),
    "paging_fault": _("access to memory that is not mapped"),
    "gpf": _("general protection fault"),
    "kernel_bug": _("kernel BUG"),
    "divide_error": _("division by zero"),
    "invalid_opcode": _("invalid opcode"),
    "stack": _("kernel stack damaged or overrun"),
    "memory_corruption": _("memory corruption"),
    "oops": _("kernel oops"),
    "panic_on_warn": _("warning, with panic_on_warn set"),
    "init_killed": _("init was killed"),
    "no_init": _("no init could be started"),
    "vfs_root": _("the root file system could not be mounted"),
    "sysrq": _("crash asked for by sysrq"),
    "hard_lockup": _("hard lockup"),
    "soft_lockup": _("soft lockup"),
    "rcu_stall": _("RCU stall"),
    "hung_task": _("hung task"),
    "mce": _("machine check: fatal hardware error"),
    "nmi": _("NMI"),
    "oom_panic": _("out of memory, with panic_on_oom set"),
    "fs_panic": _("file system error, with panic on error"),
    "watchdog": _("watchdog"),
    "sched_atomic": _("scheduling while atomic"),
    "kmsan": _("use of uninitialised memory"),
}


@analyzer("down")
def panics(down: Boot) -> Iterator[Finding]:
    """The kernel panicked; the report before it says why."""
    for number, event in enumerate(down.events):
        if event.code == "panic":
            yield _panic(event, down.events[:number])
            return  # what follows a panic is its echo


@analyzer("down")
def oopses(down: Boot) -> Iterator[Finding]:
    """The kernel hit an error of its own; without a panic line the text may just end there."""
    for number, event in enumerate(down.events):
        if event.family == "panic":
            return
        if event.family == "oops":
            earlier = down.events[:number]
            cause = _first_of_death(event, earlier)
            subkind = _subkind(cause, earlier)
            weight = SURVIVED if _survived(event, down) else OOPS
            title = _("The kernel hit an error")
            yield _claim(event, cause, subkind, weight, "kernel.oops", title, earlier)


@analyzer("down")
def captured(down: Boot) -> Iterator[Finding]:
    """The crash kernel came up, and nothing that stands before it says of what the other died."""
    if down.captured and not down.died:
        title = _("The crash kernel started: the kernel before it panicked")
        words = {"panicked": True, "reason": down.captured.text.strip()[:300]}
        kind = ("kernel_panic", "other_panic", PANIC)
        yield claim("kernel.captured", title, down.captured, *kind, **words)


def _survived(oops: Event, down: Boot) -> bool:
    """The system went on for a while after it and then ended in order."""
    return any(_apart(oops, end) > WENT_ON for end in down.ends())


def _panic(event: Event, before: list[Event]) -> Finding:
    said = causes.said(event.text)
    fatal = [e for e in before if e.code == "hardware.fatal" and _near(e, event)]
    if fatal and said == "other_panic":
        said = "mce"
    cause = _reason(event, said, before)
    subkind = said
    if said in causes.POLICY or said in ("other_panic", "init_killed"):
        subkind = _subkind(cause, before) if cause is not event else said
    if said == "panic_on_warn" and cause.family in ("warning", "panic"):
        subkind = cause.name if cause.name in ("memory_corruption", "kmsan") else said
    return _claim(event, cause, subkind, PANIC, "kernel.panic", _("The kernel panicked"), before)


def _claim(
    event: Event,
    cause: Event,
    subkind: str,
    weight: int,
    code: str,
    title: Text,
    before: Sequence[Event] = (),
) -> Finding:
    function = None if subkind in NO_FUNCTION else _function(event, cause, subkind, before)
    words = WORDS.get(subkind, _("see the quoted line"))
    return claim(
        code,
        _("%(what)s: %(why)s, in %(function)s", what=title, why=words, function=function)
        if function
        else _("%(what)s: %(why)s", what=title, why=words),
        event,
        "kernel_panic",
        subkind,
        weight,
        function=function,
        cause=cause.text.strip()[:300],
        panicked=event.code == "panic",
        reason=event.text.strip()[:300],
        eaters=eaters([e for e in before if e.family == "oom"]) if subkind == "oom_panic" else (),
        **traced(cause if cause.body else event, function),
    )


def _function(event: Event, cause: Event, subkind: str, before: Sequence[Event]) -> str | None:
    if subkind == "hung_task":
        return _waited([e for e in before if e.code == "hang.hung_task"])
    if cause.code == "warning.memory_corruption":
        faults = [e for e in (*before, event) if e.family == "oops" and _near(cause, e)]
        return culprit.named(faults[0] if faults else cause)
    if "stack is corrupted in" in event.text:
        return culprit.accused(event)
    if cause is event and subkind in STANDING_STILL:
        return culprit.stuck(event)
    if cause is event:
        return culprit.named(event)
    if cause.family == "warning" and event.body:  # the panic only carries out a policy
        return culprit.named(replace(cause, body=[*cause.body, *event.body]))
    return culprit.named(cause) or culprit.stopped(event)


def _waited(hung: list[Event]) -> str | None:
    """Where the only blocked task waited: the kernel gave up for its sake."""
    if not hung:
        return None
    alone = len({event.text.partition(" blocked ")[0] for event in hung}) == 1
    return stuck_in(hung) or (waits_in(hung[0]) if alone else None)


def _reason(panic: Event, said: str, before: list[Event]) -> Event:
    """The report that this panic is the end of; the panic itself if none fits."""
    if said in REASONS:
        fits = [event for event in before if event.code == REASONS[said] and _near(event, panic)]
        return fits[-1] if fits else panic
    if said == "hung_task":
        fits = [event for event in before if event.code == "hang.hung_task"]
        return fits[0] if fits else panic
    if said not in causes.POLICY and said not in ("other_panic", "init_killed", "stack"):
        return panic
    one = ("oops", "init_killed", "stack")
    families = ("oops",) if said in one else ("oops", "warning", "hang")
    fits = [event for event in before if event.family in families and _near(event, panic)]
    if "Oops - BUG" in panic.text:  # of several reports that ran into each other
        fits = [event for event in fits if event.code == "oops.kernel_bug"] or fits
        return fits[-1] if fits else panic
    if not fits:
        return panic
    return _first_of_death(fits[-1], before) if fits[-1].family == "oops" else fits[-1]


def _first_of_death(oops: Event, before: list[Event]) -> Event:
    """The first of the reports that ran into each other up to this oops."""
    first = oops
    for event in reversed(before):
        if not _near(event, first):
            break
        if event.family == "oops" or event.code == "warning.memory_corruption":
            first = event
    return first


def _near(earlier: Event, later: Event) -> bool:
    return -1 <= _apart(earlier, later) <= CHAIN


def _apart(earlier: Event, later: Event) -> float:
    """Seconds between two reports; 0 where their lines do not tell."""
    a, b = earlier.line, later.line
    if a.stamp is not None and b.stamp is not None:
        return b.stamp - a.stamp
    if a.at and b.at and bool(a.at.tzinfo) == bool(b.at.tzinfo):
        return abs((b.at - a.at).total_seconds())
    return 0


def _subkind(cause: Event, before: list[Event]) -> str:
    asked = any(event.code == "sysrq.crash" and _near(event, cause) for event in before)
    if asked or culprit.named(cause) == "sysrq_handle_crash":
        return "sysrq"
    return cause.name or "oops"
