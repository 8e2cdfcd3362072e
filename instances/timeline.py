"""One instance's life on one line, newest first: events of ECS, and what higher layers add.

A higher app names its source in `SOURCES` (the composition root does that): a function of an
instance, a person and a number that gives at most so many Moments the person may see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from instances.models import Instance

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime
    what: str  # event | case | run
    word: str  # its state
    text: str
    url: str = ""
    tone: str = ""  # where its word alone would mislead


Source = Callable[[Instance, Any, int], Iterable[Moment]]


def events(instance: Instance, user: Any, most: int) -> Iterable[Moment]:
    rows = instance.events.exclude(published_at=None).order_by("-published_at")[:most]
    for row in rows:
        yield Moment(
            at=row.published_at,
            what="event",
            word=row.cycle_status,
            text=row.type,
            url=row.get_absolute_url(),
            tone="bad" if row.is_failure and row.cycle_status == "Executed" else "",
        )


SOURCES: list[Source] = [events]


def moments(instance: Instance, user: Any, most: int = SHOWN) -> list[Moment]:
    found = [moment for source in SOURCES for moment in source(instance, user, most)]
    return sorted(found, key=lambda moment: moment.at, reverse=True)[:most]
