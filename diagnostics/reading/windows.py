"""Reading the evidence of a Windows machine."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.analyzers import windows
from diagnostics.facts import Boot, Capture, Dump
from diagnostics.findings import Analysis, Window
from diagnostics.readers import windows_record, windows_state
from diagnostics.readers.bundle import Bundle
from diagnostics.reading.value import Reading, guarded


def read(found: Bundle, console: Analysis | None, window: Window | None) -> Reading:
    reading = read_record(windows_record.read(found.sections), console, window)
    return replace(reading, complete=found.complete, problems=found.problems)


def read_record(record: dict, console: Analysis | None, window: Window | None) -> Reading:
    state = windows_state.read(record)
    return Reading(
        guest=guarded("windows", lambda: windows.judge(record, window)),
        console=console,
        state=state,
        capture=_capture(state),
        boot=Boot(state.last_boot, source="record") if state.last_boot else None,
        reaches_back=bool(record["events"]),
    )


def _capture(state: windows_state.WindowsState) -> Capture:
    memory = [state.memory_dump] if state.memory_dump else []
    on_disk = [*memory, *(state.minidumps or ())]
    files = state.page_files
    return Capture(
        family="windows",
        armed=_armed(state),
        dumps=tuple(_dump(dump) for dump in on_disk),
        crash_dump_enabled=state.dump_enabled,
        pagefile=False if state.page_file_fits is False else bool(files) if files else None,
    )


def _armed(state: windows_state.WindowsState) -> bool | None:
    if state.dump_enabled == 0 or state.page_file_fits is False:
        return False
    return True if state.dump_enabled and state.page_file_fits else None


def _dump(dump: windows_state.WindowsDump) -> Dump:
    """Written at the boot after the crash; the header's own time is the crash itself."""
    header = dump.header
    code = f"0x{header.code:X}" if header and header.code is not None else ""
    return Dump(
        dump.path,
        dump.size,
        (header.crashed_at if header else None) or dump.modified,
        small=dump.kind == "minidump",
        bugcheck_code=code,
    )
