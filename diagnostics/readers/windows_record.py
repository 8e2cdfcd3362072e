"""The answer of the Windows script as a record: events and how the machine is set up.

The section `record` is one JSON object, in ASCII:

    {"system": {"hostname", "os", "version", "language", "now", "last_boot", "uptime_s",
                "timezone", "utc_offset_minutes", "powershell", "user", "agent_version"},
     "crash_control": {"CrashDumpEnabled": 7, "DumpFile": "C:\\Windows\\MEMORY.DMP", ...} | null,
     "pagefile": {"Win32_PageFileUsage": [{"Name", "AllocatedBaseSize"}], "PagingFiles",
                  "AutomaticManagedPagefile", "TotalPhysicalMemory", "SystemDriveFree"} | null,
     "readiness": {"PartOfDomain", "SystemRoot", "Drives": [{"DeviceID", "Size", "FreeSpace"}],
                   "EventLogs": [{"LogName", "IsEnabled", "LogMode", "MaximumSizeInBytes"}]},
     "dump_counts": {"minidump": 2, "live": 0},
     "dumps": [{"path", "kind": "memory|minidump|live", "size", "modified",
                "header": {"0": Base64, "3840": Base64} | "header_error": words}] | null,
     "dump_stack": "#BugCheckCode 0x3B\\n..." | null,
     "events": [{"time", "id", "provider", "channel", "record_id", "data": {...}}]}

Times are ISO 8601 in UTC, sizes in bytes (AllocatedBaseSize in MB). Event data are the texts of
the event's XML: named fields by name, unnamed ones as the list "Data", "Binary" in hex. null means
that it could not be asked, and the section `collection` says why; [] that there is nothing. The
readiness script alone gives `readiness`, and neither dumps nor events.

An answer is sealed so: text = "#section record\\n" + json + "\\n#section collection\\n" + notes
+ "\\n"; then the line `#ecs-bundle 1 windows gzip`, Base64 of gzip(text) in lines of 76 that each
begin with their number and a colon ("1:H4sI..."), and the
line `#ecs-end bytes=<len(text)> sha256=<hex of text> seconds=<n>`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from .windows_fields import HEADER_PARTS, NUMBERS, TRUTHS

MAX_EVENTS = 5000
HEADER = 0x2000


def read(sections: Mapping[str, str]) -> dict:
    """The record with its types set right: every key is there, events are objects with a whole
    number `id`, dumps carry `first` (their first 8 KB as far as known) instead of `header`.
    `gaps` holds the collection's notes and what could not be read. Never raises."""
    gaps = [line for line in sections.get("collection", "").splitlines() if line.strip()]
    raw = parsed(sections.get("record"), gaps)
    return {
        "system": table(raw.get("system")) or {},
        "crash_control": table(raw.get("crash_control")),
        "pagefile": table(raw.get("pagefile")),
        "readiness": table(raw.get("readiness")),
        "dump_counts": table(raw.get("dump_counts")) or {},
        "dumps": dumps(raw.get("dumps")),
        "dump_stack": raw["dump_stack"] if isinstance(raw.get("dump_stack"), str) else None,
        "events": events(raw.get("events")),
        "gaps": gaps,
    }


def parsed(text: str | None, gaps: list[str]) -> Mapping:
    if text is None:
        gaps.append("record: not in the answer")
        return {}
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raw = as_far_as_whole(text)
        gaps.append("record: cut; what stood before the cut was read")
    if isinstance(raw, dict):
        return raw
    gaps.append("record: not an object")
    return {}


def as_far_as_whole(text: str) -> object:
    """Events stand last: close the list after the last one that is whole."""
    end = len(text)
    for _ in range(60):
        end = text.rfind("}", 0, end)
        if end < 0:
            break
        for closing in ("]}", "}", ""):
            try:
                return json.loads(text[: end + 1] + closing)
            except (ValueError, RecursionError):
                continue
    return {}


def table(value: object) -> dict | None:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else None


def events(value: object) -> list[dict]:
    found = []
    for event in value[:MAX_EVENTS] if isinstance(value, list) else []:
        if not isinstance(event, dict):
            continue
        id = whole(event.get("id"))
        if id is not None:
            data = table(event.get("data")) or {}
            found.append({**event, "id": id, "data": {k: typed(k, v) for k, v in data.items()}})
    return found


def typed(name: str, value: object) -> object:
    if name in NUMBERS:
        number = whole(value)
        return value if number is None else number
    if name in TRUTHS and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value


def whole(value: object) -> int | None:
    """A number, or a text that is one, in decimal or as 0x...; None for anything else."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        return int(value.strip(), 16 if value.strip().lower().startswith("0x") else 10)
    except ValueError:
        return {"true": 1, "false": 0}.get(value.strip().lower())


def dumps(value: object) -> list[dict] | None:
    if not isinstance(value, list):
        return None
    found = []
    for dump in value[:50]:
        if isinstance(dump, dict) and isinstance(dump.get("path"), str):
            known = {key: item for key, item in dump.items() if key != "header"}
            first = header(dump.get("header"))
            found.append(known | ({"first": first} if first else {}))
    return found


def header(parts: object) -> bytes | None:
    """The first 8 KB of a dump, with nothing where the script did not look."""
    if not isinstance(parts, dict):
        return None
    first = bytearray(HEADER)
    for at, size in HEADER_PARTS:
        try:
            part = base64.b64decode(str(parts.get(str(at), "")), validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(part) != size:
            return None
        first[at : at + size] = part
    return bytes(first)
