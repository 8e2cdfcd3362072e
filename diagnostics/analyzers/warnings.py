"""Reports after which the kernel went on: sanitizers, lock checks, WARN, allocation failures."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from ..readers.boots import Boot
from ..readers.events import Event
from ..wording import say as _
from . import culprit
from .claims import claim, traced
from .registry import analyzer

WARNING, WEAK = 60, 30
WEAK_ONES = {"other_report", "words", "page_alloc_failure"}
TITLES = {
    "warn": _("The kernel warned of a state that should not be"),
    "lockdep": _("The lock checker reported a possible deadlock or wrong use of locks"),
    "memory_corruption": _("The kernel found memory used wrongly or damaged"),
    "refcount": _("A reference counter was used wrongly"),
    "ubsan": _("Undefined behaviour in the kernel"),
    "kmsan": _("The kernel used memory that was never set"),
    "kcsan": _("Two processors raced for the same data"),
    "memleak": _("Kernel memory was lost (leak)"),
    "preempt": _("Per-processor data was used where the task may move"),
    "sched_atomic": _("The kernel slept where it must not"),
    "slab_debug": _("The allocator's own check failed"),
    "page_alloc_failure": _("Memory could not be allocated"),
    "other_report": _("The kernel complained"),
}
LOCKUP = "detected hard LOCKUP"


@analyzer("down")
def reports(down: Boot) -> Iterator[Finding]:
    """One finding for each sort of report, the first one quoted."""
    seen: set[str] = set()
    for event in down.of("warning"):
        kind, subkind = judged(event)
        if subkind in seen:
            continue
        seen.add(subkind)
        function = culprit.named(event) if event.name not in WEAK_ONES else None
        title = TITLES.get(subkind, _("The kernel warned"))
        yield claim(
            f"kernel.{subkind.replace('_', '-')}",
            _("%(what)s, in %(function)s", what=title, function=function) if function else title,
            event,
            kind,
            subkind,
            WEAK if event.name in WEAK_ONES else WARNING,
            function=function,
            reason=event.text.strip()[:300],
            **traced(event, function),
        )


def judged(event: Event) -> tuple[str, str]:
    if event.code == "warning.warn":
        below = "\n".join(line.text for line in event.body[:12])
        if LOCKUP in below:
            return "hang", "hard_lockup"
        if "refcount_t:" in below + event.text:
            return "warning", "refcount"
    return "warning", "other_report" if event.name == "words" else event.name
