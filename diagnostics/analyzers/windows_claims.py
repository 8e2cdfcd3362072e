"""How analyzers of Windows records put what they found."""

from __future__ import annotations

from ..findings import Finding, Quote, Severity
from ..readers.windows_events import Event
from ..wording import Text

CRASHES = {
    "bugcheck",
    "unclean_no_bugcheck",
    "unclean_unknown_code",
    "power_button_forced",
    "critical_process_restart",
}


def quote(event: Event | None) -> Quote | None:
    return Quote(event.line, f"{event.channel} log", event.at) if event else None


def claim(
    code: str, title: str | Text, event: Event | None, kind: str, weight: int, **facts: object
):
    """A finding that says what the record as a whole tells, if nothing weightier is found."""
    severity = Severity.CRITICAL if kind in CRASHES else Severity.INFO
    told = {"kind": kind, "weight": weight, "crashed": kind in CRASHES}
    return Finding(code, severity, title, quote(event), facts=told | facts)


def context(
    code: str,
    title: str | Text,
    event: Event | None,
    severity: Severity = Severity.WARNING,
    **facts,
) -> Finding:
    """A finding that explains or limits, and never decides."""
    return Finding(code, severity, title, quote(event), facts=facts)
