"""What ECS's rows of a timed run say: which times of a machine are over, going on, forgotten.

Its plain row tells of the last time, but not how that one ended: the row itself is Scheduled
again. Where the rest of the row does not say it beyond doubt, the machine's history is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from instances import ecs

STOPPED = ("Cancelled", "Terminated")


@dataclass(frozen=True, slots=True)
class Mark:
    """The last time of a machine that is written down; 0 for none."""

    repeats: int = 0
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """`over`: times that ended, in order. `going`: whether there are more that did not end yet.
    `forgotten`: how many ECS does not tell of any more."""

    over: list[ecs.Result] = field(default_factory=list)
    going: bool = False
    forgotten: int = 0


def by_last_row(row: ecs.Result, mark: Mark) -> Told | None:
    """What the machine's plain row says; None where only its history can tell."""
    if row.repeats <= mark.repeats:
        return Told()
    if row.repeats > mark.repeats + 1 or row.status in STOPPED:
        return None
    if row.status in ecs.FINAL_INVOCATION_STATUSES:
        return Told([row])
    if row.status != "Scheduled":
        return Told(going=True)
    if row.started_at is None:
        return None if row.error_code else Told(going=True)
    # While a time is going on, the row may still tell of the one before.
    if row.started_at == mark.started_at or not row.finished_at:
        return Told(going=True)
    status = _status(row)
    return Told([replace(row, status=status)]) if status else None


def _status(row: ecs.Result) -> str:
    """How the last time ended, where the row leaves no doubt; else ""."""
    if row.error_code == "ExecutionTimeout":
        return "Timeout"
    if row.exit_code is None:
        return ""
    if row.exit_code == 0:
        return "" if row.error_code else "Success"
    return "Failed" if row.error_code in ("", "ExitCodeNonzero") else ""


def by_history(
    row: ecs.Result, mark: Mark, history: Iterable[ecs.Result], given_up: datetime
) -> Told:
    """What the machine's history says. A time that began before `given_up` and has no end is
    not waited for any longer."""
    later = {past.repeats: past for past in history if past.repeats > mark.repeats}
    over: list[ecs.Result] = []
    forgotten, number = 0, mark.repeats
    for repeats in sorted(later):
        past = later[repeats]
        waited_for = past.started_at is None or past.started_at > given_up
        if past.status not in ecs.FINAL_INVOCATION_STATUSES and waited_for:
            return Told(over, True, forgotten)
        forgotten += repeats - number - 1
        number = repeats
        over.append(past)
    if number < row.repeats and row.status in ecs.FINAL_INVOCATION_STATUSES:
        # The machine's part is over, and only its own row tells of the last time.
        forgotten += row.repeats - number - 1
        number = row.repeats
        over.append(row)
    return Told(over, number < row.repeats, forgotten)
