"""What a pasted terminal holds beside log lines: the tables of `last` and of the journal's boots.

The report names these commands for whoever has nothing but a console; they tell when the machine
came up, and whether the boot before it ended in order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice

from diagnostics.facts import Boot
from diagnostics.findings import Window
from diagnostics.readers import boot_list, wtmp
from diagnostics.readers.encodings import each_line

OFFSET = re.compile(
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?([+-])(\d\d):?(\d\d)(?!\d)"
)
# Letters are not unique in the world; on this cloud CST is China's.
ZONES = {"CST": timezone(timedelta(hours=8)), "UTC": UTC, "GMT": UTC}
LETTERS = re.compile(r"\b\d\d:\d\d:\d\d (CST|UTC|GMT)\b")
BOOT_ID = re.compile(r"\b[0-9a-f]{32}\b")
LOOKED_AT = 4 << 20  # characters in which a table is looked for
MOST = 2000  # rows
NOW = "still running"


def zone(start: str) -> timezone | None:
    """The zone of the machine's clock, where any line of the text tells it."""
    if found := OFFSET.search(start):
        shift = timedelta(hours=int(found[2]), minutes=int(found[3]))
        if shift < timedelta(hours=24):
            return timezone(-shift if found[1] == "-" else shift)
    found = LETTERS.search(start)
    return ZONES[found[1]] if found else None


def tables(told: str) -> dict[str, str]:
    """The sections `last` and `boots` as the script would bring them, where the text has them."""
    start, found = told[:LOOKED_AT], {}
    if "system boot" in start:
        found["last"] = [line for line in each_line(start) if wtmp.ROW.match(line[:400])]
    if BOOT_ID.search(start):
        found["boots"] = [line for line in each_line(start) if boot_list.LINE.match(line)]
    return {name: "\n".join(islice(rows, MOST)) for name, rows in found.items() if rows}


def boot(sections: Mapping[str, str], zone: timezone) -> Boot | None:
    """The present boot, by the journal, else by `last`, whose times carry no zone."""
    at = boot_list.present(sections.get("boots", ""), f"{datetime.now(zone):%z}")
    if at:
        return Boot(at, source="boots")
    for row in wtmp.read(sections.get("last", "")):
        if row.boot and row.begun and NOW in row.raw and row.begun.year > 1900:
            return Boot(row.begun.replace(tzinfo=zone), source="last")
    return None


def earlier(sections: Mapping[str, str], zone: timezone) -> tuple[Window, ...]:
    return boot_list.read(sections.get("boots", ""), f"{datetime.now(zone):%z}")
