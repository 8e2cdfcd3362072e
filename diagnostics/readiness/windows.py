"""What a Windows machine would keep of a crash: from its record to the checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diagnostics.readers import windows_state
from diagnostics.readers.windows_record import whole
from diagnostics.readers.windows_state import WindowsState, truth
from diagnostics.readiness.checks import UNTOLD, Check, agent, gib, missing, not_told, ok, unknown
from diagnostics.wording import Text
from diagnostics.wording import say as _

NONE, COMPLETE, SMALL, AUTOMATIC = 0, 1, 3, 7
SMALL_NEEDS_KB = 64 << 10
KEPT_FROM_KB = 25 << 20  # free space from which a dump is not deleted again
LEAST_LOG = 16 << 20  # bytes; Windows itself begins with 20 MB


@dataclass(frozen=True, slots=True)
class EventLog:
    enabled: bool | None
    mode: str
    size: int | None  # bytes


@dataclass(frozen=True, slots=True)
class WindowsFacts:
    """Beside the state of the machine: `control` is CrashControl as it stands, `free_kb` what is
    free on the drive `dump_drive`. None: could not be asked."""

    state: WindowsState
    control: Mapping[str, object] | None
    dump_path: str
    dump_drive: str
    free_kb: int | None
    in_domain: bool | None
    system_log: EventLog | None
    why_not: str | Text


def read(record: Mapping) -> WindowsFacts:
    """The facts in a record (see readers.windows_record). Never raises."""
    state, control = windows_state.read(record), record.get("crash_control")
    told = record.get("readiness") or {}
    root = str(told.get("SystemRoot") or "C:\\Windows")
    path = (state.dump_path or windows_state.DEFAULT_DUMP).strip()
    if path.lower().startswith("%systemroot%"):
        path = root + path[len("%SystemRoot%") :]
    elif path.lower().startswith("%systemdrive%"):
        path = root[:2] + path[len("%SystemDrive%") :]
    drive = path[:2].upper()
    return WindowsFacts(
        state=state,
        control=control,
        dump_path=path,
        dump_drive=drive,
        free_kb=free_on(drive, root[:2].upper(), told, state),
        in_domain=truth(told.get("PartOfDomain")),
        system_log=event_log(told, "System"),
        why_not=why_not(record),
    )


def free_on(drive: str, system: str, told: Mapping, state: WindowsState) -> int | None:
    for row in rows(told.get("Drives")):
        if str(row.get("DeviceID", "")).upper() == drive:
            free = whole(row.get("FreeSpace"))
            return None if free is None else free >> 10
    if drive == system and state.free_on_system_drive is not None:
        return state.free_on_system_drive >> 10
    return None


def rows(value: object) -> list[Mapping]:
    """PowerShell makes a list of one element that element."""
    found = value if isinstance(value, list) else [value]
    return [row for row in found if isinstance(row, dict)]


def event_log(told: Mapping, name: str) -> EventLog | None:
    for row in rows(told.get("EventLogs")):
        if row.get("LogName") == name:
            size = whole(row.get("MaximumSizeInBytes"))
            return EventLog(truth(row.get("IsEnabled")), str(row.get("LogMode", "")), size)
    return None


def why_not(record: Mapping) -> str | Text:
    said = [str(gap) for gap in record.get("gaps") or ()]
    return "; ".join(said)[:300] or UNTOLD


def judge(facts: WindowsFacts, known_agent: str = "") -> tuple[Check, ...]:
    """Every check of Windows, in the order in which a crash would need them."""
    return (
        dump_enabled(facts),
        page_file(facts),
        dump_space(facts),
        dump_kept(facts),
        auto_reboot(facts),
        crash_event(facts),
        event_log_kept(facts),
        agent(facts.state.agent_version, known_agent),
    )


def dump_enabled(facts: WindowsFacts) -> Check:
    name, value = "dump_enabled", facts.state.dump_enabled
    line = f"CrashDumpEnabled={value}"
    if value is None:
        return not_told(name, facts.why_not)
    if value == NONE:
        return missing(name, _("Memory dumps are turned off."), line)
    if value not in windows_state.DUMP_TYPES:
        return unknown(name, _("CrashDumpEnabled has a value that is not known."), line)
    if value == SMALL:
        return ok(name, _("Small dumps are on: the stack, and little beside it."), line)
    told = str(facts.state.dump_type).lower()
    return ok(name, _("Memory dumps are on: %(type)s.", type=told), line)


def wanted(facts: WindowsFacts) -> int | None:
    """The dump to judge by: the automatic one where dumps are off, for that is what to turn on."""
    enabled = facts.state.dump_enabled
    return AUTOMATIC if enabled == NONE else enabled


def page_file(facts: WindowsFacts) -> Check:
    name, state, control = "page_file", facts.state, facts.control or {}
    if control.get("DedicatedDumpFile"):
        line = f"DedicatedDumpFile={control['DedicatedDumpFile']}"
        return ok(name, _("A file of its own is set aside for dumps."), line)
    if state.page_files is None:
        return not_told(name, facts.why_not)
    line = "; ".join(f"{file.path} {file.size >> 20} MB" for file in state.page_files)
    line = f"Win32_PageFileUsage={line or 'none'}"
    fits = windows_state.fits(wanted(facts), state.page_files, state.memory, control)
    if fits:
        return ok(name, _("The page file of the system drive takes the dump."), line)
    if fits is None:
        said = _("Whether the page file is large enough for the dump is not known.")
        return unknown(name, said, line, name)
    if any(file.path[:2].upper() == "C:" for file in state.page_files):
        return missing(name, _("The page file is smaller than the memory."), line)
    return missing(name, _("There is no page file on the system drive."), line)


def need_kb(facts: WindowsFacts) -> int | None:
    """All memory for a complete dump, a third of it for one of the kernel."""
    kind, memory = wanted(facts), facts.state.memory
    if kind == SMALL:
        return SMALL_NEEDS_KB
    if kind is None or memory is None:
        return None
    return (memory if kind == COMPLETE else memory // 3) >> 10


def dump_space(facts: WindowsFacts) -> Check:
    name, free, need = "dump_space", facts.free_kb, need_kb(facts)
    if free is None or need is None:
        return not_told(name, facts.why_not)
    line = f"DumpFile={facts.dump_path} FreeSpace={free << 10}"
    told = {"free": gib(free), "path": facts.dump_drive, "need": gib(need)}
    if free >= need:
        return ok(name, _("%(free)s are free in %(path)s; a dump may take %(need)s.", **told), line)
    said = _("Only %(free)s are free in %(path)s; a dump may take %(need)s.", **told)
    return missing(name, said, line)


def dump_kept(facts: WindowsFacts) -> Check:
    name, free = "dump_kept", facts.free_kb
    keep = truth((facts.control or {}).get("AlwaysKeepMemoryDump"))
    if keep:
        return ok(name, _("Windows is told to keep every dump."), "AlwaysKeepMemoryDump=1")
    if facts.state.dump_enabled == SMALL:
        return ok(name, _("Small dumps are never deleted for room."), "CrashDumpEnabled=3")
    if free is not None and free >= KEPT_FROM_KB:
        said = _("%(free)s are free, so the dump stays.", free=gib(free))
        return ok(name, said, f"FreeSpace={free << 10}")
    if facts.in_domain:
        return ok(name, _("The machine is in a domain, so the dump stays."), "PartOfDomain=True")
    if free is None or facts.in_domain is None or facts.control is None:
        return not_told(name, facts.why_not)
    said = _("Only %(free)s are free: Windows would delete the dump again.", free=gib(free))
    return missing(name, said, f"AlwaysKeepMemoryDump={int(bool(keep))} FreeSpace={free << 10}")


def auto_reboot(facts: WindowsFacts) -> Check:
    if facts.state.auto_reboot is None:
        return not_told("auto_reboot", facts.why_not)
    if facts.state.auto_reboot:
        return ok("auto_reboot", _("Windows restarts by itself."), "AutoReboot=1")
    return missing("auto_reboot", _("The machine stays on the blue screen."), "AutoReboot=0")


def crash_event(facts: WindowsFacts) -> Check:
    logged = truth((facts.control or {}).get("LogEvent"))
    if logged is None:
        return not_told("crash_event", facts.why_not)
    if logged:
        return ok("crash_event", _("A blue screen is written to the log."), "LogEvent=1")
    return missing("crash_event", _("A blue screen is not written to the log."), "LogEvent=0")


def event_log_kept(facts: WindowsFacts) -> Check:
    name, log = "event_log", facts.system_log
    if log is None or log.enabled is None or log.size is None:
        return not_told(name, facts.why_not)
    mib = log.size >> 20
    line = f"System: IsEnabled={log.enabled} LogMode={log.mode} MaximumSizeInBytes={log.size}"
    if not log.enabled:
        return missing(name, _("The System log is turned off."), line)
    if log.mode == "Retain":
        said = _("The System log takes nothing more once it is full.")
        return missing(name, said, line, "event_log_mode")
    if log.size < LEAST_LOG:
        said = _("The System log holds only %(mib)s MiB.", mib=mib)
        return missing(name, said, line)
    if log.mode not in ("Circular", "AutoBackup"):
        return unknown(name, _("What the System log does when it is full is not known."), line)
    return ok(name, _("The System log holds %(mib)s MiB, the newest records.", mib=mib), line)
