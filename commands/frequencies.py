"""What ECS takes of a Frequency, with the numbers; checked before anything is sent."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from commands import expressions
from commands.expressions import Expression
from commands.models import CommandType

LIMIT = 200  # characters
SHORTEST_CRON = 10  # seconds between two times
LOOKED_AT = 200  # times ahead among which the shortest interval is looked for
# rate, at, a year and a zone are understood by agents from these versions on.
NEWER_SINCE = {"linux": (2, 2, 3, 282), "windows": (2, 1, 3, 282)}


def written(expression: str, zone: str) -> str:
    """The expression as ECS is sent it: a cron names its zone, or each machine would take its own.

    Raises BadExpression.
    """
    text = " ".join(expression.split())
    read = expressions.read(text, zone, datetime.min)
    if read.every is not None or read.at is not None or expressions.names_its_zone(text):
        return text
    return f"{text} {zone}"


def problem(expression: Expression, timeout: int, now: datetime) -> str:
    """Why ECS would not take it for a script that may run `timeout` seconds; "" if it would."""
    if len(expression.text) > LIMIT:
        return _("At most %d characters.") % LIMIT
    if expression.every is not None:
        if expression.every <= timedelta(seconds=timeout):
            return _("A rate must be longer than the script's timeout of %d seconds.") % timeout
        return ""
    gap = _shortest(expression.coming(now, LOOKED_AT))
    least = max(SHORTEST_CRON, timeout)
    if gap is not None and gap < least:
        return _(
            "%(gap)d seconds between two times are too few: ECS wants at least %(shortest)d, and"
            " no less than the script's timeout of %(timeout)d."
        ) % {"gap": gap, "shortest": SHORTEST_CRON, "timeout": timeout}
    return ""


def _shortest(times: list[datetime]) -> int | None:
    gaps = [(b - a).total_seconds() for a, b in zip(times, times[1:], strict=False)]
    return int(min(gaps)) if gaps else None


def needed_agent(type: str) -> tuple[int, ...]:
    """The oldest Cloud Assistant that understands what `written` gives."""
    return NEWER_SINCE[CommandType(type).os_type]
