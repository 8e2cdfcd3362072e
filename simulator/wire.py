"""What travels: the request as it came, and its flattened parameters put together again."""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import parse_qsl

from simulator.errors import Refusal, invalid, missing

WHOLE = re.compile(r"-?[0-9]{1,18}")
LONGEST_LIST = 16_384  # characters of a list sent as one string


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""

    @cached_property
    def query_pairs(self) -> list[tuple[str, str]]:
        """The decoded query, in the order it came."""
        return parse_qsl(self.query, keep_blank_values=True)

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """The query, and a form in the body where there is one."""
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            form = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
            return self.query_pairs + form
        return self.query_pairs


@dataclass
class Reply:
    """What goes back: a status, a body, and headers beside the usual ones."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=utf-8"

    @classmethod
    def json(cls, status: int, value: object, headers: dict[str, str] | None = None) -> Reply:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return cls(status, text.encode("utf-8", "replace"), headers or {})


class Parameters:
    """The call's parameters by name: `InstanceId.1`, `Tag.1.Key` and the like regrouped."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.values = dict(pairs)

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, default)

    def required(self, name: str, *, status: int = 400) -> str:
        if value := self.values.get(name):
            return value
        raise missing(name, status=status)

    def integer(self, name: str, default: int | None = None) -> int | None:
        value = self.values.get(name, "")
        if value == "":
            return default
        if not WHOLE.fullmatch(value):
            raise invalid(name, f"a whole number is needed, not {value[:40]!r}")
        return int(value)

    def flag(self, name: str) -> bool:
        """A boolean; the SDK writes `True`, others write `true`."""
        value = self.values.get(name, "").lower()
        if value in ("", "false"):
            return False
        if value == "true":
            return True
        raise invalid(name, "true or false is needed")

    def listed(self, name: str) -> list[str]:
        """`Name.1`, `Name.2` ... in the order of their numbers."""
        found = {}
        for key, value in self.values.items():
            head, _, number = key.rpartition(".")
            if head == name and number.isdecimal():
                found[int(number)] = value
        return [found[number] for number in sorted(found)]

    def structures(self, name: str) -> list[dict[str, str]]:
        """`Name.1.Key`, `Name.1.Value` ... as one dictionary a number."""
        found: dict[int, dict[str, str]] = {}
        for key, value in self.values.items():
            parts = key.split(".")
            if len(parts) == 3 and parts[0] == name and parts[1].isdecimal():
                found.setdefault(int(parts[1]), {})[parts[2]] = value
        return [found[number] for number in sorted(found)]

    def json_list(self, name: str, most: int = 100) -> list[str] | None:
        """A list in one string: JSON, or as Python prints it (single quotes); None if absent."""
        value = self.values.get(name, "")
        if not value:
            return None
        rows = _loaded(value)
        if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
            raise invalid(name, "a JSON array of strings is needed")
        if len(rows) > most:
            raise invalid(name, f"at most {most} are allowed")
        return rows

    def moment(self, name: str) -> datetime | None:
        """A UTC time with or without seconds."""
        value = self.values.get(name, "")
        if not value:
            return None
        for pattern in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ"):
            try:
                return datetime.strptime(value, pattern).replace(tzinfo=UTC)
            except ValueError:
                continue
        raise Refusal(403, "InvalidParameter", f"{name} must be like 2026-01-31T02:30:00Z.")


def _loaded(value: str) -> object:
    """JSON first; then a plain Python literal, which is what str(list) makes; else None."""
    for read in (json.loads, literal_eval):
        try:
            return read(value[:LONGEST_LIST])
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return None


def seconds(moment: datetime | None) -> str:
    """The usual time of this API; empty where there is none."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z" if moment else ""


def minutes(moment: datetime | None) -> str:
    """Times of instances carry no seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") if moment else ""
