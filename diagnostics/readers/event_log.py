"""A Windows event log as the machine keeps it (.evtx), read from its raw records.

The library that reads it is native code and the file may be anything, so it runs in a process of
its own with little memory and time. One that dies is a damaged file and nothing worse: what it had
read until then counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..wording import Text
from ..wording import say as _
from . import windows_record
from .windows_fields import QUERIES

MAGIC = b"ElfFile\0"
CHILD = Path(__file__).with_name("event_log_child.py")
SECONDS = 30  # for the child as a whole; 20 MB of log need less than one
MOST_ANSWER = 128 << 20  # bytes of its answer that are looked at
# (log, id) -> providers that may have written it; none: anybody.
WANTED: dict[tuple[str, int], frozenset[str]] = {}
for _query in QUERIES:
    for _id in _query.ids:
        _known = WANTED.get((_query.log.lower(), _id))
        _names = frozenset(name.lower() for name in _query.providers)
        _anybody = not _names or _known == frozenset()
        WANTED[_query.log.lower(), _id] = frozenset() if _anybody else _names | (_known or set())


@dataclass(frozen=True, slots=True)
class EventLog:
    """`events` as windows_record has them, by record number: those that a diagnosis looks at.
    `records` counts all that were read; `problems` says in words what could not be; `lost` is
    true where records are damaged or missing."""

    events: tuple[dict, ...]
    records: int
    problems: tuple[Text, ...]
    lost: bool = False


def read(body: bytes) -> EventLog:
    """What the log holds, as far as it is whole. Never raises."""
    with tempfile.TemporaryFile() as answer:
        ending = _child(body, answer)
        answer.seek(0)
        found, told = _told(answer.read(MOST_ANSWER).splitlines())
    found.sort(key=lambda one: one["record_id"] or 0)
    kept = windows_record.events(found[-windows_record.MAX_EVENTS :])
    lost = [*_lost(told), *([ending] if ending else [])]
    older = len(found) - len(kept)
    problems = [*lost, *([_("%(count)s older events were left out", count=older)] if older else [])]
    records = int(told.get("records", len(found)))
    return EventLog(tuple(kept), records, tuple(problems), bool(lost))


def _lost(told: Mapping) -> Iterator[Text]:
    if told.get("error"):
        yield _("the log is damaged: %(error)s", error=str(told["error"])[:280])
    if told.get("damaged"):
        yield _("%(count)s records or chunks are damaged and were not read", count=told["damaged"])
    missing = told["last"] - told["first"] + 1 - told["records"] if told.get("records") else 0
    if 0 < missing < 1 << 32:
        yield _("%(count)s records are missing between the first and the last", count=missing)
    if told and not told["records"] and not told["error"]:
        yield _("no record could be read")


def wanted(log: str, id: int, provider: str) -> bool:
    """Whether the collection script would have asked for such an event."""
    providers = WANTED.get((log.lower(), id))
    return providers is not None and (not providers or provider.lower() in providers)


def _child(body: bytes, answer) -> Text | None:
    """Have the child write its answer; why it did not end well, if so."""
    ids = sorted({str(id) for _log, id in WANTED})
    command = [sys.executable, "-I", str(CHILD), *ids]
    try:
        done = subprocess.run(
            command, input=body, stdout=answer, stderr=subprocess.DEVNULL, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return _("reading the log took more than %(most)s seconds and was stopped", most=SECONDS)
    except OSError as error:
        return _("the log could not be read here: %(error)s", error=error.strerror)
    return None if done.returncode == 0 else _("the log is damaged: reading it broke off")


def _told(lines: list[bytes]) -> tuple[list[dict], Mapping]:
    """The events that we want, and the child's last words."""
    found: list[dict] = []
    for line in lines:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue  # a line that was cut where the child died
        if "records" in _table(said):
            return found, said
        one = event(said)
        if one is not None and wanted(one["channel"], one["id"], one["provider"]):
            found.append(one)
    return found, {}


def event(raw: object) -> dict | None:
    """One record, flat, from a document as the library renders it; None if it is none."""
    root = _table(_table(raw).get("Event"))
    system = _table(root.get("System"))
    id = windows_record.whole(_text(system.get("EventID")))
    if id is None:
        return None
    return {
        "time": _attribute(system.get("TimeCreated"), "SystemTime"),
        "id": id & 0xFFFF,
        "provider": _attribute(system.get("Provider"), "Name"),
        "channel": _text(system.get("Channel")) or "System",
        "record_id": windows_record.whole(_text(system.get("EventRecordID"))),
        "data": _data(root.get("EventData") or root.get("UserData")),
    }


def _data(value: object) -> dict[str, object]:
    """Fields by name; those without one as the list `Data`, as windows_record describes it."""
    fields: dict[str, object] = {}
    todo = [value]
    while todo:
        for name, inner in _table(todo.pop()).items():
            if name == "#attributes":
                continue
            if isinstance(inner, Mapping) and "#text" not in inner:
                todo.append(inner)
            elif name == "Data":
                fields["Data"] = _listed(inner)
            else:
                fields.setdefault(name, _text(inner))
    return fields


def _listed(value: object) -> list[str]:
    inner = value.get("#text") if isinstance(value, Mapping) else value
    return [_text(one) for one in inner] if isinstance(inner, list) else [_text(inner)]


def _table(value: object) -> Mapping:
    return value if isinstance(value, Mapping) else {}


def _attribute(value: object, name: str) -> str:
    return _text(_table(_table(value).get("#attributes")).get(name))


def _text(value: object) -> str:
    """As the event's XML would have it."""
    inner = value.get("#text") if isinstance(value, Mapping) else value
    if inner is None:
        return ""
    if isinstance(inner, list):
        return ", ".join(_text(one) for one in inner[:100])
    return str(inner).lower() if isinstance(inner, bool) else str(inner)
