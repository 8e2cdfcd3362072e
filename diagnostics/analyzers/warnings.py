"""Reports after which the kernel went on: sanitizers, lock checks, WARN, allocation failures."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from ..readers.boots import Boot
from ..readers.events import Event
from . import culprit
from .claims import claim, traced
from .registry import analyzer

WARNING, WEAK = 60, 30
WEAK_ONES = {"other_report", "words", "page_alloc_failure"}
TITLES = {
    "warn": "The kernel warned of a state that should not be",
    "lockdep": "The lock checker reported a possible deadlock or wrong use of locks",
    "memory_corruption": "The kernel found memory used wrongly or damaged",
    "refcount": "A reference counter was used wrongly",
    "ubsan": "Undefined behaviour in the kernel",
    "kmsan": "The kernel used memory that was never set",
    "kcsan": "Two processors raced for the same data",
    "memleak": "Kernel memory was lost (leak)",
    "preempt": "Per-processor data was used where the task may move",
    "sched_atomic": "The kernel slept where it must not",
    "slab_debug": "The allocator's own check failed",
    "page_alloc_failure": "Memory could not be allocated",
    "other_report": "The kernel complained",
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
        yield claim(
            f"kernel.{subkind.replace('_', '-')}",
            TITLES.get(subkind, "The kernel warned") + (f", in {function}" if function else ""),
            event,
            kind,
            subkind,
            WEAK if event.name in WEAK_ONES else WARNING,
            function=function,
            reason=event.text.strip()[:300],
            **traced(event),
        )


def judged(event: Event) -> tuple[str, str]:
    if event.code == "warning.warn":
        below = "\n".join(line.text for line in event.body[:12])
        if LOCKUP in below:
            return "hang", "hard_lockup"
        if "refcount_t:" in below + event.text:
            return "warning", "refcount"
    return "warning", "other_report" if event.name == "words" else event.name
