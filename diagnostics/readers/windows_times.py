"""Times as Windows prints them in many countries, made ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

TICKS = re.compile(r"^/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$")
ISO = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
PRINTED = re.compile(
    r"^(?:\D{2,12}[, ]+)?(?P<a>\d{1,4})[/.\-](?P<b>\d{1,2})[/.\-](?P<c>\d{1,4})[ ,T]+"
    r"(?P<before>上午|下午|AM|PM)? ?(?P<h>\d{1,2}):(?P<m>\d\d)(?::(?P<s>\d\d))?(?:[.,]\d+)?"
    r" ?(?P<after>[AaPp]\.?[Mm]\.?)?$"
)
HIDDEN = re.compile(r"[\u200e\u200f\u202a-\u202e\u202f\xa0]")


def settled(events: list[dict]) -> None:
    """Write each event's time as ISO 8601; whether day or month comes first is decided for all
    of one print, for one machine wrote it."""
    days_first = _days_first(str(event.get("time") or "") for event in events)
    for event in events:
        event["time"] = iso(str(event.get("time") or ""), days_first)


def _days_first(times: Iterable[str]) -> bool:
    """A number above 12 tells; else am and pm speak for the month, dots for the day."""
    guess = False
    for time in times:
        found = PRINTED.match(_plain(time))
        if not found or len(found["a"]) == 4:
            continue
        if int(found["a"]) > 12:
            return True
        if int(found["b"]) > 12:
            return False
        guess = guess or "." in time[:10]
    return guess


def iso(time: str, days_first: bool = False) -> str:
    """ISO 8601, without a zone where the print has none; the text itself if it is no time."""
    time = _plain(time)
    if found := TICKS.match(time):
        since = timedelta(milliseconds=int(found[1]))
        try:
            return (datetime(1970, 1, 1, tzinfo=UTC) + since).isoformat()
        except OverflowError:
            return time
    found = None if ISO.match(time) else PRINTED.match(time)
    if not found:
        return time
    a, b, c = (int(found[name]) for name in "abc")
    if len(found["a"]) == 4:
        year, month, day = a, b, c
    else:
        year, month, day = (c, b, a) if days_first else (c, a, b)
    half = (found["after"] or found["before"] or "").replace(".", "").upper()
    hour = int(found["h"])
    if half in ("PM", "下午") and hour < 12:
        hour += 12
    if half in ("AM", "上午") and hour == 12:
        hour = 0
    try:
        year += 2000 if year < 100 else 0
        return datetime(year, month, day, hour, int(found["m"]), int(found["s"] or 0)).isoformat()
    except ValueError:
        return time


def _plain(time: str) -> str:
    return HIDDEN.sub(" ", time).strip()
