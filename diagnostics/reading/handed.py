"""What people handed in, put beside what the portal collected: the same readers, the same judges.

A text without a zone is the machine's local time, and nobody says which: the case's zone is tried
first, then those that machines of this cloud usually have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise

from diagnostics.analyzers import linux as linux_judge
from diagnostics.facts import Boot
from diagnostics.findings import Analysis, Confidence, Window
from diagnostics.readers import (
    bundle,
    dump_header,
    encodings,
    event_log,
    journal_export,
    kinds,
    windows_boots,
    windows_events,
    windows_print,
    windows_record,
)
from diagnostics.readers.bundle import Bundle
from diagnostics.reading import linux, pasted, windows
from diagnostics.reading.value import Reading, guarded
from diagnostics.wording import Text
from diagnostics.wording import say as _

CHINA = timezone(timedelta(hours=8))
SAMPLE = 1 << 20  # bytes at either end in which a zone is looked for
TELLS_NOTHING = ("none", "undetermined")
SECTIONS = {
    kinds.VMCORE: "vmcore_dmesg",
    kinds.CONSOLE: "console",
    kinds.DMESG: "dmesg",
    kinds.JOURNAL: "messages",
    kinds.JOURNAL_PREVIOUS: "journal_previous",
    kinds.MESSAGES: "messages",
    kinds.TEXT: "text",
}


@dataclass(frozen=True, slots=True)
class Handed:
    """One piece: `name` of its evidence, `file` as the person called it, `at` when it came.
    `complete` is false where what it was packed in was cut off."""

    name: str
    kind: str
    file: str
    body: bytes
    at: datetime | None = None
    complete: bool = True


def read(
    pieces: Sequence[Handed],
    found: Bundle | None,
    os_type: str,
    console: Analysis | None,
    window: Window | None,
    zone: tzinfo,
) -> Reading:
    """The reading of what was handed in; `found` is what the script on the machine brought."""
    collected, used = found is not None, [p for p in pieces if p.kind != kinds.UNUSED]
    holder, brought = _bundle(pieces, os_type)
    if brought and (found is None or (brought.complete and not found.complete)):
        found = brought
    os = os_type or (found.os if found else "") or _system(pieces)
    base = found or Bundle(os, {}, True, ())
    of_system = _windows if os == "windows" else _linux
    reading = of_system(pieces, base, console, window, _zones(used, zone, window))
    if found is brought and brought:
        reading = replace(
            reading, origins=_of_the_bundle(reading, holder, brought) | reading.origins
        )
    unread = {p.name for p in _of(pieces, kinds.BUNDLE)} - {holder if found is brought else ""}
    return replace(
        reading,
        os=os,
        complete=reading.complete and all(piece.complete for piece in used),
        handed=tuple(piece.file for piece in used),
        by_hand_alone=not collected,
        scripted=found is not None,
        problems=(*reading.problems, *_left_aside(used, os, unread)),
    )


def _left_aside(used: Iterable[Handed], os: str, unread: set[str]) -> Iterator[Text]:
    strange = kinds.LINUX if os == "windows" else kinds.WINDOWS
    for piece in used:
        if piece.kind in strange:
            yield _(
                "%(file)s: not read, it is not of a %(os)s machine",
                file=piece.file,
                os=os.capitalize(),
            )
        elif piece.name in unread:
            yield _(
                "%(file)s: not read, it is cut, of another system, or there is a better one",
                file=piece.file,
            )
        elif not piece.complete:
            yield _("%(file)s: the packed file ends too early", file=piece.file)


def text(piece: Handed) -> str:
    if journal_export.looks_like(piece.body):
        return journal_export.read(piece.body)
    return encodings.decoded(piece.body).text.replace("\r\n", "\n")


def _bundle(pieces: Iterable[Handed], os: str) -> tuple[str, Bundle | None]:
    """The last output of the script on this system that can be read, and its evidence's name."""
    for piece in reversed(_of(pieces, kinds.BUNDLE)):
        brought = bundle.read(text(piece).encode())
        legible = any(told.strip() for told in brought.sections.values())
        if legible and (not os or not brought.os or os == brought.os):
            return piece.name, brought
    return "", None


def _of_the_bundle(reading: Reading, name: str, found: Bundle) -> dict[tuple[str, str], str]:
    quotes = [finding.quote for finding in reading.guest.findings] if reading.guest else []
    whole = found.os == "windows"
    return {
        (quote.source, quote.text): name
        for quote in quotes
        if quote and (whole or quote.text in found.sections.get(quote.source, ""))
    }


def _of(pieces: Iterable[Handed], *wanted: str) -> list[Handed]:
    return [piece for piece in pieces if piece.kind in wanted]


def _system(pieces: Sequence[Handed]) -> str:
    if _of(pieces, *kinds.WINDOWS) and not _of(pieces, *kinds.LINUX):
        return "windows"
    return "linux" if _of(pieces, *kinds.LINUX) and not _of(pieces, *kinds.WINDOWS) else ""


def _zones(pieces: Sequence[Handed], zone: tzinfo, window: Window | None) -> list[timezone]:
    """What a time without a zone may mean: what a line of any piece tells, else the case's zone
    and those that machines here usually have. Asked about no time in particular, one is enough."""
    for piece in _of(pieces, *SECTIONS, kinds.EVENTS):
        for part in (piece.body[:SAMPLE], piece.body[-SAMPLE:]):
            if told := pasted.zone(encodings.decoded(part).text):
                return [told]
    brought = max((piece.at for piece in pieces if piece.at), default=datetime.now(UTC))
    at = window.start if window else brought
    offsets = dict.fromkeys(at.astimezone(each).utcoffset() for each in (zone, UTC, CHINA))
    return [timezone(offset or timedelta()) for offset in offsets][: None if window else 1]


def _linux(
    pieces: Sequence[Handed],
    base: Bundle,
    console: Analysis | None,
    window: Window | None,
    zones: list[timezone],
) -> Reading:
    sections, sources = dict(base.sections), Sources()
    for piece in _of(pieces, *SECTIONS):
        section, told = SECTIONS[piece.kind], text(piece)
        sections[section] = f"{sections[section]}\n{told}" if sections.get(section) else told
        sources.add(section, piece.name, told)
        for table, rows in pasted.tables(told).items():
            sections[table] = f"{sections[table]}\n{rows}" if sections.get(table) else rows
            sources.add(table, piece.name, rows)
    if sections.get("system"):
        reading = linux.read(replace(base, sections=sections), console, window)
        return replace(reading, origins=sources.of(reading.guest))

    def judged(zone: timezone) -> Analysis:
        booted = pasted.boot(sections, zone)
        up = f"boot_time={booted.at.timestamp():.0f}" if booted else ""
        timed = {**sections, "system": f"timezone={_offset(zone)}\n{_now(pieces)}\n{up}"}
        return guarded("linux", lambda: linux_judge.judge(timed, window))

    guest, zone, problems = _tried(judged, zones)
    read = any(sections.values())
    return Reading(
        guest=guest if read else None,
        console=console,
        boot=pasted.boot(sections, zone),
        earlier_boots=pasted.earlier(sections, zone),
        complete=base.complete,
        problems=(*base.problems, *problems),
        origins=sources.of(guest),
    )


def _windows(
    pieces: Sequence[Handed],
    base: Bundle,
    console: Analysis | None,
    window: Window | None,
    zones: list[timezone],
) -> Reading:
    gaps = (
        []
        if base.sections
        else ["record: the collection script was not run, only logs were handed in"]
    )
    record = {**windows_record.read(base.sections), **({"gaps": gaps} if gaps else {})}
    logs = {piece: event_log.read(piece.body) for piece in _of(pieces, kinds.EVENT_LOG)}
    prints = {piece: windows_print.read(text(piece)) for piece in _of(pieces, kinds.EVENTS)}
    dumps = [_dump(piece) for piece in _of(pieces, kinds.DUMP)]
    if dumps:
        record["dumps"] = [*(record["dumps"] or ()), *dumps]
    known = [*record["events"], *(each for log in logs.values() for each in log.events)]

    def dated(zone: timezone) -> dict:
        printed = [_in_zone(each, zone) for found in prints.values() for each in found]
        return {**record, "events": _once([*known, *printed])}

    def judged(zone: timezone) -> Analysis:
        return windows.read_record(dated(zone), console, window).guest

    history = windows_boots.split(windows_events.ordered(known))
    guest, zone, notes = _tried(judged, zones if any(prints.values()) else zones[:1])
    reading = windows.read_record(dated(zone), console, window)
    booted = guest.details.get("booted_at") or guest.details.get("last_boot")
    problems = [
        _("%(file)s: %(what)s", file=piece.file, what=what)
        for piece, log in logs.items()
        for what in log.problems
    ]
    return replace(
        reading,
        guest=guest,
        boot=reading.boot or (Boot(booted, source="record") if booted else None),
        earlier_boots=() if reading.boot else _lives(history, booted),
        complete=base.complete and not any(log.lost for log in logs.values()),
        problems=(*base.problems, *problems, *notes),
        origins=_only_source(guest, [*logs, *prints]),
    )


def _lives(history: windows_boots.History, last: datetime | None) -> tuple[Window, ...]:
    """From when to when it was up, of each boot before the one at `last`."""
    boots = [boot for boot in history.boots if boot.at and last and boot.at <= last]
    lives = [(before.at, boot.down_at or boot.at) for before, boot in pairwise(boots)]
    return tuple(Window(start, end) for start, end in lives if start <= end)


def _dump(piece: Handed) -> dict[str, object]:
    header = dump_header.read(piece.body[: dump_header.NEEDED])
    kind = "minidump" if header.type == "small" else "memory"
    first = piece.body[: dump_header.NEEDED]
    return {"path": piece.file, "kind": kind, "size": len(piece.body), "first": first}


def _once(events: Iterable[dict]) -> list[dict]:
    """The same record of the same log counts once, however many files hold it."""
    found: dict[object, dict] = {}
    for number, event in enumerate(events):
        known = event.get("record_id")
        key = (event.get("channel"), known, event["id"]) if known is not None else number
        found.setdefault(key, event)
    return list(found.values())


def _in_zone(event: dict, zone: timezone) -> dict:
    try:
        at = datetime.fromisoformat(str(event.get("time")))
    except ValueError:
        return event
    return event if at.tzinfo else {**event, "time": at.replace(tzinfo=zone).isoformat()}


def _tried(
    judge: Callable[[timezone], Analysis], zones: list[timezone]
) -> tuple[Analysis, timezone, list[Text]]:
    """The first zone in which something happened in the window, else the first of all. What only
    another zone brings into the window is possible, and no more."""
    first = None
    for zone in zones:
        analysis = judge(zone)
        if not analysis.verdict.kind.startswith(TELLS_NOTHING):
            if first is None:
                return analysis, zone, []
            unsure = replace(analysis.verdict, confidence=Confidence.POSSIBLE)
            note = _(
                "times without a zone were read as %(zone)s, which is a guess", zone=_offset(zone)
            )
            return replace(analysis, verdict=unsure), zone, [note]
        first = first or analysis
    return first, zones[0], []


def _now(pieces: Iterable[Handed]) -> str:
    """System logs name no year: it is the last one that was not in the future then."""
    times = [piece.at for piece in pieces if piece.at]
    return f"now={max(times).timestamp():.0f}" if times else ""


def _offset(zone: timezone) -> str:
    return f"{datetime.now(zone):%z}"


class Sources:
    """Which piece a quoted line stands in."""

    def __init__(self) -> None:
        self.texts: dict[str, list[tuple[str, str]]] = {}

    def add(self, section: str, name: str, told: str) -> None:
        self.texts.setdefault(section, []).append((name, told))

    def of(self, analysis: Analysis | None) -> dict[tuple[str, str], str]:
        found = {}
        for finding in analysis.findings if analysis else ():
            quote = finding.quote
            texts = self.texts.get(quote.source, []) if quote else []
            holders = [name for name, told in texts if quote.text in told] or [
                name for name, _told in texts
            ]
            if holders:
                found[quote.source, quote.text] = holders[0]
        return found


def _only_source(analysis: Analysis, pieces: Sequence[Handed]) -> dict[tuple[str, str], str]:
    """Events carry no trace of their file; where there is one, it is that."""
    if len(pieces) != 1:
        return {}
    quotes = [finding.quote for finding in analysis.findings if finding.quote]
    return {(quote.source, quote.text): pieces[0].name for quote in quotes}
