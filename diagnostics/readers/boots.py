"""The boots of one text, and which of them went down last.

A kernel that starts tells that another went down before it, if the text holds lines of that other:
lines with later stamps, or of an earlier time. What a boot loader or a syslog daemon prints while
the same machine comes up is not an earlier boot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from .events import DEADLY, Event
from .lines import Line

KEPT_EVENTS = 600
KEPT_BODIES = 100
KEPT_BOOTS = 50
SAME_START = 80  # lines between two marks of one and the same start
PAUSE = timedelta(seconds=3)  # no machine comes up again in less
SECONDS = re.compile(r"\((\d{9,10})\)")
OLDEST = 1_000_000_000  # a clock that was never set tells an earlier time
AT_THE_END = timedelta(minutes=10)
FEW = 60  # lines: a logger that stops is the end only if hardly anything follows
LAUNCHING = re.compile(r"(?i)qemu|kvm|virsh|lava|ipxe|grub|boot|spawn|bios|console|[$#] \S")


@dataclass(slots=True)
class Boot:
    start: Event | None = None  # the mark it began with, if the text holds it
    events: list[Event] = field(default_factory=list)
    last: Line | None = None  # the last line before the next start, where one is
    followed: bool = False  # another boot stands behind it: it did go down
    captured: Event | None = None  # the crash kernel that came up after it, if one did

    def add(self, event: Event) -> None:
        if len(self.events) >= KEPT_BODIES:
            del event.body[40:]
        if len(self.events) >= KEPT_EVENTS:
            del self.events[KEPT_EVENTS // 2]
        self.events.append(event)

    def shrink(self) -> None:
        """An old boot is only history: keep little of it."""
        self.events = [event for event in self.events if event.family in DEADLY][:5]

    def of(self, *families: str) -> list[Event]:
        return [event for event in self.events if event.family in families]

    @property
    def died(self) -> bool:
        return any(event.family in DEADLY for event in self.events)

    @property
    def began(self) -> datetime | None:
        """When it started, by the real-time clock that the kernel read then."""
        for event in self.of("clock"):
            found = SECONDS.search(event.text)
            if found and event.line.stamp is not None and int(found[1]) > OLDEST:
                return datetime.fromtimestamp(int(found[1]) - event.line.stamp, UTC)
        return None

    def ends(self) -> list[Event]:
        """Marks of an orderly end that stand at the end, not in the middle of its life."""
        return [event for event in self.of("end") if self._at_the_end(event)]

    def _at_the_end(self, event: Event) -> bool:
        last = self.last
        if last is None:
            return True
        if event.name == "stopping" and last.number - event.line.number > FEW:
            return False
        if last.at and event.line.at and bool(last.at.tzinfo) == bool(event.line.at.tzinfo):
            return abs(last.at - event.line.at) <= AT_THE_END
        if last.stamp is not None and event.line.stamp is not None:
            return last.stamp - event.line.stamp <= AT_THE_END.total_seconds()
        return True


@dataclass(slots=True)
class Story:
    boots: list[Boot]
    last: Line | None = None  # the text's last line

    @property
    def down(self) -> Boot:
        """The boot that went down last; the only one, if none is known to have gone down."""
        final = self.boots[-1]
        if len(self.boots) == 1 or final.died or final.captured:
            return final
        if final.ends() or final.of("sysrq"):
            return final
        return self.boots[-2]

    def when(self, line: Line) -> datetime | None:
        """When a line of the boot that went down was printed, by its own clock; else when the
        next boot began, before which it was."""
        if self.down.began and line.stamp is not None:
            return self.down.began + timedelta(seconds=line.stamp)
        return self.up.began if self.up else None

    @property
    def up(self) -> Boot | None:
        """The boot that stands after it and goes on."""
        return self.boots[-1] if self.down is not self.boots[-1] else None


def split(events: Iterable[Event]) -> Story:
    boots = [Boot()]
    story = Story(boots)
    for event in events:
        if event.family == "text":
            story.last = event.line
            boots[-1].last = event.line
        elif event.family == "boot":
            _start(boots, event)
        elif event.family == "capture":
            _capture(boots, event)
        elif not boots[-1].captured:
            boots[-1].add(event)
    return story


def _start(boots: list[Boot], mark: Event) -> None:
    current = boots[-1]
    if not current.captured and _same_start(current, mark):
        return
    alive = [line for line in _numbered(mark) if _of_an_earlier_life(line, mark)]
    unmarked = current.start is None and not any(e.line.marked for e in current.events)
    if not alive and unmarked and not current.captured:
        current.start, current.events = mark, []
        return
    if not alive and mark.code != "boot.kernel":
        return
    current.followed, current.last = True, alive[-1] if alive else None
    boots.append(Boot(start=mark))
    if len(boots) > 4:
        boots[-4].shrink()
    if len(boots) > KEPT_BOOTS:
        del boots[0]


def _capture(boots: list[Boot], event: Event) -> None:
    """The crash kernel's boot belongs to the one that crashed: what it says, its restart too,
    tells nothing of an orderly end."""
    if boots[-1].captured:
        return
    start = boots[-1].start
    if len(boots) > 1 and start and event.line.number - start.line.number < SAME_START:
        del boots[-1]
    boots[-1].captured, boots[-1].followed = event, True


def _numbered(mark: Event) -> list[Line]:
    """The lines above with their numbers, which count from the mark upwards."""
    first = mark.line.number - len(mark.before)
    return [replace(line, number=first + n) for n, line in enumerate(mark.before)]


def _same_start(boot: Boot, mark: Event) -> bool:
    start = boot.start
    near = start is not None and mark.line.number - start.line.number < SAME_START
    return (
        near
        and not boot.events
        and (mark.code != start.code or "Booting" in mark.text + start.text)
    )


def _of_an_earlier_life(line: Line, mark: Event) -> bool:
    start = mark.line
    if mark.code == "boot.journal":
        return line.marked
    if mark.text.startswith("SeaBIOS") and line.text.strip() and not LAUNCHING.search(line.text):
        return True
    if line.at and start.at and bool(line.at.tzinfo) == bool(start.at.tzinfo):
        return abs(start.at - line.at) >= PAUSE
    return line.stamp is not None and line.stamp > (start.stamp or 0) + 1
