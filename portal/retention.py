"""What may go once it is old. Each app tells its own kinds; `portal.pruning` takes them out.

Whatever is not told here stays for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Count, Min

PORTION = 500  # rows that one transaction takes out, as far as they can be parted
SHORTEST, LONGEST = 30, 36_500  # days; ECS itself tells of events for 30
Rows = Callable[[datetime], models.QuerySet]
Narrowing = Callable[[models.QuerySet], models.QuerySet]


@dataclass(frozen=True, slots=True)
class Portion:
    """What was taken out, by model, and the key after which to go on; None: nothing is left."""

    gone: Counter[str]
    after: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What would go, by model, and how old the oldest of it is."""

    rows: Counter[str]
    oldest: datetime | None = None


@dataclass
class Kind:
    """Rows of one table, each of which may go by itself: `rows(before)`, as old as `age` says."""

    name: str
    rows: Rows
    age: str = ""  # the field; "": these rows do not know
    narrowed: list[Narrowing] = field(default_factory=list)

    def free(self, before: datetime) -> models.QuerySet:
        """Those that may go, without what other apps want to keep."""
        rows = self.rows(before).order_by()
        for narrow in self.narrowed:
            rows = narrow(rows)
        return rows

    def find(self, before: datetime) -> Found:
        rows = self.free(before)
        told = rows.aggregate(count=Count("pk"), **({"oldest": Min(self.age)} if self.age else {}))
        return Found(Counter({label(rows.model): told["count"]}), told.get("oldest"))

    def take_out(self, before: datetime, after: str) -> Portion:
        """The next rows in the order of their keys; inside the caller's transaction."""
        rows = self.free(before)
        following = rows.filter(pk__gt=after) if after else rows
        keys = list(following.order_by("pk").values_list("pk", flat=True)[:PORTION])
        # Asked again: what somebody took up a moment ago stays.
        count, _of_each = rows.filter(pk__in=keys).only("pk").delete() if keys else (0, {})
        return Portion(
            Counter({label(rows.model): count}), str(keys[-1]) if len(keys) == PORTION else None
        )


_kinds: dict[str, Kind] = {}


def may_go(*kinds: Kind) -> None:
    """Told by an app when it is ready, in the order in which they are taken out.

    Apps above refer to those below and are ready later: what they tell goes before it.
    """
    before = dict(_kinds)
    _kinds.clear()
    _kinds.update({kind.name: kind for kind in kinds} | before)


def stays(name: str, narrow: Narrowing) -> None:
    """Of the kind of this name, which belongs to an app below, only what `narrow` leaves goes."""
    _kinds[name].narrowed.append(narrow)


def kinds() -> list[Kind]:
    return list(_kinds.values())


def label(model: type[models.Model]) -> str:
    return model._meta.label_lower


def days() -> int | None:
    """How long things are kept by the settings; None: for ever."""
    return int(settings.RETENTION_DAYS) if settings.RETENTION_DAYS else None


def is_sound(days: str | int) -> bool:
    days = str(days)
    return days.isdecimal() and len(days) < 10 and SHORTEST <= int(days) <= LONGEST
