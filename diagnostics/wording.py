"""Sentences that are made in one place and spoken in another, in the reader's language.

Plain values, no Django. Modules that make sentences import `say as _`, so that the message is
found for translation; `diagnostics.speech` speaks them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Text:
    """A message with its parameters: plain values, times, or further sentences."""

    message: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % {name: _plain(value) for name, value in self.params.items()}


def say(message: str, /, **params: object) -> Text:
    """`message` with %(name)s parameters. A per cent sign of its own is written twice."""
    return Text(message, params)


def lasting(seconds: float) -> Text:
    """A length of time in days and hours, such as "1 day 3 hours"; minutes below an hour."""
    minutes = max(0, int(seconds)) // 60
    days, hours = minutes // 1440, minutes % 1440 // 60
    counted = ((days, DAY, DAYS), (hours, HOUR, HOURS))
    if not days and not hours:
        counted = ((minutes, MINUTE, MINUTES),)
    told = [one if n == 1 else Text(many.message, {"n": n}) for n, one, many in counted if n]
    told = told or [Text(MINUTES.message, {"n": 0})]
    return told[0] if len(told) == 1 else Text("%(a)s %(b)s", {"a": told[0], "b": told[1]})


DAY, DAYS = say("1 day"), say("%(n)s days")
HOUR, HOURS = say("1 hour"), say("%(n)s hours")
MINUTE, MINUTES = say("1 minute"), say("%(n)s minutes")


def quoted(words: str | Text) -> Text:
    """Words that came from outside (a machine, ECS, a person) and are not translated.

    A sentence of our own that stands in their place stays one."""
    if isinstance(words, Text):
        return words
    return Text("%(words)s", {"words": words})


def listed(parts: Iterable[str | Text]) -> Text:
    """Several in a row, each in the reader's language."""
    told = {f"part{number}": quoted(part) for number, part in enumerate(parts)}
    return Text("; ".join(f"%({name})s" for name in told), told)


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _plain(value: object) -> object:
    return stamp(value) if isinstance(value, datetime) else value


def clean(text: str) -> str:
    """Databases refuse NUL in text, and no encoder takes half a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def packed(value: object) -> object:
    """Sentences, times and dataclasses as JSON; `unpacked` turns sentences and times back."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Text):
        return {"say": value.message, "with": {k: packed(v) for k, v in value.params.items()}}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: packed(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, Mapping):
        return {clean(str(key)): packed(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [packed(each) for each in value]
    return value


def unpacked(value: object) -> object:
    if isinstance(value, list):
        return [unpacked(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"say", "with"}:
        return Text(value["say"], {k: unpacked(v) for k, v in value["with"].items()})
    if value.keys() == {"at"}:
        return datetime.fromisoformat(value["at"])
    return {key: unpacked(each) for key, each in value.items()}
