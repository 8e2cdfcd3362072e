"""Events printed as lists of "name: value", and as PowerShell's tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .encodings import each_line

# What the tools call it, in English and Chinese; without blanks and in lower case.
KEYS = {
    "time": ("timecreated", "date", "timegenerated", "dateandtime", "日期和时间", "日期"),
    "provider": ("providername", "source", "来源"),
    "id": ("id", "eventid", "instanceid", "事件id"),
    "channel": ("logname", "log", "日志名称"),
    "record_id": ("recordid", "index", "eventrecordid"),
    "message": ("message", "description", "描述", "说明"),
}
READ_BY_KEY = {name: key for key, names in KEYS.items() for name in names}
PAIR = re.compile(
    r"^ *(?P<name>[A-Za-z][A-Za-z ]{0,30}?|[\u4e00-\u9fff]{2,5}(?: ID)?) *[:：] *(?P<value>.*)$"
)
PADDED = re.compile(r"^[A-Za-z]+ +: ")
FIRST = ("Event[", "Log Name", "日志名称")
GROUP = re.compile(r"^\s*ProviderName: (\S.*?)\s*$")
ROW = re.compile(
    r"^(?P<time>\d[\d/.\-]+[ T]+\S+(?: [AaPp][Mm])?)\s+(?P<id>\d{1,5}) (?P<message>\S.*)$"
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MOST_MESSAGE = 8000


def _plain(line: str) -> str:
    """Without the colours of newer shells."""
    return COLOUR.sub("", line) if "\x1b" in line else line


def from_pairs(pairs: Mapping[str, object]) -> dict | None:
    """An event from fields as a tool names them; None where neither id nor provider is."""
    event: dict[str, object] = {}
    for name, value in pairs.items():
        key = READ_BY_KEY.get(name.replace(" ", "").lower())
        if key == "id" and name.lower() == "instanceid" and "id" in event:
            continue
        if key and value not in (None, ""):
            event[key] = str(value).strip()[:MOST_MESSAGE]
    if not str(event.get("id", "")).isdecimal() or "provider" not in event:
        return None
    number = str(event.get("record_id", ""))
    event["record_id"] = int(number) if number.isdecimal() and len(number) < 19 else None
    return event


def listed(text: str) -> Iterator[dict]:
    """Events of Format-List, of `wevtutil /f:text` and of Event Viewer's "copy as text"."""
    pairs: dict[str, str] = {}
    last = ""
    for line in map(_plain, each_line(text)):
        in_message = READ_BY_KEY.get(last) == "message"
        if line.strip().startswith(FIRST) and pairs:
            yield from _whole(pairs)
            pairs, last, in_message = {}, "", False
        found = PAIR.match(line)
        name = found["name"].replace(" ", "").lower() if found else ""
        padded = bool(PADDED.match(line))
        if found and (padded or not in_message):
            if name in pairs:
                yield from _whole(pairs)
                pairs = {}
            pairs[name], last = found["value"], name
        elif last and line.strip() and len(pairs[last]) < MOST_MESSAGE:
            pairs[last] += f" {line.strip()}"
    yield from _whole(pairs)


def _whole(pairs: dict[str, str]) -> Iterator[dict]:
    event = from_pairs(pairs)
    if event:
        yield event


def tabled(text: str) -> Iterator[dict]:
    """Events of Get-WinEvent as it prints by itself, grouped by provider."""
    provider = ""
    for line in map(_plain, each_line(text)):
        if found := GROUP.match(line):
            provider = found[1]
        elif provider and (found := ROW.match(line)):
            event = from_pairs({"ProviderName": provider, "Id": found["id"]})
            if event:
                yield event | {"time": found["time"], "message": found["message"]}
