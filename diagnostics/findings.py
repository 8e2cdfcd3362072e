"""What an analysis says. Plain frozen values, no Django, no I/O.

`readers` turn texts into these facts, `analyzers` turn facts into findings and a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .wording import Text


class Severity(StrEnum):
    CRITICAL = "critical"  # explains a going-down
    WARNING = "warning"  # wants attention
    INFO = "info"  # context
    GOOD = "good"  # checked and in order


class Confidence(StrEnum):
    """In words, with a written meaning (see docs/verdicts.md)."""

    CERTAIN = "certain"  # the record names the cause itself
    LIKELY = "likely"  # one explanation fits everything that was read
    POSSIBLE = "possible"  # fits, but others are not ruled out
    NONE = "none"  # nothing to judge by


@dataclass(frozen=True, slots=True)
class Quote:
    """The line that proves it, exactly as it stood, and where."""

    text: str
    source: str  # evidence section, such as "journal_previous"
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim with the line that proves it. `code` is stable and dotted: kernel.panic."""

    code: str
    severity: Severity
    title: str | Text
    quote: Quote | None = None
    analyzer: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Closed vocabulary of the design, section 7."""

    kind: str
    subkind: str | None = None
    crashed: bool = False
    function: str | None = None
    bugcheck_code: str | None = None
    planned: bool | None = None
    signature: str | None = None
    confidence: Confidence = Confidence.NONE


@dataclass(frozen=True, slots=True)
class RuledOut:
    what: Text
    because: Text
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """One text or bundle judged. `at` is when the machine went down, where a record tells."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    skipped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # analyzer -> missing
    broken: Mapping[str, str] = field(default_factory=dict)  # analyzer -> error
    ruled_out: tuple[RuledOut, ...] = ()
    at: datetime | None = None
    module: str | None = None
    call_trace: tuple[str, ...] = ()
    reason: str | Text | None = None  # the panic line or the bugcheck's name, as printed
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """The incident window, aware times."""

    start: datetime
    end: datetime

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.start <= at <= self.end
