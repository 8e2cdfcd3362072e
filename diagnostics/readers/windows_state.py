"""How a Windows machine is set up, from its record (see windows_record).

A value that could not be asked is None, and `reasons` says why under the name of the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import dump_header
from .windows_events import Event, moment, ordered
from .windows_record import whole

DUMP_TYPES = {0: "None", 1: "Complete", 2: "Kernel", 3: "Small", 7: "Automatic"}
DEFAULT_DUMP = "%SystemRoot%\\MEMORY.DMP"
MINIMUM_MB = {1: None, 2: 800, 3: 2, 7: 800}  # page file on the boot volume; None: RAM + 257 MB


@dataclass(frozen=True, slots=True)
class PageFile:
    """A page file in use: its path and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class WindowsDump:
    """A dump on disk: `kind` memory, minidump or live (a live dump means no crash)."""

    path: str
    kind: str
    size: int | None
    modified: datetime | None
    header: dump_header.DumpHeader | None


@dataclass(frozen=True, slots=True)
class WindowsState:
    """`dump_enabled` is CrashDumpEnabled and `dump_type` its word; `page_file_fits` says whether a
    dump of that type can be written through the page file; `bsod_events` are the BugCheck records
    and `unexpected_events` those of unclean ends (41, 6008), newest first;
    `gaps` are the collection's own words about what it could not ask."""

    hostname: str | None
    os: str | None
    last_boot: datetime | None
    asked_at: datetime | None
    uptime: timedelta | None
    timezone: str | None
    agent_version: str | None
    dump_enabled: int | None
    dump_type: str | None
    dump_path: str | None
    auto_reboot: bool | None
    page_files: tuple[PageFile, ...] | None
    page_file_automatic: bool | None
    memory: int | None
    page_file_fits: bool | None
    free_on_system_drive: int | None
    memory_dump: WindowsDump | None
    minidumps: tuple[WindowsDump, ...] | None
    minidump_count: int | None
    bsod_events: tuple[Event, ...]
    unexpected_events: tuple[Event, ...]
    gaps: tuple[str, ...]
    reasons: Mapping[str, str]


def read(record: Mapping) -> WindowsState:
    """The state that a record tells. Never raises."""
    system, control = record.get("system") or {}, record.get("crash_control")
    paging, dumps = record.get("pagefile"), found_dumps(record)
    enabled = whole((control or {}).get("CrashDumpEnabled"))
    uptime = whole(system.get("uptime_s"))
    files, memory = page_files(paging), whole((paging or {}).get("TotalPhysicalMemory"))
    minidumps = tuple(dump for dump in dumps or () if dump.kind == "minidump")
    count = whole((record.get("dump_counts") or {}).get("minidump"))
    return WindowsState(
        hostname=word(system, "hostname"),
        os=word(system, "os"),
        last_boot=moment(system.get("last_boot")),
        asked_at=moment(system.get("now")),
        uptime=timedelta(seconds=uptime) if uptime is not None and 0 <= uptime < 1e10 else None,
        timezone=word(system, "timezone"),
        agent_version=word(system, "agent_version"),
        dump_enabled=enabled,
        dump_type=dump_type(control, enabled),
        dump_path=None if control is None else str(control.get("DumpFile") or DEFAULT_DUMP),
        auto_reboot=truth((control or {}).get("AutoReboot")),
        page_files=files,
        page_file_automatic=truth((paging or {}).get("AutomaticManagedPagefile")),
        memory=memory,
        page_file_fits=fits(enabled, files, memory, control or {}),
        free_on_system_drive=whole((paging or {}).get("SystemDriveFree")),
        memory_dump=next((dump for dump in dumps or () if dump.kind == "memory"), None),
        minidumps=None if dumps is None else minidumps,
        minidump_count=None if dumps is None else max(count or 0, len(minidumps)),
        bsod_events=told(record, {("bugcheck", 1001)}),
        unexpected_events=told(record, {("kernel-power", 41), ("eventlog", 6008)}),
        gaps=tuple(str(gap) for gap in record.get("gaps") or ()),
        reasons=reasons(record, enabled),
    )


def word(values: Mapping, key: str) -> str | None:
    return str(values[key]) if values.get(key) not in (None, "") else None


def truth(value: object) -> bool | None:
    number = whole(value)
    return None if number is None else bool(number)


def dump_type(control: Mapping | None, enabled: int | None) -> str | None:
    if enabled == 1 and whole((control or {}).get("FilterPages")) == 1:
        return "Active"
    if enabled is None:
        return None
    return DUMP_TYPES.get(enabled, f"unknown ({enabled})")


def page_files(paging: Mapping | None) -> tuple[PageFile, ...] | None:
    if paging is None or not isinstance(paging.get("Win32_PageFileUsage"), list):
        return None
    used = [file for file in paging["Win32_PageFileUsage"] if isinstance(file, dict)]
    return tuple(
        PageFile(str(file.get("Name", "")), (whole(file.get("AllocatedBaseSize")) or 0) << 20)
        for file in used
    )


def fits(
    enabled: int | None, files: tuple[PageFile, ...] | None, memory: int | None, control: Mapping
) -> bool | None:
    """The dump goes through the page file of the system drive, or a dedicated file."""
    if control.get("DedicatedDumpFile"):
        return True
    if enabled not in MINIMUM_MB or files is None:
        return None
    on_drive = [file.size for file in files if file.path[:2].upper() == "C:"]
    if not on_drive:
        return False
    least = MINIMUM_MB[enabled]
    if least is None:
        return None if memory is None else max(on_drive) >= memory
    # Less than the usual minimum may still do on a small machine: then it is not known.
    return True if max(on_drive) >= least << 20 else None


def found_dumps(record: Mapping) -> tuple[WindowsDump, ...] | None:
    if not isinstance(record.get("dumps"), list):
        return None
    dumps = (dump for dump in record["dumps"] if isinstance(dump, dict) and dump.get("path"))
    found = [
        WindowsDump(
            path=str(dump["path"]),
            kind=str(dump.get("kind") or kind_by_path(str(dump["path"]))),
            size=whole(dump.get("size")),
            modified=moment(dump.get("modified")),
            header=dump_header.read(dump["first"])
            if isinstance(dump.get("first"), bytes)
            else None,
        )
        for dump in dumps
    ]
    oldest = moment("1601-01-01T00:00:00Z")
    return tuple(sorted(found, key=lambda dump: dump.modified or oldest, reverse=True))


def kind_by_path(path: str) -> str:
    if "livekernelreports" in path.lower():
        return "live"
    return "minidump" if "minidump" in path.lower() else "memory"


def told(record: Mapping, wanted: set[tuple[str, int]]) -> tuple[Event, ...]:
    events = reversed(ordered(record.get("events") or []))
    return tuple(event for event in events if (event.source, event.id) in wanted)


def reasons(record: Mapping, enabled: int | None) -> dict[str, str]:
    """Why a part of the record is not there, in the collection's own words."""
    notes = [str(gap) for gap in record.get("gaps") or ()]
    found = {}
    for part in ("system", "crash_control", "pagefile", "dumps"):
        if not record.get(part) and record.get(part) != []:
            said = [note for note in notes if note.startswith((part + ":", "record:"))]
            found[part] = said[0] if said else f'the answer holds no "{part}"'
    if enabled is None and "crash_control" not in found:
        found["dump_enabled"] = "CrashDumpEnabled is not set"
    return found
