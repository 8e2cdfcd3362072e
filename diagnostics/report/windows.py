"""Steps 3B to 5 of a Windows report."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.conclusions.advice import dump_steps
from diagnostics.facts import Capture, Machine
from diagnostics.facts import Facts as KnownFacts
from diagnostics.readers import bugchecks
from diagnostics.report import fixed
from diagnostics.report.blocks import Facts, Lines, Section
from diagnostics.report.source import Source
from diagnostics.speech import spoken, spoken_lines
from diagnostics.wording import lasting
from diagnostics.wording import say as _

BY_HAND = """\
Get-CimInstance Win32_OperatingSystem | Format-List LastBootUpTime
Get-WinEvent -FilterHashtable @{LogName='System'; Id=41,1001,1074,6005,6006,6008,161,162,46} \
-MaxEvents 60 | Format-List TimeCreated,Id,ProviderName,Message
Get-ItemProperty 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\CrashControl'
Get-CimInstance Win32_PageFileUsage
Get-ChildItem C:\\Windows\\MEMORY.DMP, C:\\Windows\\Minidump"""


def sections(source: Source) -> Iterator[Section]:
    yield Section(
        3,
        "Step 3B: Windows System Diagnosis",
        (
            fixed.agent(source),
            _part(source, "System Uptime", _uptime),
            _part(source, "Unexpected Shutdown Events", _shutdowns),
            _part(source, "Memory Dump Configuration", _configuration),
            _part(source, "Memory Dump File Check", _memory_dump),
            _part(source, "Minidump Files", _minidumps),
            _part(source, "BSOD Events", _bsod),
            *fixed.alternatives(source, BY_HAND, "VNC, RDP"),
        ),
    )
    yield Section(3, "Step 4B: Crash Dump Analysis", tuple(_analysis(source)))
    yield Section(
        3, "Step 5: Memory Dump Configuration Recommendation", tuple(_recommendation(source))
    )


def _part(source: Source, label: str, tell) -> Lines | Facts:
    """One labelled part, or why there is nothing from the guest."""
    if not source.state:
        return Lines(label, fixed.guest_missing(source))
    told = tell(source, source.state)
    if told and isinstance(told[0], tuple):
        return Facts(tuple(told), label)
    return Lines(label, tuple(told))


def _why(source: Source, *names: str) -> str:
    reasons = source.state.get("reasons") or {}
    why = next((reasons[name] for name in names if name in reasons), None)
    why = why or _("it did not tell")
    return source.say("The machine could not be asked: %(why)s", why=why)


def _uptime(source: Source, state: dict) -> list:
    boot, seconds = state["last_boot"], state["uptime"]
    if boot is None:
        return [_why(source, "system")]
    if seconds is None:
        asked = state["asked_at"] or source.case.opened_at
        seconds = max(0.0, (asked - boot).total_seconds())
    return [
        ("Last Boot Time", source.at(boot)),
        ("Uptime", spoken(lasting(seconds))),
    ]


def _shutdowns(source: Source, state: dict) -> list[str]:
    told = [
        finding.words(source.case.zone)
        for finding in source.of_the_machine
        if finding.severity in ("critical", "warning") and "bugcheck" not in finding.code
    ]
    return told[:20] or [source.say("The record holds no unexpected shutdown of this time.")]


def _configuration(source: Source, state: dict) -> list:
    if state["dump_enabled"] is None:
        return [_why(source, "crash_control", "dump_enabled")]
    return [
        ("CrashDumpEnabled", str(state["dump_enabled"])),
        ("Dump Type", _dump_type(source, state)),
        ("Dump File Path", state["dump_path"] or _why(source, "crash_control")),
        ("Pagefile", _pagefile(source, state)),
    ]


def _dump_type(source: Source, state: dict) -> str:
    if state["dump_enabled"] == 0:
        return source.say("None (memory dumps are turned off)")
    return state["dump_type"] or _why(source, "crash_control")


def _pagefile(source: Source, state: dict) -> str:
    files = state["page_files"]
    if files is None:
        return _why(source, "pagefile")
    if not files:
        return source.say("there is none, so no dump can be written")
    named = ", ".join(f"{file['path']} ({file['size'] // 1048576} MiB)" for file in files)
    if state["page_file_fits"] is False:
        return source.say("%(files)s; too small or not on the boot volume", files=named)
    return named


def _dump_rows(source: Source, dump: dict) -> list:
    at, size = dump["modified"], dump["size"]
    return [
        ("Found", source.say("yes, %(path)s", path=dump["path"])),
        (
            "Size",
            source.say("%(size)s bytes", size=size)
            if size is not None
            else source.say("the script was not told it"),
        ),
        ("Last Modified", source.at(at) if at else source.say("the script was not told it")),
    ]


def _memory_dump(source: Source, state: dict) -> list:
    if state["minidumps"] is None:
        return [_why(source, "dumps")]
    if state["memory_dump"] is None:
        path = state["dump_path"] or "MEMORY.DMP"
        return [source.say("Found: no. %(path)s does not exist.", path=path)]
    return _dump_rows(source, state["memory_dump"])


def _minidumps(source: Source, state: dict) -> list:
    if state["minidumps"] is None:
        return [_why(source, "dumps")]
    if not state["minidumps"]:
        return [source.say("Count: 0.")]
    newest = state["minidumps"][0]
    at = source.at(newest["modified"]) if newest["modified"] else ""
    latest = f"{newest['path']} {at}".strip()
    return [("Count", str(state["minidump_count"])), ("Latest", latest)]


def _bsod(source: Source, state: dict) -> list[str]:
    told = [
        source.say("%(at)s: %(line)s", at=event["at"] or event["time"], line=_event_line(event))
        for event in state["bsod_events"][:10]
    ]
    return told or [source.say("The record holds no BugCheck event (1001).")]


def _event_line(event: dict) -> str:
    data = event["data"]
    words = data.get("param1") or " ".join(str(each) for each in data.values()) or event["message"]
    return str(words)


def _header(source: Source) -> dict | None:
    """The header of the newest dump of this incident that could be read."""
    state = source.state
    dumps = [state["memory_dump"], *(state["minidumps"] or ())]
    start, end = source.conclusion["window_start"], source.conclusion["window_end"]
    for dump in filter(None, dumps):
        header = dump["header"]
        if header and header["code"] is not None:
            at = header["crashed_at"]
            if at is None or start is None or start <= at <= end:
                return {**header, "path": dump["path"]}
    return None


def _analysis(source: Source) -> Iterator[Lines | Facts]:
    if source.conclusion["ends_search"]:
        line = source.say("Not run: the platform event already explains the reboot.")
        yield Lines("Bugcheck", (line,))
        return
    if not source.state:
        yield Lines("Bugcheck", fixed.guest_missing(source))
        return
    header, analysis = _header(source), source.analysis
    code = source.case.bugcheck_code
    if header:
        yield Facts(tuple(_header_rows(source, header)), "Read from the dump's header")
    elif code:
        name = (analysis or {}).get("reason") or code
        told = source.say("%(name)s, from the event log; no dump header was read.", name=name)
        yield Lines("Bugcheck", (told,))
    else:
        yield Lines("Bugcheck", (source.say("Nothing to analyse: no dump and no BugCheck event."),))
    if header or code:
        yield Lines(
            "Deep Analysis",
            (
                source.say(
                    "Needs the dump file itself, the symbols of this Windows build and WinDbg:"
                    " hand the file to Alibaba Cloud technical support."
                ),
            ),
        )


def _header_rows(source: Source, header: dict) -> Iterator[tuple[str, str]]:
    named, code = bugchecks.named(header["code"]), f"0x{header['code']:X}"
    written = named.title if named.code == code else f"{named.title} ({code})"
    yield "Bugcheck Code", written
    yield "Parameters", ", ".join(f"0x{each:X}" for each in header["parameters"])
    yield "File", header["path"]
    if header["crashed_at"]:
        yield "Crashed At", source.at(header["crashed_at"])


def _recommendation(source: Source) -> Iterator[Lines]:
    if source.conclusion["ends_search"]:
        line = source.say("Not run: the platform event already explains the reboot.")
        yield Lines("Current Configuration", (line,))
        return
    if not source.state:
        yield Lines("Current Configuration", fixed.guest_missing(source))
    else:
        rows = _configuration(source, source.state)
        lines = (f"{row[0]}: {row[1]}" if isinstance(row, tuple) else row for row in rows)
        yield Lines("Current Configuration", tuple(lines))
    steps = dump_steps(_known(source))
    yield Lines("Configuration Steps for Windows", tuple(spoken_lines(steps, source.case.zone)))


def _known(source: Source) -> KnownFacts:
    """Just enough for the advice: what the machine would keep of a crash."""
    capture = source.judgement.get("capture") or {}
    return KnownFacts(
        now=source.case.opened_at,
        machine=Machine("", os_type="windows"),
        capture=Capture(
            family="windows",
            crash_dump_enabled=capture.get("crash_dump_enabled"),
            pagefile=capture.get("pagefile"),
        ),
    )
