"""Who is still there? Judged from listings, which can lie by being short.

An identity that lost a right gets an empty listing, not an error, and a broken page can shorten
one. So an instance counts as released only when two looks in a row, some seconds apart, did not
see it, and a listing that suddenly lacks too many is doubted as a whole: it releases nobody, and
a person is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

SECOND_LOOK = timedelta(seconds=20)
TOO_MANY_PERCENT = 2
FEW = 3  # of a small region may go at once, but never more than a third of it


@dataclass(frozen=True, slots=True)
class Look:
    """What one listing changes; ids in the order they were known."""

    missed: tuple[str, ...] = ()  # not seen for the first time
    released: tuple[str, ...] = ()  # not seen again
    back: tuple[str, ...] = ()  # missed before, seen now
    doubted: tuple[str, ...] = ()  # lacking from a listing that cannot be believed


def may_go(known: int) -> int:
    """How many of a region's instances may be missing from one listing without a doubt."""
    return max(known * TOO_MANY_PERCENT // 100, min(FEW, known // 3))


def judge(
    known: Mapping[str, datetime | None],
    listed: Collection[str],
    now: datetime,
    accepted: Collection[str] = (),
) -> Look:
    """`known`: present instances and when each was first missed. `accepted`: ids whose absence
    a person has confirmed; they need a second look like all others, but raise no doubt."""
    lacking = [name for name in known if name not in listed]
    unexplained = [name for name in lacking if name not in accepted]
    back = tuple(name for name, missed in known.items() if missed and name in listed)
    empty = not listed and unexplained
    if empty or len(unexplained) > may_go(len(known)):
        return Look(back=back, doubted=tuple(lacking))
    return Look(
        missed=tuple(name for name in lacking if known[name] is None),
        released=tuple(name for name in lacking if _long_enough(known[name], now)),
        back=back,
    )


def _long_enough(missed: datetime | None, now: datetime) -> bool:
    return missed is not None and now - missed >= SECOND_LOOK
