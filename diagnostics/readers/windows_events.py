"""Windows events with their traps removed: who wrote it, what it says, when, in record order.

Takes events as a record holds them: {"time", "id", "provider", "channel", "record_id", "data"} and,
where a person pasted them, "message" instead of "data".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .windows_record import whole

# One source, several names over the years and over the tools that print them.
SOURCES = {
    "bugcheck": "bugcheck",
    "save dump": "bugcheck",
    "wer-systemerrorreporting": "bugcheck",
    "microsoft-windows-wer-systemerrorreporting": "bugcheck",
    "user32": "user32",
    "eventlog": "eventlog",
    "volmgr": "volmgr",
    "application error": "application error",
    "application hang": "application hang",
}
PREFIX = "microsoft-windows-"
BEGINNING = datetime.min.replace(tzinfo=UTC)
INSERT = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Event:
    """`source` is the provider in lower case without "microsoft-windows-"; `at` is aware, and
    `zoned` is false where the record gave no zone (then it is the machine's local time)."""

    index: int
    id: int
    source: str
    provider: str
    channel: str
    at: datetime | None
    zoned: bool
    record_id: int | None
    data: Mapping[str, object]
    message: str
    time: str = field(default="", compare=False)

    def text(self, name: str, place: int | None = None) -> str:
        """A field by its name, or by its place where the source is a classic one; "" if absent."""
        value = self.data.get(name)
        if value is None and place is not None:
            listed = self.values
            value = listed[place] if place < len(listed) else None
        return "" if value is None else str(value)

    def number(self, name: str) -> int | None:
        return whole(self.data.get(name))

    @property
    def values(self) -> list[str]:
        """Unnamed fields; from a message that could not be rendered, its quoted inserts."""
        listed = self.data.get("Data")
        if isinstance(listed, list):
            return ["" if value is None else str(value) for value in listed]
        if "cannot be found" in self.message:
            return INSERT.findall(self.message.partition("part of the event")[2])
        return [] if listed is None else [str(listed)]

    @property
    def line(self) -> str:
        """The event on one line, as it is quoted."""
        said = self.message or ", ".join(f"{name}={value}" for name, value in self.data.items())
        said = re.sub(r"\s+", " ", said).strip()
        head = f"{self.time} {self.provider} {self.id}".strip()
        return f"{head}: {said}"[:600] if said else head


def ordered(events: Iterable[object]) -> list[Event]:
    """Events oldest first, those of the Application log behind the others.

    By record id where all have one; else by time where all have one, for what a person pasted may
    stand newest first; else as they stand.
    """
    read = [one for index, raw in enumerate(events) if (one := event(index, raw))]
    system = [one for one in read if one.channel.lower() != "application"]
    if all(one.record_id is not None for one in system):
        system.sort(key=lambda one: one.record_id or 0)
    elif all(one.at for one in system):
        system.sort(key=lambda one: one.at or BEGINNING)
    return system + [one for one in read if one.channel.lower() == "application"]


def event(index: int, raw: object) -> Event | None:
    if not isinstance(raw, Mapping) or (id := whole(raw.get("id"))) is None:
        return None
    provider = str(raw.get("provider") or "")
    low = provider.strip().lower()
    time = raw.get("time")
    data = raw.get("data")
    return Event(
        index=index,
        id=id & 0xFFFF,
        source=SOURCES.get(low, low.removeprefix(PREFIX)),
        provider=provider,
        channel=str(raw.get("channel") or "System"),
        at=moment(time),
        zoned=isinstance(time, str) and bool(re.search(r"(Z|[+-]\d\d:?\d\d)$", time.strip())),
        record_id=whole(raw.get("record_id")),
        data=data if isinstance(data, Mapping) else {},
        message=str(raw.get("message") or ""),
        time=str(time or ""),
    )


def moment(value: object) -> datetime | None:
    """An ISO 8601 time, aware; one without a zone is taken as UTC. None if it is none."""
    if not isinstance(value, str):
        return None
    text = re.sub(r"(\.\d{6})\d+", r"\1", value.strip()).replace("Z", "+00:00")
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
