"""Processors or tasks that stood still, without the kernel giving up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..findings import Finding
from ..readers.boots import Boot
from ..readers.events import Event
from ..wording import say as _
from . import culprit, locks
from .claims import claim, traced
from .registry import analyzer

HANG = 60
TASK = re.compile(r"INFO: task (\S+?):(\d+) blocked")
TITLES = {
    "soft_lockup": _("A processor was busy in the kernel for too long (soft lockup)"),
    "hard_lockup": _("A processor stopped answering interrupts (hard lockup)"),
    "rcu_stall": _("A processor did not pass a quiet state in time (RCU stall)"),
    "hung_task": _("A task was blocked for too long (hung task)"),
    "lockup_other": _("A workqueue stood still (workqueue lockup)"),
}


@analyzer("down")
def hangs(down: Boot) -> Iterator[Finding]:
    """Lockups, stalls and blocked tasks: one finding for each sort, the first one quoted."""
    seen: set[str] = set()
    for event in down.of("hang"):
        if event.code in seen:
            continue
        seen.add(event.code)
        same = [other for other in down.of("hang") if other.code == event.code]
        function = stuck_in(same)
        place = function or (locks.waits_in(event) if event.name == "hung_task" else None)
        title = TITLES[event.name]
        yield claim(
            f"kernel.{event.name.replace('_', '-')}",
            _("%(what)s, in %(function)s", what=title, function=place) if place else title,
            event,
            "hang",
            event.name,
            HANG,
            function=function,
            count=len(same),
            tasks=tuple(dict.fromkeys(task for e in same if (task := _task(e)))),
            reason=event.text.strip()[:300],
            **traced(event, function),
        )


def stuck_in(same: list[Event]) -> str | None:
    """Where it stands. Several blocked tasks wait for each other: only where all of them wait,
    or a place that the whole system shares, is named."""
    if same[0].code == "hang.hung_task":
        places = {culprit.named(event) for event in same}
        return locks.shared_wait(same[0]) or (places.pop() if len(places) == 1 else None)
    return next((place for event in same if (place := culprit.named(event))), None)


def _task(event: Event) -> str | None:
    found = TASK.search(event.text)
    return f"{found[1]} ({found[2]})" if found else None
