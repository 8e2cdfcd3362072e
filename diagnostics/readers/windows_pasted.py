"""Windows events as people paste them into a mail: what the event viewer's details show, and the
bare sentence of an event, which says enough where it holds a code, a program or a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .encodings import each_line

SYSTEM = re.compile(r"^\s*[-+] System\s*$")
DATA = re.compile(r"^\s*[-+] (?:EventData|UserData)\s*$")
BRACKETED = re.compile(r"^\s*\[ ?(Name|SystemTime)\]\s+(\S.*?)\s*$")
NAMED = re.compile(r"^\s*(\w+) +(\S.*?)\s*$")
KEYS = {
    "Name": "provider",
    "SystemTime": "time",
    "EventID": "id",
    "Channel": "channel",
    "EventRecordID": "record_id",
}
BEFORE = r"^[>\s\"'*]*"
SENTENCES = (
    (
        1001,
        "Microsoft-Windows-WER-SystemErrorReporting",
        re.compile(
            BEFORE + r"(The computer has rebooted from a bugcheck\.\s+The bugcheck was: 0x.*)"
        ),
    ),
    (
        1074,
        "User32",
        re.compile(
            BEFORE + r"(The process .+ has initiated the .+ of computer .+ on behalf of .*)"
        ),
    ),
    (
        6008,
        "EventLog",
        re.compile(BEFORE + r"(The previous system shutdown at \d.* on .*\d.* was unexpected\..*)"),
    ),
)
BELOW = re.compile(BEFORE + r"((?:Minor Reason|Reason Code|Shutdown Type|Comment):.*)")
MOST_MESSAGE = 8000
LONGEST = 1000  # characters of a line in which a sentence is looked for


def viewed(text: str) -> Iterator[dict]:
    """Events of the "friendly view" of an event's details."""
    event: dict | None = None
    inside = False  # of the event's own data
    for line in each_line(text):
        if SYSTEM.match(line):
            yield from _whole(event)
            event, inside = {"data": {}}, False
        elif event is not None and DATA.match(line):
            inside = True
        elif event is not None and (found := BRACKETED.match(line) or NAMED.match(line)):
            if inside:
                event["data"].setdefault(found[1], found[2])
            elif found[1] in KEYS:
                event.setdefault(KEYS[found[1]], found[2])
    yield from _whole(event)


def _whole(event: dict | None) -> Iterator[dict]:
    if event and "provider" in event and str(event.get("id")).isdecimal():
        number = str(event.get("record_id", ""))
        known = number.isdecimal() and len(number) < 19
        yield event | {"record_id": int(number) if known else None}


def spoken(text: str) -> Iterator[dict]:
    """Events of which only the sentence was kept, with what the same event says below it."""
    event: dict | None = None
    for line in each_line(text):
        if event and (found := BELOW.match(line)):
            event["message"] = f"{event['message']} {found[1]}"[:MOST_MESSAGE]
            continue
        for number, provider, sentence in SENTENCES:
            if found := sentence.match(line[:LONGEST]):
                if event:
                    yield event
                event = {"id": str(number), "provider": provider, "message": found[1].strip()}
    if event:
        yield event
