"""Faults on demand: rules that bend a chosen part of the endpoint's behaviour.

A rule is a JSON object: `kind`, what it is limited to, and the kind's own arguments.
  limits     operation, region, instance (each a pattern with `*`), after (matches let pass first),
             count (times it strikes), probability with seed
  throttle   retry_after (ms; sends x-acs-retry-after), status (400), code (Throttling.User)
  error      status (503), code (ServiceUnavailable), message
  html       status (502): a gateway's page instead of JSON
  slow       seconds: answers late
  reset      the connection is reset before anything is done
  lost       the act is done, then the connection is reset: nobody hears of it
  shape      lists and objects change places in the answer
  empty      a listing has no rows
  silent     the agent hears of the script and never answers; seconds (60) until the row gives up
  output     mode truncate | corrupt | empty | dropped (with bytes): what the guest printed is bent
  no_return   a machine told to reboot or start never answers again; status (Running) or Starting
  same_boot   it says that it did, and was never down;   lost_agent   it is back without its agent
  late_return   seconds (60): it comes back that much later
  duplicate_events   each event comes twice;   late_events   seconds: events show up that much later
"""

from __future__ import annotations

import json
import logging
import random
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

log = logging.getLogger(__name__)

KINDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "throttle": {"retry_after": int, "status": int, "code": str},
    "error": {"status": int, "code": str, "message": str},
    "html": {"status": int},
    "slow": {"seconds": (int, float)},
    "reset": {},
    "lost": {},
    "shape": {},
    "empty": {},
    "silent": {"seconds": (int, float)},
    "output": {"mode": str, "bytes": int},
    "no_return": {"status": str},
    "same_boot": {},
    "late_return": {"seconds": (int, float)},
    "lost_agent": {},
    "duplicate_events": {},
    "late_events": {"seconds": (int, float)},
}
LIMITS: dict[str, type | tuple[type, ...]] = {
    "operation": str,
    "region": str,
    "instance": str,
    "after": int,
    "count": int,
    "probability": (int, float),
    "seed": int,
}
OUTPUT_MODES = ("truncate", "corrupt", "empty", "dropped")


class WrongRule(ValueError):
    """A rule that names something unknown; the text says which field and what is allowed."""


@dataclass
class Rule:
    kind: str
    arguments: dict[str, object]
    operation: str = "*"
    region: str = "*"
    instance: str = "*"
    after: int = 0
    count: int | None = None
    probability: float = 1.0
    seed: int = 1
    struck: int = 0
    seen: int = 0
    dice: random.Random = field(default_factory=random.Random, repr=False)

    @classmethod
    def read(cls, value: object) -> Rule:
        """The rule in a JSON object, or WrongRule."""
        if not isinstance(value, dict) or value.get("kind") not in KINDS:
            raise WrongRule(f"kind must be one of {', '.join(KINDS)}")
        kind = value["kind"]
        known = LIMITS | KINDS[kind]
        for name, given in value.items():
            if name != "kind" and (
                name not in known or not isinstance(given, known[name]) or isinstance(given, bool)
            ):
                allowed = ", ".join(sorted(known))
                raise WrongRule(f"{kind}: {name}={given!r} is not valid; allowed are {allowed}")
        if kind == "output" and value.get("mode") not in OUTPUT_MODES:
            raise WrongRule(f"output: mode must be one of {', '.join(OUTPUT_MODES)}")
        if kind == "no_return" and value.get("status", "Running") not in ("Running", "Starting"):
            raise WrongRule("no_return: status is Running or Starting")
        limits = {name: value[name] for name in LIMITS if name in value}
        arguments = {name: value[name] for name in KINDS[kind] if name in value}
        return cls(kind, arguments, **limits, dice=random.Random(value.get("seed", 1)))

    def covers(self, operation: str, region: str, instances: list[str]) -> bool:
        return (
            fnmatchcase(operation, self.operation)
            and fnmatchcase(region, self.region)
            and (self.instance == "*" or any(fnmatchcase(i, self.instance) for i in instances))
        )

    def strikes(self) -> bool:
        """Whether it strikes this time; counts both matches and strikes."""
        self.seen += 1
        if self.seen <= self.after or (self.count is not None and self.struck >= self.count):
            return False
        if self.dice.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def shown(self) -> dict[str, object]:
        limits = {name: getattr(self, name) for name in LIMITS}
        return {
            "kind": self.kind,
            **limits,
            **self.arguments,
            "seen": self.seen,
            "struck": self.struck,
        }


class Faults:
    """The rules in force: those of the file, re-read when it changes, and those sent in."""

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._stamp = path, None
        self._filed: list[Rule] = []
        self._sent: list[Rule] = []
        self._lock = threading.Lock()

    def strike(
        self, kind: str, operation: str = "", region: str = "", instances: list[str] | None = None
    ) -> Rule | None:
        """The first rule of this kind that covers the call and strikes now."""
        with self._lock:
            self._reread()
            for rule in self._sent + self._filed:
                if (
                    rule.kind == kind
                    and rule.covers(operation, region, instances or [])
                    and rule.strikes()
                ):
                    return rule
        return None

    def send(self, values: list[object]) -> None:
        """Add rules; all of them or none."""
        rules = [Rule.read(value) for value in values]
        with self._lock:
            self._sent += rules

    def clear(self) -> None:
        """Forget the rules sent in; those of the file stay."""
        with self._lock:
            self._sent.clear()

    def shown(self) -> list[dict[str, object]]:
        with self._lock:
            self._reread()
            return [rule.shown() for rule in self._sent + self._filed]

    def _reread(self) -> None:
        if self._path is None:
            return
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
        except FileNotFoundError:
            self._filed, self._stamp = [], None
            return
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._filed = read_rules(self._path.read_text())
        except (WrongRule, ValueError, OSError) as error:
            # Half-written files are seen again at the next change; the old rules stay.
            log.error("faults file %s: %s", self._path, error)


def read_rules(text: str) -> list[Rule]:
    """The rules of a JSON list; an empty text has none."""
    values = json.loads(text) if text.strip() else []
    if not isinstance(values, list):
        raise WrongRule("a faults file holds a JSON list of rules")
    return [Rule.read(value) for value in values]
