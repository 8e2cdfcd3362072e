"""Did Windows stop with a blue screen, and with which code?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..findings import Finding, Severity
from ..readers import bugchecks
from ..readers.windows_boots import Boot, History
from ..readers.windows_events import Event
from ..readers.windows_record import whole
from ..readers.windows_state import WindowsDump
from ..wording import Text
from ..wording import say as _
from . import windows_claims as claims
from .registry import analyzer

WEIGHT = 100
# "0x0000009f (0x3, 0x0, ...)": in every language, in the event's first insert and in its message.
BRACKETED = re.compile(r"\b0x([0-9a-f]{1,16})\s*\(([^()]*)", re.I)
HEX = re.compile(r"0x([0-9a-f]{1,16})", re.I)
CODE_IN_MESSAGE = re.compile(r"BugcheckCode\W{1,4}(0x[0-9a-f]+|\d+)", re.I)
STACKED = re.compile(r"#BugCheckCode\s+0x([0-9a-f]{1,16})", re.I)
DRIVER = re.compile(r"\b([\w.-]+\.sys)\b", re.I)
SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Told:
    """What one source says: 1001, 41, a dump's header, DumpStack.log, 1076; in this order."""

    source: str
    code: int
    parameters: tuple[int, ...] = ()
    event: Event | None = None
    line: str = ""


@analyzer("windows_boot", "windows_dumps", "windows_record")
def bugcheck(
    boot: Boot, dumps: Sequence[WindowsDump], record: Mapping[str, object]
) -> Iterator[Finding]:
    """A blue screen before this boot, by whatever source names it."""
    told, proof = list(sources(boot, dumps, record)), traces(boot)
    if not told and proof:
        title = _("Windows stopped with a bugcheck; no record names its code")
        yield claims.claim("windows.bugcheck", title, proof[0], "bugcheck", WEIGHT)
    if not told:
        return
    best = told[0]
    named = bugchecks.named(best.code, best.parameters[0] if best.parameters else None)
    yield claims.claim(
        "windows.bugcheck",
        _("Windows stopped with bugcheck %(name)s", name=named.title),
        best.event,
        "bugcheck",
        WEIGHT,
        bugcheck_code=named.code,
        name=named.name,
        meaning=named.meaning,
        category=named.category,
        hint=named.hint,
        parameters=tuple(f"0x{value:X}" for value in best.parameters),
        told_by=best.source,
        driver=driver(boot),
    )
    for other in told[1:]:
        if bugchecks.plain(other.code) != bugchecks.plain(best.code):
            title = _(
                "%(source)s names %(code)s, %(best)s names %(named)s",
                source=other.source,
                code=f"0x{other.code:X}",
                best=best.source,
                named=named.code,
            )
            yield claims.context("windows.bugcheck.contradiction", title, other.event)


@analyzer("windows_since", "windows_history")
def remembered(since: Sequence[Event], history: History) -> Iterator[Finding]:
    """No boot is on record, but a person's words at a logon quote the blue screen."""
    for event in reversed(() if history.boots else since):
        if (event.source, event.id) == ("user32", 1076) and (told := by_1076(event)):
            named = bugchecks.named(told.code)
            title = _("A person recorded bugcheck %(name)s", name=named.title)
            facts = {"bugcheck_code": named.code, "name": named.name, "told_by": told.source}
            yield claims.claim("windows.bugcheck.told", title, event, "bugcheck", WEIGHT, **facts)
            return


def traces(boot: Boot) -> list[Event]:
    """Events that only a blue screen leaves, with or without its code."""
    return [*boot.said("bugcheck", 1001), *boot.said("volmgr", 161, 162)]


def sources(
    boot: Boot, dumps: Sequence[WindowsDump], record: Mapping[str, object]
) -> Iterator[Told]:
    """Every source that names a code for this boot, the most trustworthy first."""
    yield from (told for event in boot.said("bugcheck", 1001) if (told := by_1001(event)))
    yield from (told for event in boot.said("kernel-power", 41) if (told := by_41(event)))
    for dump in dumps:
        if dump.header and dump.header.code is not None and belongs(dump, boot):
            yield Told(dump.path, dump.header.code, dump.header.parameters)
    stacked = STACKED.search(str(record.get("dump_stack") or ""))
    if stacked and boot.said("volmgr", 161, 162):
        # The file keeps the last stop for good: it speaks of this boot only beside its traces.
        yield Told("DumpStack.log", int(stacked[1], 16))
    yield from (told for event in boot.said("user32", 1076) if (told := by_1076(event)))


def by_1001(event: Event) -> Told | None:
    text = event.text("param1", 0) or event.message
    found = BRACKETED.search(text) or BRACKETED.search(event.message) or HEX.search(text)
    if not found:
        return None
    listed = found[2] if found.re is BRACKETED else ""
    parameters = tuple(int(value, 16) for value in HEX.findall(listed))
    return Told("event 1001", int(found[1], 16), parameters, event)


def by_41(event: Event) -> Told | None:
    code = code_of_41(event)
    if not code:
        return None
    raw = [event.number(f"BugcheckParameter{n}") for n in range(1, 5)]
    return Told("event 41", code, tuple(value for value in raw if value is not None), event)


def code_of_41(event: Event) -> int | None:
    """The BugcheckCode, which is decimal here; None if the event does not carry one."""
    value = event.number("BugcheckCode")
    if value is None and (found := CODE_IN_MESSAGE.search(event.message)):
        value = whole(found[1])
    return value if value is None else value & 0xFFFFFFFF


def by_1076(event: Event) -> Told | None:
    """A person's words at the next logon may quote the blue screen."""
    text = event.text("param4", 3) or event.message
    found = BRACKETED.search(text)
    return Told("event 1076", int(found[1], 16), (), event) if found else None


def belongs(dump: WindowsDump, boot: Boot) -> bool:
    """Was this dump made by the stop before this boot? An older one proves nothing about it."""
    crashed = dump.header.crashed_at if dump.header else None
    if crashed is None or boot.at is None or dump.kind == "live":
        return False
    return (boot.previous is None or crashed > boot.previous) and (
        boot.at - timedelta(days=2) < crashed < boot.at + SLACK
    )


def driver(boot: Boot) -> str | None:
    """The driver that newer versions of Windows suspect, in event 1019."""
    for event in boot.said("bugcheck", 1019):
        if found := DRIVER.search(event.message or " ".join(map(str, event.data.values()))):
            return found[1].lower()
    return None


@analyzer("windows_boot", "windows_state", "windows_dumps")
def dump(boot: Boot, state, dumps: Sequence[WindowsDump]) -> Iterator[Finding]:
    """What became of the dump, if there was a blue screen before this boot."""
    events = boot.said("bugcheck", 1001)
    if not (
        events or boot.said("volmgr", 161, 162) or any(map(by_41, boot.said("kernel-power", 41)))
    ):
        return
    yield outcome(boot, state, dumps, events)


def outcome(boot: Boot, state, dumps: Sequence[WindowsDump], events: list[Event]) -> Finding:
    failed = failure(boot, events)
    path = next((found for event in events if (found := named_path(event))), "")
    here = next((one for one in dumps if belongs(one, boot) or fresh(one, path, boot)), None)
    written = next(iter(boot.said("volmgr", 162)), None)
    if here and not failed:
        title = _("A dump of this crash is in %(path)s", path=here.path)
        return told("saved", title, written or events[:1], path)
    if failed:
        return told("failed", _("Windows could not write a dump of this crash"), failed, path)
    if state.dump_enabled == 0:
        return told("not configured", _("Crash dumps are switched off"), events[:1], path)
    if path and state.minidumps is not None:
        title = _("The record names %(path)s, which is not there", path=path)
        return told("missing", title, events[:1], path)
    if written or path:
        return told("saved", _("Windows says that it wrote a dump"), written or events[:1], path)
    if state.page_file_fits is False:
        title = _("No dump: the system drive has no page file that it could go through")
        return told("failed", title, events[:1], path)
    return told(None, _("Nothing tells what became of the dump"), events[:1], path)


def told(result: str | None, title: Text, proof: Event | list[Event] | None, path: str) -> Finding:
    event = proof[0] if isinstance(proof, list) and proof else proof or None
    severity = Severity.GOOD if result == "saved" else Severity.WARNING
    event = event if isinstance(event, Event) else None
    return claims.context("windows.dump", title, event, severity, dump=result, path=path or None)


def failure(boot: Boot, events: list[Event]) -> Event | None:
    """volmgr 161 and BugCheck 1005 say so; so do a 1001 without report, a 46 or a 49 beside it."""
    sure = [*boot.said("volmgr", 161), *boot.said("bugcheck", 1005)]
    if sure:
        return sure[0]
    if boot.said("volmgr", 162):
        return None
    return next(iter(boot.said("volmgr", 46, 49)), None)


PATH = re.compile(r"[A-Za-z]:\\[^\r\n\"'<>|]*?\.dmp", re.I)


def named_path(event: Event) -> str:
    found = PATH.search(event.text("param2", 1)) or PATH.search(event.message)
    return found[0] if found else ""


def fresh(dump: WindowsDump, path: str, boot: Boot) -> bool:
    """The file that the record names, not older than the boot (it is written by then)."""
    if dump.path.lower() != path.lower():
        return False
    return dump.modified is None or boot.at is None or dump.modified > boot.at - timedelta(hours=1)
