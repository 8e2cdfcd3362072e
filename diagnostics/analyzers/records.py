"""The texts of a bundle: which boot each tells of, and when what it tells happened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ..findings import Finding
from ..readers import boots, clock, events, lines
from ..readers.boots import Boot, Story
from ..readers.clock import Clock

# In the order in which the same thing is quoted from them.
PREVIOUS = ("vmcore_dmesg", "pstore", "journal_previous")
AROUND = ("console", "messages", "text")
PRESENT = ("dmesg", "journal_current")
KERNEL = (*PREVIOUS, *AROUND, *PRESENT)
PATH = re.compile(r"# (/.*)")
IN_PATH = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)-(\d\d):(\d\d):(\d\d)|/(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)\b"
)
STORED = re.compile(r"/pstore/(\d{10})(?:\d*)/")


@dataclass(frozen=True, slots=True)
class Record:
    """One kernel text of the bundle."""

    name: str
    story: Story
    at: datetime | None = None  # when its file was written, where it is a file

    @property
    def down(self) -> Boot:
        return self.story.down if self.name in AROUND else self.story.boots[-1]


def read(sections: Mapping[str, str], machine: Clock) -> list[Record]:
    found = []
    for name in KERNEL:
        text = sections.get(name, "")
        if text.strip():
            story = boots.split(events.read([text], name))
            record = Record(name, story, _written(name, text, sections, machine))
            if name in PREVIOUS:
                _ends_here(record)
            found.append(record)
    return found


def dated(finding: Finding, record: Record, machine: Clock) -> Finding:
    """The finding with the time of its line, as exactly as the record tells."""
    if finding.quote is None:
        return finding
    line = lines.read(finding.quote.text)
    at = machine.exact(line.at)
    if at is None and record.name in PRESENT:
        at = machine.since_boot(line.stamp)
    elif at is None:
        at = record.at or record.story.when(line)
    return replace(finding, quote=replace(finding.quote, at=at))


def _ends_here(record: Record) -> None:
    boot = record.story.boots[-1]
    boot.followed = True


def _written(name: str, text: str, sections: Mapping[str, str], machine: Clock) -> datetime | None:
    head = PATH.match(text)
    if head is None:
        return None
    path = head[1].strip()
    if found := STORED.search(path):
        return clock.epoch(found[1])
    folder = path.rpartition("/")[0] + "/"
    for row in sections.get("dumps", "").splitlines():
        when, _, rest = row.partition(" ")
        if folder in rest and name == "vmcore_dmesg":
            return clock.epoch(when)
    found = IN_PATH.search(path)
    numbers = [int(part) for part in found.groups() if part] if found else []
    try:
        return machine.exact(datetime(*numbers)) if numbers else None
    except ValueError:
        return None
