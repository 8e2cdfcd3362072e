"""Windows events told as boots: what stands before each, what came with it, what followed.

Windows writes about a crash at the next boot, and writes the last words of an orderly stop after
that boot's first ones. So records are grouped by their neighbourhood, and times decide only inside
a group; the clock of an early boot can be off by hours, or by years in a cloned image.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .windows_events import Event

NEAR = timedelta(minutes=15)
AFTERMATH = timedelta(minutes=10)
NEIGHBOURS = 60  # records: so close they are of one boot although an early clock was off...
ZONES = timedelta(hours=26)  # ...by as much as a time zone

# What is written once at each boot (the last three only after a crash).
MARKS = {
    ("kernel-general", 12): "start",
    ("eventlog", 6009): "version",
    ("eventlog", 6005): "log",
    ("eventlog", 6008): "unexpected",
    ("kernel-boot", 20): "last shutdown",
    ("kernel-power", 41): "unclean",
    ("bugcheck", 1001): "bugcheck",
    ("volmgr", 161): "dump failed",
    ("volmgr", 162): "dump written",
}
STOPS = {("kernel-power", 109), ("kernel-general", 13)}  # written late, after the next boot began
LATER = {("user32", 1076), ("bugcheck", 1005), ("bugcheck", 1018), ("bugcheck", 1019)}


@dataclass(slots=True)
class Boot:
    """One start of Windows. `marks` by name, `before` is what was said since the boot before it,
    `after` what was said in the minutes after. `at` is when it started, as far as that is known."""

    marks: dict[str, Event] = field(default_factory=dict)
    before: list[Event] = field(default_factory=list)
    after: list[Event] = field(default_factory=list)
    previous: datetime | None = None

    @property
    def at(self) -> datetime | None:
        """The kernel's own start time, unless the log's start shows that its clock was off."""
        kernel, log = self.marks.get("start"), self.marks.get("log") or self.marks.get("version")
        if kernel and kernel.at and not (log and log.at and abs(log.at - kernel.at) > NEAR):
            return kernel.at
        order = (log, self.marks.get("unclean"), kernel, *self.marks.values())
        return next((mark.at for mark in order if mark and mark.at), None)

    @property
    def heartbeat(self) -> datetime | None:
        """When the machine was last known to live, by event 6008; up to 15 minutes stale."""
        unexpected = self.marks.get("unexpected")
        return last_heartbeat(unexpected, self.at) if unexpected else None

    @property
    def real(self) -> bool:
        """Not merely a resume, which writes of the kernel's start too."""
        good = self.marks.get("last shutdown")
        return set(self.marks) != {"last shutdown"} or bool(
            good and good.text("LastShutdownGood").lower() == "false"
        )

    def said(self, source: str, *ids: int) -> list[Event]:
        """Events of this boot and of the way down to it."""
        everything = [*self.before, *self.marks.values(), *self.after]
        return [event for event in everything if event.source == source and event.id in ids]

    @property
    def down_at(self) -> datetime | None:
        """When the machine went down: the last words of an orderly stop, or the heartbeat."""
        words = [event.at for event in self.before if (event.source, event.id) in LAST_WORDS]
        known = [at for at in words if at and (self.at is None or at <= self.at)]
        return self.heartbeat or (max(known) if known else None)


LAST_WORDS = STOPS | {("user32", 1074), ("eventlog", 6006)}


@dataclass(frozen=True, slots=True)
class History:
    """All boots of a record, oldest first, and what was said since the last one."""

    boots: tuple[Boot, ...]
    since: tuple[Event, ...]


def split(events: Iterable[Event]) -> History:
    """Events of the System log, oldest first, as boots."""
    boots: list[Boot] = []
    between: list[Event] = []
    for event in events:
        mark = MARKS.get((event.source, event.id))
        if mark and boots and _of_the_same_boot(boots[-1], event, mark):
            boots[-1].marks[mark] = event
        elif mark:
            boots.append(Boot({mark: event}, before=between))
            between = []
            continue
        if not mark and not (boots and _told_by(boots[-1], event)):
            between.append(event)
    return _without_resumes(boots, between)


def _without_resumes(boots: list[Boot], between: list[Event]) -> History:
    real: list[Boot] = []
    waiting: list[Event] = []
    for boot in boots:
        boot.before[:0] = waiting
        waiting = []
        if boot.real:
            boot.previous = real[-1].at if real else None
            real.append(boot)
        else:
            waiting = [*boot.before, *boot.marks.values(), *boot.after]
    return History(tuple(real), (*waiting, *between))


def _of_the_same_boot(boot: Boot, event: Event, mark: str) -> bool:
    if mark in boot.marks:
        return False
    times = [known.at for known in boot.marks.values() if known.at]
    if event.at is None or not times:
        return True
    ids = [known.record_id for known in boot.marks.values() if known.record_id is not None]
    neighbours = (
        bool(event.record_id is not None and ids) and event.record_id - max(ids) <= NEIGHBOURS
    )
    return min(abs(event.at - at) for at in times) <= (ZONES if neighbours else NEAR)


def _told_by(boot: Boot, event: Event) -> bool:
    """File a late word under the boot that it speaks of; False if it speaks of the next end."""
    key = (event.source, event.id)
    started = boot.at
    if key in STOPS and event.at and started and event.at < started:
        boot.before.append(event)
        return True
    if key in LATER or event.source in ("volmgr", "whea-logger"):
        near = event.at is None or started is None or abs(event.at - started) <= AFTERMATH
        if near or key == ("user32", 1076):
            boot.after.append(event)
        return True
    return False


def last_heartbeat(event: Event, booted: datetime | None) -> datetime | None:
    """The time inside a 6008: its binary form where there. The text is in local time, so it counts
    only beside events whose times are local too."""
    binary = _from_binary(event.text("Binary"))
    if binary or event.zoned:
        return binary
    text = event.message or " ".join(event.values[:2])
    for said in _from_text(text):
        near = booted is None or timedelta(days=-2) < booted - said < timedelta(days=400)
        if near:
            return said
    return None


def _from_binary(value: str) -> datetime | None:
    """Two SYSTEMTIME structures, the first local, the second UTC."""
    try:
        raw = bytes.fromhex(value)[16:32]
        year, month, _, day, hour, minute, second, milli = struct.unpack("<8H", raw)
        return datetime(year, month, day, hour, minute, second, milli * 1000, UTC)
    except (ValueError, struct.error):
        return None


CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})\s*([AaPp])?\.?([Mm])?")
DATE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})")
AFTERNOON = ("下午", "午後", "오후")
MARKS_OF_DIRECTION = dict.fromkeys([0x200E, 0x200F], None)


def _from_text(text: str) -> Iterator[datetime]:
    """Every reading of the local time and date in the text: both orders of day and month."""
    text = text.translate(MARKS_OF_DIRECTION)
    clock = CLOCK.search(text)
    date = DATE.search(text, clock.end()) or DATE.search(text) if clock else None
    if not clock or not date:
        return
    hour = int(clock[1])
    late = (clock[4] or "").lower() == "p" or any(word in text for word in AFTERNOON)
    early = (clock[4] or "").lower() == "a"
    hour = hour + 12 if late and hour < 12 else 0 if early and hour == 12 else hour
    one, two, three = (int(part) for part in date.groups())
    orders = [(one, two, three)] if one > 31 else [(three, one, two), (three, two, one)]
    for year, month, day in orders:
        try:
            yield datetime(year, month, day, hour, int(clock[2]), int(clock[3]), tzinfo=UTC)
        except ValueError:
            continue
