"""Windows events as tools print them and people paste them: XML, JSON, CSV, lists and tables.

Gives events as windows_record has them, with "message" where the print has no event data. Times
that carry no zone stay so: they are the machine's local ones.
"""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping

from . import event_log, windows_record
from .encodings import each_line
from .windows_lists import READ_BY_KEY, from_pairs, listed, tabled
from .windows_pasted import spoken, viewed
from .windows_times import settled

MOST = 20_000  # events of one print
LONGEST = 1 << 16  # characters of one event
# JSON of Get-WinEvent gives values without their names; these are the names, in order.
NAMES = {
    41: (
        "BugcheckCode",
        *(f"BugcheckParameter{number}" for number in range(1, 5)),
        "SleepInProgress",
        "PowerButtonTimestamp",
    ),
    109: ("ShutdownActionType", "ShutdownEventCode", "ShutdownReason"),
    1001: ("param1", "param2", "param3"),
    1074: tuple(f"param{number}" for number in range(1, 8)),
}
LONGEST_JSON = 16 << 20  # characters of one document; a longer print is read line by line
BEGINS, ENDS = re.compile(r"<Event[\s>]"), "</Event>"
SPACE = re.compile(r"^\{[^}]*\}")
COLUMNS = re.compile(
    r'^(?:#TYPE [^\n]*\n)?[^\n]*[,;\t]"?(?:Event ?ID|Id|InstanceId|事件 ID)"?\b', re.I
)


def looks_like(text: str) -> bool:
    """Whether the beginning of a text is such a print."""
    start = text[: 1 << 16].lstrip("\ufeff \t\r\n")
    if BEGINS.search(start) and "<System>" in start:
        return True
    if start.startswith(("{", "[")):
        return any(True for _event in _from_json(text if len(text) < 1 << 16 else start))
    return bool(COLUMNS.match(start)) or any(True for _event in _in_lines(start))


def read(text: str) -> list[dict]:
    """Every event in the print that a diagnosis looks at. Never raises."""
    found: list[dict] = []
    for event in _events(text):
        id = windows_record.whole(event.get("id"))
        if id is None:
            continue
        if len(found) >= MOST:
            break
        event = {"channel": "System", **event, "id": id & 0xFFFF}
        if event_log.wanted(event["channel"], event["id"], str(event.get("provider") or "")):
            found.append(event)
    settled(found)
    return windows_record.events(found[-windows_record.MAX_EVENTS :])


def _events(text: str) -> Iterator[Mapping]:
    start = text[: 1 << 16].lstrip("\ufeff \t\r\n")
    if BEGINS.search(start):
        return _from_xml(text)
    if start.startswith(("{", "[")):
        return _from_json(text)
    if COLUMNS.match(start):
        return _from_csv(text)
    return _in_lines(text)


def _in_lines(text: str) -> Iterator[dict]:
    """The first way of printing of which the text holds any event."""
    ways = ((tabled, listed), (viewed,), (spoken,))
    told = ([event for way in both for event in way(text)] for both in ways)
    return iter(next(filter(None, told), ()))


def _from_xml(text: str) -> Iterator[dict]:
    for part in _parts(text):
        if len(part) > LONGEST or "<!" in part:
            continue  # no event is so long, and none declares entities
        try:
            event = _one_xml(ElementTree.fromstring(part))
        except (ElementTree.ParseError, ValueError, RecursionError):
            continue
        if event:
            yield event


def _parts(text: str) -> Iterator[str]:
    found = BEGINS.search(text)
    while found and (end := text.find(ENDS, found.end())) >= 0:
        yield text[found.start() : end + len(ENDS)]
        found = BEGINS.search(text, end)


def _one_xml(root: ElementTree.Element) -> dict | None:
    parts = {SPACE.sub("", child.tag): child for child in root}
    if "System" not in parts:
        return None
    system = {SPACE.sub("", child.tag): child for child in parts["System"]}

    def words(name: str) -> str:
        return (system[name].text or "").strip() if name in system else ""

    def attribute(name: str, key: str) -> str:
        return system[name].get(key, "") if name in system else ""

    data: dict[str, object] = {}
    body = parts.get("EventData", parts.get("UserData"))
    for leaf in [] if body is None else (each for each in body.iter() if not len(each)):
        name, tag = leaf.get("Name"), SPACE.sub("", leaf.tag)
        if name or tag not in ("Data", "EventData", "UserData"):
            data.setdefault(name or tag, leaf.text or "")
        elif tag == "Data":
            data.setdefault("Data", []).append(leaf.text or "")
    return {
        "time": attribute("TimeCreated", "SystemTime"),
        "id": words("EventID"),
        "provider": attribute("Provider", "Name"),
        "channel": words("Channel") or "System",
        "record_id": windows_record.whole(words("EventRecordID")),
        "data": data,
    }


def _from_json(text: str) -> Iterator[dict]:
    for raw in _documents(text):
        todo = raw if isinstance(raw, list) else [raw]
        for one in todo:
            if not isinstance(one, Mapping):
                continue
            if isinstance(one.get("events"), list):
                yield from (each for each in one["events"] if isinstance(each, Mapping))
            elif isinstance(one.get("Event"), Mapping):
                yield from filter(None, [event_log.event(one)])
            else:
                yield from _one_json(one)


def _documents(text: str) -> Iterator[object]:
    """One document, or one a line."""
    if len(text) <= LONGEST_JSON:
        try:
            yield json.loads(text)
            return
        except (ValueError, RecursionError):
            pass
    for line in each_line(text):
        line = line.strip().rstrip(",")
        if line.startswith("{") and len(line) < LONGEST:
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                continue


def _one_json(one: Mapping) -> Iterator[dict]:
    """ConvertTo-Json of Get-WinEvent or Get-EventLog, or an event as the script has it."""
    if isinstance(one.get("data"), Mapping) and "id" in one:
        yield dict(one)
        return
    pairs = {str(key): value for key, value in one.items() if not isinstance(value, dict | list)}
    created = one.get("TimeCreated")
    if isinstance(created, Mapping):
        pairs["TimeCreated"] = created.get("value") or created.get("DateTime")
    event = from_pairs(pairs)
    if event is None:
        return
    properties = one.get("Properties", one.get("ReplacementStrings"))
    if isinstance(properties, list):
        values = [each.get("Value") if isinstance(each, Mapping) else each for each in properties]
        words = ["" if each is None else str(each) for each in values]
        names = NAMES.get(int(event["id"]) & 0xFFFF)
        named = names and str(event["provider"]).lower() != "eventlog"
        event["data"] = dict(zip(names, words, strict=False)) if named else {"Data": words}
    yield event


def _from_csv(text: str) -> Iterator[dict]:
    text = re.sub(r"^#TYPE [^\n]*\n", "", text.lstrip("\ufeff \t\r\n"))
    heading = text.partition("\n")[0]
    mark = max(",;\t", key=heading.count)
    rows = csv.reader(io.StringIO(text), delimiter=mark)
    try:
        names = [name.strip().strip('"') for name in next(rows)]
        if not any(READ_BY_KEY.get(name.lower().replace(" ", "")) == "message" for name in names):
            names.append("Message")  # Event Viewer leaves the last column without a name
        for row in rows:
            pairs = dict(zip(names, row, strict=False))
            event = from_pairs({key: value for key, value in pairs.items() if key})
            if event:
                yield event
    except (csv.Error, StopIteration, IndexError):
        return
