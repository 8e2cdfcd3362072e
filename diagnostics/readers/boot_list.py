"""The boots that a journal remembers (`journalctl --list-boots`), with their times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from ..findings import Window

# " -1 0123...ef Fri 2026-11-20 10:11:12 UTC—Fri 2026-11-20 12:00:00 UTC", or the newer table.
TIME = r"\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ([A-Z]{2,5}|[+-]\d{2,4})"
LINE = re.compile(rf"^\s*(-?\d+)\s+([0-9a-f]{{32}})\s+{TIME}\s*(?:—|\s)\s*{TIME}\s*$", re.M)
OFFSET = re.compile(r"([+-])(\d\d)(\d\d)")


def read(text: str, offset: str = "+0000") -> tuple[Window, ...]:
    """First and last sign of life of each boot before the present one, oldest first.

    journalctl names the zone in letters, which are not unique; `offset` is what `date +%z` gave.
    """
    found = {int(m[1]): m for m in LINE.finditer(text)}
    numbers = sorted(found)
    if not numbers:
        return ()
    present = 0 if numbers[-1] == 0 else numbers[-1]  # older tables count from 1 upwards
    windows = [_window(found[number], offset) for number in numbers if number != present]
    return tuple(window for window in windows if window and window.start <= window.end)


def present(text: str, offset: str = "+0000") -> datetime | None:
    """When the present boot began, where the list tells."""
    found = {int(m[1]): m for m in LINE.finditer(text)}
    match = found.get(0) or found.get(max(found, default=0))
    try:
        return _time(match[3], match[4], offset) if match else None
    except ValueError:
        return None


def _window(match: re.Match[str], offset: str) -> Window | None:
    try:
        return Window(_time(match[3], match[4], offset), _time(match[5], match[6], offset))
    except ValueError:
        return None


def _time(text: str, zone: str, offset: str) -> datetime:
    at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    if zone in ("UTC", "GMT"):
        return at.replace(tzinfo=UTC)
    match = OFFSET.fullmatch(offset.strip())
    if not match:
        raise ValueError(offset)
    shift = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return at.replace(tzinfo=timezone(shift if match[1] == "+" else -shift))
