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
    word: str  # its state, which has a tone
    text: str
    url: str = ""


Source = Callable[[Instance, Any, int], Iterable[Moment]]


def events(instance: Instance, user: Any, most: int) -> Iterable[Moment]:
    rows = instance.events.exclude(published_at=None).order_by("-published_at")[:most]
    for row in rows:
        yield Moment(row.published_at, "event", row.cycle_status, row.type, row.get_absolute_url())


SOURCES: list[Source] = [events]


def moments(instance: Instance, user: Any, most: int = SHOWN) -> list[Moment]:
    found = [moment for source in SOURCES for moment in source(instance, user, most)]
    return sorted(found, key=lambda moment: moment.at, reverse=True)[:most]
