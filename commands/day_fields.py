"""The days that a cron expression's two day fields name, the marks L, W and # among them.

day of the month   L the last; 15W the weekday nearest to the 15th, within the month; LW the last
                   weekday
day of the week    5L the month's last Friday; 2#3 its third Tuesday; L alone is Sunday
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

DayTest = Callable[[date], bool]
NEAREST = re.compile(r"(\d{1,2})W")
LAST_OF_ITS_NAME = re.compile(r"(\w{1,3}?)L")
NTH_OF_ITS_NAME = re.compile(r"(\w{1,3})#(\d)")
SATURDAY, SUNDAY = 6, 7


def of_month(part: str) -> DayTest | None:
    """What a marked part of the day of the month asks of a day; None for one without a mark.

    Raises ValueError where the number is no day of a month.
    """
    text = part.upper()
    if text == "L":
        return lambda day: day.day == _length(day)
    if text == "LW":
        return lambda day: day.day == _working_day(day, _length(day))
    if match := NEAREST.fullmatch(text):
        wanted = int(match[1])
        if not 1 <= wanted <= 31:
            raise ValueError(part)
        return lambda day: wanted <= _length(day) and day.day == _working_day(day, wanted)
    return None


def of_week(part: str, names: dict[str, int]) -> DayTest | None:
    """The same for the day of the week, 1 to 7 or one of `names`."""
    text = part.upper()
    if text == "L":
        return lambda day: day.isoweekday() == SUNDAY
    if match := LAST_OF_ITS_NAME.fullmatch(text):
        name = _named(match[1], names, part)
        return lambda day: day.isoweekday() == name and day.day + 7 > _length(day)
    if match := NTH_OF_ITS_NAME.fullmatch(text):
        name, nth = _named(match[1], names, part), int(match[2])
        if not 1 <= nth <= 5:
            raise ValueError(part)
        return lambda day: day.isoweekday() == name and (day.day + 6) // 7 == nth
    return None


def _named(text: str, names: dict[str, int], part: str) -> int:
    number = names.get(text, int(text) if text.isascii() and text.isdecimal() else 0)
    if not 1 <= number <= SUNDAY:
        raise ValueError(part)
    return number


def _length(day: date) -> int:
    """Days of this day's month."""
    return monthrange(day.year, day.month)[1]


def _working_day(day: date, wanted: int) -> int:
    """The Monday to Friday nearest to the `wanted` day of this month, never in another month."""
    aim = day.replace(day=wanted)
    if aim.isoweekday() == SATURDAY:
        step = -1 if wanted > 1 else 2
    elif aim.isoweekday() == SUNDAY:
        step = 1 if wanted < _length(day) else -2
    else:
        step = 0
    return (aim + timedelta(days=step)).day
