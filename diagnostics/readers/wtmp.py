"""What `last` prints: logins, boots and shutdowns, newest first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from . import lines

ROW = re.compile(
    r"^(?P<user>\S+) +(?P<line>system boot|system down|\(to lvl \w\)|\S+) +(?P<host>.*?)"
    r"(?P<day>(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>[A-Z][a-z]{2}) +(?P<date>\d{1,2})) "
    r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d) (?P<year>\d{4}))?"
    r"(?: +- +(?P<end>.*?)| +(?P<still>still (?:running|logged in)|gone - no logout))?"
    r"(?: +\((?P<span>[\d+:]+)\))?\s*$"
)


@dataclass(frozen=True, slots=True)
class Row:
    """`end` is "crash", "down", a time as printed, or None while it lasts."""

    user: str
    line: str
    begun: datetime | None
    end: str | None
    raw: str
    host: str = ""  # where a login came from

    @property
    def boot(self) -> bool:
        return self.line == "system boot"

    @property
    def shutdown(self) -> bool:
        return self.line == "system down"

    @property
    def login(self) -> bool:
        return not (self.boot or self.shutdown or self.line.startswith("("))


def read(text: str) -> Iterator[Row]:
    for raw in text.splitlines():
        if found := ROW.match(raw[:400]):
            yield _row(found, raw[:400])


def _row(found: re.Match, raw: str) -> Row:
    end = (found["end"] or "").split()
    month = lines.MONTHS.index(found["month"]) + 1 if found["month"] in lines.MONTHS else 0
    numbers = (int(found[name] or 0) for name in ("date", "hour", "minute", "second"))
    try:
        begun = datetime(int(found["year"] or 1900), month, *numbers)
    except ValueError:
        begun = None
    word = end[0] if end[:1] in (["crash"], ["down"]) else " ".join(end) or None
    return Row(found["user"], found["line"], begun, word, raw.rstrip(), found["host"].strip())
