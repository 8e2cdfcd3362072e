"""Steps 3A to 5 of a Linux report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from diagnostics.conclusions.advice import FAMILY_NAMES, steps_for
from diagnostics.report import fixed
from diagnostics.report.blocks import Bullets, Code, Facts, Lines, Section
from diagnostics.report.source import Source
from diagnostics.speech import spoken, spoken_lines
from diagnostics.wording import say as _

BY_HAND = """\
last -x -F | head -n 40
journalctl --list-boots --no-pager
journalctl -b -1 -n 200 --no-pager
grep -iE 'panic|oops|out of memory|lockup|shutdown|reboot' /var/log/messages /var/log/syslog
dmesg -T | tail -n 200
ls -l /var/crash /var/crash/*
tail -n 200 /var/crash/*/vmcore-dmesg.txt /var/crash/*/dmesg.*
cat /proc/cmdline; sysctl vm.panic_on_oom kernel.panic; systemctl status kdump kdump-tools"""


def sections(source: Source) -> Iterator[Section]:
    yield Section(
        3,
        "Step 3A: Linux System Diagnosis",
        (
            fixed.agent(source),
            fixed.guest_findings(source),
            _kdump(source),
            _oom(source),
            *_dumps(source),
            *fixed.alternatives(source, BY_HAND, "VNC, SSH"),
        ),
    )
    yield Section(3, "Step 4A: vmcore-dmesg.txt Analysis", tuple(_panic(source)))
    yield Section(3, "Step 5: Kdump Configuration Recommendation", tuple(_recommend(source)))


def _missing(source: Source, label: str) -> Lines:
    return Lines(label, fixed.guest_missing(source))


def _why(source: Source, name: str) -> str:
    """Why the machine did not tell this value."""
    reason = (source.state.get("reasons") or {}).get(name) or _("it did not tell")
    return source.say("The machine could not be asked: %(why)s", why=reason)


def _kdump(source: Source) -> Lines | Facts:
    label = "Kdump Configuration Status"
    if not source.state:
        return _missing(source, label)
    kdump = source.state["kdump"]
    kind = kdump["service"]
    if kind == "none":
        kind = source.say("neither kdump nor kdump-tools is installed")
    return Facts(
        (
            ("Service Status", _service(source, kdump)),
            ("Service Type", kind or _why(source, "service")),
            ("Crash Dump Path", _path(source, kdump)),
        ),
        label,
    )


def _service(source: Source, kdump: dict) -> str:
    if kdump["service"] == "none":
        return source.say("not installed")
    words = [kdump["active"] or _why(source, "active")]
    if kdump["loaded"] is True:
        words.append(source.say("a crash kernel is loaded"))
    elif kdump["loaded"] is False:
        words.append(source.say("no crash kernel is loaded, so nothing would be captured"))
    return "; ".join(words)


def _path(source: Source, kdump: dict) -> str:
    path = kdump["core_path"]
    if not path:
        return source.say("none is configured")
    if kdump["space_free_kb"] is None:
        return path
    free = kdump["space_free_kb"] // 1024
    return source.say("%(path)s (%(free)s MiB free)", path=path, free=free)


OOM_MEANS = {
    0: _("vm.panic_on_oom = 0: when memory runs out a process is killed, the system stays up."),
    1: _(
        "vm.panic_on_oom = 1: when memory runs out the kernel panics (unless only one limited group"
        " of processes ran out)."
    ),
    2: _("vm.panic_on_oom = 2: when memory runs out the kernel always panics."),
}


def _oom(source: Source) -> Lines:
    label = "OOM Panic Configuration"
    if not source.state:
        return _missing(source, label)
    value = source.state["panic_on_oom"]
    if value in OOM_MEANS:
        return Lines(label, (spoken(OOM_MEANS[value], source.case.zone),))
    return Lines(label, (_why(source, "panic_on_oom"),))


def _dumps(source: Source) -> tuple[Lines | Facts, ...]:
    label = "Crash Dump File Check"
    if not source.state:
        return (_missing(source, label),)
    dumps = source.state["dumps"]
    if dumps is None:
        return (Lines(label, (_why(source, "dumps"),)),)
    if not dumps:
        path = source.state["kdump"]["core_path"] or "/var/crash"
        return (Lines(label, (source.say("Found: no. %(path)s holds no dump.", path=path),)),)
    newest = dumps[0]
    kinds = {"vmcore": "vmcore", "dump": "dump.* + dmesg.*"}
    return (
        Facts(
            (
                ("Found", source.say("yes, %(count)s", count=len(dumps))),
                ("Type", kinds.get(newest["type"], newest["type"])),
                ("Latest", _dump(source, newest)),
                ("Of this incident", _of_incident(source, newest["at"])),
                ("Panic Reason", _reason(source)),
            ),
            label,
        ),
    )


def _dump(source: Source, dump: dict) -> str:
    return source.say(
        "%(path)s, %(size)s bytes, %(at)s", path=dump["path"], size=dump["size"], at=dump["at"]
    )


def _of_incident(source: Source, at: datetime) -> str:
    start, end = source.conclusion["window_start"], source.conclusion["window_end"]
    if start is None or start <= at <= end:
        return source.say("yes")
    return source.say("no, it was written at another time")


def _reason(source: Source) -> str:
    analysis = source.analysis
    if analysis and analysis["reason"]:
        return spoken(analysis["reason"], source.case.zone)
    if analysis and analysis["verdict"]["kind"] == "kernel_panic":
        return source.say("the panic line itself was not kept")
    return source.say("none: the records show no panic")


def _panic(source: Source) -> Iterator[Lines | Code]:
    analysis = source.analysis
    if source.conclusion["ends_search"]:
        yield Lines(
            "Panic Reason",
            (source.say("Not run: the platform event already explains the reboot."),),
        )
        return
    if not analysis or analysis["verdict"]["kind"] not in ("kernel_panic", "hang"):
        why = fixed.guest_missing(source) if analysis is None else ()
        line = source.say("Nothing to analyse: the records that were read show no panic.")
        yield Lines("Panic Reason", why or (line,))
        return
    yield Lines("Panic Reason", (_reason(source),))
    yield Lines("Crash Location", (_location(source, analysis),))
    if analysis["call_trace"]:
        yield Code("Call Stack", "\n".join(str(frame) for frame in analysis["call_trace"][:16]))
    else:
        yield Lines("Call Stack", (source.say("No call stack was kept."),))
    yield Lines("Read From", (_read_from(source),))


def _location(source: Source, analysis: dict) -> str:
    function, module = analysis["verdict"]["function"], analysis["module"]
    if function and analysis["verdict"]["subkind"] == "hung_task":
        return source.say("The blocked task waited in %(function)s", function=function)
    if function and module:
        return source.say(
            "RIP in %(function)s, module %(module)s", function=function, module=module
        )
    if function:
        return source.say("RIP in %(function)s, in the kernel itself", function=function)
    return source.say("The record names no function.")


def _read_from(source: Source) -> str:
    report = (source.state or {}).get("crash_report")
    if report:
        return report
    brought = next((f.evidence for f in source.findings if f.evidence), None)
    if brought and brought.by_hand:
        return source.say("%(name)s, handed in by a person", name=brought.file_name)
    if source.conclusion["origin"] == "console":
        return source.say("the serial console (GetInstanceConsoleOutput); no vmcore-dmesg.txt")
    return source.say("the kernel's lines in the guest's logs; no vmcore-dmesg.txt was there")


def _recommend(source: Source) -> Iterator[Lines | Bullets]:
    if source.conclusion["ends_search"]:
        line = source.say("Not run: the platform event already explains the reboot.")
        yield Lines("Current Kdump Status", (line,))
        return
    state, capture = source.state, source.judgement.get("capture") or {}
    if not state:
        yield _missing(source, "Current Kdump Status")
    else:
        yield Lines("Current Kdump Status", (_current(source, state["kdump"]),))
    yield Lines(
        "Why Kdump is Needed",
        (
            source.say(
                "Without it a kernel crash leaves no memory image, and often not even its last"
                " lines: the cause of the next crash could not be found."
            ),
        ),
    )
    if capture.get("armed"):
        line = source.say("None needed: a crash would be captured now.")
        yield Lines("Configuration Steps", (line,))
        return
    family = capture.get("family", "other")
    yield Lines(
        f"Configuration Steps for {FAMILY_NAMES.get(family, FAMILY_NAMES['other'])}",
        tuple(spoken_lines(steps_for(family), source.case.zone)),
    )


def _current(source: Source, kdump: dict) -> str:
    reserved = kdump["crashkernel"]
    if reserved is None:
        kernel = _why(source, "crashkernel")
    elif reserved:
        kernel = source.say("crashkernel=%(value)s in /proc/cmdline", value=reserved)
    else:
        kernel = source.say("no crashkernel= in /proc/cmdline")
    config = kdump["config_path"] or source.say("no configuration file")
    return f"{_service(source, kdump)}; {kernel}; {config}"
