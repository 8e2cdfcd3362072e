"""When a timed run fires: cron with 6 to 8 fields, rate(5m), at(2022-06-06 13:15:30 Asia/Shanghai).

Days of the week are 1 to 7, Monday to Sunday; `?` says nothing, `L` is the last, `#` the nth.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
RATE = re.compile(r"rate\((\d{1,9})([smhd])\)")
AT = re.compile(r"at\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: (\S+))?\)")
GMT = re.compile(r"GMT([+-])(\d{1,2}):(\d\d)")
YEAR = re.compile(r"[*?]|\*/\d+|.*(19[7-9]\d|20\d\d).*")
MONTHS = {name.upper(): n for n, name in enumerate(calendar.month_abbr) if name}
DAYS = {name.upper(): n for n, name in enumerate(calendar.day_abbr, 1)}
SHORTEST_RATE, LONGEST_RATE, SHORTEST_CRON = 60, 7 * 86_400, 10
YEARS = 5  # further ahead nothing is looked for
DayFits = Callable[[date], bool]


class Wrong(ValueError):
    """An expression that the agent refuses, with ECS's code for it."""

    def __init__(self, code: str, info: str) -> None:
        super().__init__(info)
        self.code, self.info = code, info


@dataclass(frozen=True)
class Frequency:
    """`after(moment)` is the next time after that moment; None where there is none."""

    after: Callable[[datetime], datetime | None]
    newer: bool = False  # only agents since 2.2.3.282 (Windows 2.1.3.282) understand it
    once: bool = False


def read(text: str, zone: tzinfo, begun: datetime, timeout: int) -> Frequency:
    """The frequency that `text` names, or Wrong; `zone` is the machine's own."""
    if text.startswith("rate("):
        return _rate(text, begun, timeout)
    if text.startswith("at("):
        return _at(text, begun)
    return _cron(text, zone, begun, timeout)


def _rate(text: str, begun: datetime, timeout: int) -> Frequency:
    found = RATE.fullmatch(text)
    seconds = int(found[1]) * UNITS[found[2]] if found else 0
    if seconds < SHORTEST_RATE or seconds <= timeout:
        raise Wrong("InvalidRateExpression", "a rate is at least 60s and longer than the timeout")
    if seconds > LONGEST_RATE:
        raise Wrong("RateFrequencyTooLarge", "a rate is at most 7 days")
    step = timedelta(seconds=seconds)
    return Frequency(lambda after: begun + step * (max(0, (after - begun) // step) + 1), True)


def _at(text: str, begun: datetime) -> Frequency:
    found = AT.fullmatch(text)
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=zone_of(found[2] or "UTC"))
    except (TypeError, ValueError) as error:
        if isinstance(error, Wrong):
            raise
        raise Wrong("InvalidAtExpression", "at(yyyy-MM-dd HH:mm:ss zone) is needed") from None
    if moment <= begun:
        raise Wrong("AtExpressionExpired", "the time of the at expression is over")
    moment = moment.astimezone(UTC)
    return Frequency(lambda after: moment if moment > after else None, True, once=True)


def zone_of(name: str) -> tzinfo:
    """A zone by its tz name, as GMT+8:00, or UTC; Wrong for any other word."""
    if found := GMT.fullmatch(name):
        hours, minutes = int(found[2]), int(found[3])
        if hours > 14:
            raise Wrong("InvalidGMTOffsetHourForTimezone", "the hours of a GMT offset are 0 to 14")
        if minutes > 59:
            raise Wrong("InvalidGMTOffsetMinuteForTimezone", "the minutes are 0 to 59")
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(offset if found[1] == "+" else -offset)
    if name.startswith("GMT"):
        raise Wrong("InvalidGMTOffsetForTimezone", "an offset is like GMT+8:00")
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Wrong("TimezoneInformationCorrupt", f"no zone is called {name}") from None


def _cron(text: str, zone: tzinfo, begun: datetime, timeout: int) -> Frequency:
    fields = text.split()
    if not 6 <= len(fields) <= 8:
        raise _bad("it has 6 to 8 fields")
    newer, years = len(fields) > 6, "*"
    if len(fields) == 8 or (len(fields) == 7 and YEAR.fullmatch(fields[6])):
        years = fields[6]
    if len(fields) == 8 or (len(fields) == 7 and years == "*" and fields[6] != "*"):
        zone = zone_of(fields[-1])
    seconds, minutes, hours = (
        sorted(_numbers(field, low, high))
        for field, low, high in zip(fields, (0, 0, 0), (59, 59, 23), strict=False)
    )
    times = [time(h, m, s) for h in hours for m in minutes for s in seconds]
    fits = _days(fields[3], fields[5])
    months, wanted = _numbers(fields[4], 1, 12, MONTHS), _numbers(years, 1970, 2099)

    def after(moment: datetime) -> datetime | None:
        local = moment.astimezone(zone)
        for ahead in range(366 * YEARS):
            day = local.date() + timedelta(days=ahead)
            if day.month in months and day.year in wanted and fits(day):
                for clock in times:
                    found = datetime.combine(day, clock, zone)
                    if found > moment:
                        return found.astimezone(UTC)
        return None

    first = after(begun)
    if first is None:
        raise Wrong("CronExpressionExpired", "the cron expression has no time left")
    _not_too_often(after, first, timeout)
    return Frequency(after, newer)


def _not_too_often(
    after: Callable[[datetime], datetime | None], first: datetime, timeout: int
) -> None:
    second = after(first)
    gap = (second - first).total_seconds() if second else float("inf")
    if gap < max(SHORTEST_CRON, timeout):
        raise _bad("its interval is at least 10 s, and not shorter than the timeout")


def _bad(why: str) -> Wrong:
    return Wrong("BadCronExpression", f"the cron job expression is invalid: {why}")


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    """What a field such as `*/20`, `1,2` or `MON-FRI` names."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        if span in ("*", "?"):
            first, last = low, high
        else:
            first = _number(start, names)
            last = _number(end, names) if dash else (high if slash else first)
        every = _number(step, None) if slash else 1
        if not low <= first <= last <= high or every < 1:
            raise _bad(f"{part!r} is not from {low} to {high}")
        found.update(range(first, last + 1, every))
    return found


def _number(text: str, names: dict[str, int] | None) -> int:
    value = (names or {}).get(text.upper(), text)
    if isinstance(value, str) and not (value.isdecimal() and len(value) < 5):
        raise _bad(f"{text!r} is no number")
    return int(value)


def _days(of_month: str, of_week: str) -> DayFits:
    """Both fields must fit; `?` and `*` fit every day."""
    tests = [_month_day(part) for part in of_month.split(",")]
    weekly = [_week_day(part) for part in of_week.split(",")]
    return lambda day: any(t(day) for t in tests) and any(t(day) for t in weekly)


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _month_day(part: str) -> DayFits:
    if part == "L":
        return lambda day: day.day == _last(day)
    if part.endswith("W"):
        near = _number(part[:-1], None)
        return lambda day: day == _nearest_weekday(day, near)
    numbers = _numbers(part, 1, 31)
    return lambda day: day.day in numbers


def _nearest_weekday(day: date, wanted: int) -> date:
    """The working day nearest to that day of `day`'s month, within the month."""
    target = day.replace(day=min(wanted, _last(day)))
    shift = {5: -1, 6: 1}.get(target.weekday(), 0)
    moved = target + timedelta(days=shift)
    return moved if moved.month == day.month else target - 2 * timedelta(days=shift)


def _week_day(part: str) -> DayFits:
    if "#" in part:
        which, _, nth = part.partition("#")
        weekday, number = _number(which, DAYS), _number(nth, None)
        return lambda day: day.isoweekday() == weekday and (day.day - 1) // 7 + 1 == number
    if part.endswith("L") and part != "L":
        weekday = _number(part[:-1], DAYS)
        return lambda day: day.isoweekday() == weekday and day.day + 7 > _last(day)
    numbers = {7} if part == "L" else _numbers(part, 1, 7, DAYS)
    return lambda day: day.isoweekday() in numbers
