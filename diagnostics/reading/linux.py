"""Reading the evidence of a Linux machine."""

from __future__ import annotations

from diagnostics.analyzers import linux
from diagnostics.facts import Boot, Capture, Dump
from diagnostics.findings import Analysis, Window
from diagnostics.readers import boot_list, linux_state
from diagnostics.readers.bundle import Bundle
from diagnostics.reading.value import Reading, guarded

BEFORE = ("journal_previous", "messages", "last", "vmcore_dmesg", "pstore")


def console(body: bytes | None, window: Window | None) -> Analysis | None:
    if body is None:
        return None
    text = body.decode(errors="replace")
    return guarded("linux", lambda: linux.judge({"console": text}, window))


def read(found: Bundle, console: Analysis | None, window: Window | None) -> Reading:
    sections = found.sections
    state = linux_state.read(sections)
    return Reading(
        guest=guarded("linux", lambda: linux.judge(sections, window)),
        console=console,
        state=state,
        capture=_capture(state),
        boot=Boot(state.booted_at, state.boot_id or "") if state.booted_at else None,
        earlier_boots=boot_list.read(sections.get("boots", ""), state.timezone or "+0000"),
        complete=found.complete,
        reaches_back=any(sections.get(name, "").strip() for name in BEFORE),
        problems=found.problems,
    )


def _capture(state: linux_state.LinuxState) -> Capture:
    return Capture(
        family=state.family,
        armed=state.kdump.ready,
        dumps=tuple(Dump(dump.path, dump.size, dump.at) for dump in state.dumps or ()),
        panic_on_oom=state.panic_on_oom,
    )
