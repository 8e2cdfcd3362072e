"""When something is to happen: ECS's cron, rate and at expressions, read and counted forward.

cron    sec min hour dom month dow [year] [zone]; dow 1..7 is Mon..Sun; * ? a a-b a,b */n a-b/n,
        and in the day fields L, W and # (commands.day_fields)
rate    rate(5m); units s m h d; 60 s to 7 days; the first one interval after it was made
at      at(2026-11-30 02:00:00 Asia/Shanghai); without a zone, UTC
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import timezone as fixed
from functools import lru_cache, partial
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext as _

from commands import day_fields
from commands.day_fields import DayTest

MONTHS = {
    name: number
    for number, name in enumerate(re.findall("...", "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"), 1)
}
DAYS = {name: number for number, name in enumerate(re.findall("...", "MONTUEWEDTHUFRISATSUN"), 1)}
FIELDS = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, MONTHS),
    ("day of the week", 1, 7, DAYS),
)
YEARS = (1970, 2099)
IS_YEAR = re.compile(r"[*?]|\*/\d+|.*(19[7-9]\d|20\d\d).*")
RATE = re.compile(r"rate\(\s*(\d{1,7})\s*([smhd])\s*\)")
AT = re.compile(r"at\(\s*(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\s+(\S+))?\s*\)")
GMT = re.compile(r"GMT([+-])(\d{1,2}):(\d\d)")
PART = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d{1,4}))?")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SHORTEST_RATE, LONGEST_RATE = 60, 7 * 86_400
LOOKED_BACK = tuple(timedelta(seconds=s) for s in (60, 3600, 86_400, 32 * 86_400, 366 * 86_400))
FAR = 366 * 8  # days looked ahead: a 29th of February comes within that


class BadExpression(ValueError):
    """The message names the field and what is allowed."""


@dataclass(frozen=True)
class Expression:
    """`after(moment)` is the next time, aware and in UTC, or None where there is none any more."""

    text: str
    zone: tzinfo
    fields: tuple[frozenset[int], ...] = ()  # seconds, minutes, hours, months
    days: tuple[DayTest, ...] = ()  # all of them must fit
    years: frozenset[int] = frozenset()
    every: timedelta | None = None
    since: datetime | None = None
    at: datetime | None = None

    def after(self, moment: datetime) -> datetime | None:
        if self.at is not None:
            return self.at if self.at > moment else None
        if self.every is not None:
            passed = max(0, (moment - self.since) // self.every)
            return self.since + (passed + 1) * self.every
        return next(self._times(moment), None)

    def coming(self, moment: datetime, number: int = 5) -> list[datetime]:
        if self.fields:
            return list(islice(self._times(moment), number))
        found: list[datetime] = []
        while len(found) < number and (following := self.after(moment)):
            found.append(following)
            moment = following
        return found

    def nearest(self, moment: datetime) -> datetime | None:
        """The time that something which began at `moment` was meant for."""
        following, before = self.after(moment), self._before(moment)
        if following is None or before is None:
            return before or following
        return before if moment - before <= following - moment else following

    def _before(self, moment: datetime) -> datetime | None:
        """The last time up to `moment`; None where there was none within a year."""
        if self.at is not None:
            return self.at if self.at <= moment else None
        if self.every is not None:
            passed = (moment - self.since) // self.every
            return self.since + passed * self.every if passed > 0 else None
        for span in LOOKED_BACK:
            found = self.after(moment - span)
            if found is None or found > moment:
                continue
            return max(takewhile(lambda time: time <= moment, self._times(moment - span)))
        return None

    def _times(self, moment: datetime) -> Iterator[datetime]:
        local = moment.astimezone(self.zone)
        seconds, minutes, hours = (sorted(field) for field in self.fields[:3])
        for ahead in range(FAR):
            day = local.date() + timedelta(days=ahead)
            if not self._fits(day):
                continue
            clock = ((h, m, s) for h in hours for m in minutes for s in seconds)
            if ahead == 0:
                now = (local.hour, local.minute, local.second)
                clock = (at for at in clock if at >= now or local.fold == 0)
            for hour, minute, second in clock:
                found = self._real(day, hour, minute, second)
                if found and found > moment:
                    yield found

    def _fits(self, day: date) -> bool:
        return (
            day.year in self.years
            and day.month in self.fields[3]
            and all(fits(day) for fits in self.days)
        )

    def _real(self, day: date, hour: int, minute: int, second: int) -> datetime | None:
        """None for a time that the clock jumps over; the first of two where it falls back."""
        local = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=self.zone)
        found = local.astimezone(UTC)
        return (
            found
            if found.astimezone(self.zone).replace(tzinfo=None) == local.replace(tzinfo=None)
            else None
        )


def read(text: str, zone: str, since: datetime) -> Expression:
    """`zone` is for a cron without its own; `since` is where a rate begins. Raises
    BadExpression."""
    text = " ".join(text.split())
    if match := RATE.fullmatch(text):
        seconds = int(match[1]) * UNITS[match[2]]
        if not SHORTEST_RATE <= seconds <= LONGEST_RATE:
            raise BadExpression(_("A rate is 60 seconds to 7 days."))
        return Expression(text, UTC, every=timedelta(seconds=seconds), since=since)
    if match := AT.fullmatch(text):
        own = zone_of(match[2] or "UTC")
        try:
            local = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S")
        except ValueError:
            raise BadExpression(_("There is no such date or time: %s") % match[1]) from None
        return Expression(text, own, at=local.replace(tzinfo=own).astimezone(UTC))
    if text.startswith(("rate(", "at(")):
        raise BadExpression(
            _("Write rate(5m), or at(2026-11-30 02:00:00 Asia/Shanghai); units are s, m, h, d.")
        )
    return _cron(text, zone)


def _cron(text: str, zone: str) -> Expression:
    parts = text.split(" ")
    if not 6 <= len(parts) <= 8:
        raise BadExpression(
            _("A cron expression has 6 to 8 fields: second minute hour day month weekday.")
        )
    rest, years = parts[6:], "*"
    if rest and (len(rest) == 2 or IS_YEAR.fullmatch(rest[0])):
        years = rest.pop(0)
    numbers = [(parts[at], FIELDS[at]) for at in (0, 1, 2, 4)]
    fields = tuple(_field(part, *about) for part, about in numbers)
    days = _month_days(parts[3]), _week_days(parts[5])
    return Expression(
        text,
        zone_of(rest[0] if rest else zone),
        fields,
        days,
        _field(years, "year", *YEARS, {}),
    )


def names_its_zone(text: str) -> bool:
    """Whether a cron expression, which must be a good one, has a zone of its own."""
    rest = text.split()[6:]
    return len(rest) == 2 or (len(rest) == 1 and not IS_YEAR.fullmatch(rest[0]))


def _month_days(text: str) -> DayTest:
    tests, plain = _marked(text, FIELDS[3][0], day_fields.of_month)
    numbers = _field(",".join(plain), *FIELDS[3]) if plain else ()
    return lambda day: day.day in numbers or any(test(day) for test in tests)


def _week_days(text: str) -> DayTest:
    read_mark = partial(day_fields.of_week, names=DAYS)
    tests, plain = _marked(text, FIELDS[5][0], read_mark)
    numbers = _field(",".join(plain), *FIELDS[5]) if plain else ()
    return lambda day: day.isoweekday() in numbers or any(test(day) for test in tests)


def _marked(
    text: str, name: str, read_mark: Callable[[str], DayTest | None]
) -> tuple[list[DayTest], list[str]]:
    """The parts with a mark, as tests; the others, as they are."""
    tests, plain = [], []
    for part in text.split(","):
        try:
            test = read_mark(part)
        except ValueError:
            raise BadExpression(
                _("%(name)s: %(text)s names no such day.") % {"name": name, "text": part}
            ) from None
        if test is None:
            plain.append(part)
        else:
            tests.append(test)
    return tests, plain


def _field(text: str, name: str, least: int, most: int, words: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = PART.fullmatch("*" if part == "?" else part)
        if match is None:
            raise BadExpression(_("%(name)s: cannot read %(text)s.") % {"name": name, "text": part})
        found |= _range(match, name, least, most, words)
    return frozenset(found)


def _range(match: re.Match, name: str, least: int, most: int, words: dict[str, int]) -> set[int]:
    step = int(match[3] or 1)
    if match[1] == "*":
        first, last = least, most
    else:
        first = _number(match[1], words)
        last = _number(match[2], words) if match[2] else (most if match[3] else first)
    if not least <= first <= last <= most or step < 1:
        told = {"name": name, "least": least, "most": most}
        raise BadExpression(_("%(name)s: %(least)d to %(most)d are allowed.") % told)
    return set(range(first, last + 1, step))


def _number(text: str, words: dict[str, int]) -> int:
    return words.get(text.upper(), int(text) if text.isascii() and text.isdecimal() else -1)


@lru_cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(text: str) -> tzinfo:
    """A zone by its name, or as GMT+8:00."""
    if match := GMT.fullmatch(text):
        hours, minutes = int(match[2]), int(match[3])
        if hours <= 14 and minutes < 60:
            shift = timedelta(hours=hours, minutes=minutes)
            return fixed(shift if match[1] == "+" else -shift)
    if text not in _names():
        raise BadExpression(_("There is no time zone %s.") % text[:60])
    return ZoneInfo(text)
