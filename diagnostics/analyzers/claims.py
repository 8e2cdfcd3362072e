"""How analyzers of kernel texts put what they found: a Finding whose facts can carry a verdict."""

from __future__ import annotations

from ..findings import Finding, Quote, Severity
from ..readers.events import Event
from ..readers.lines import Line
from ..wording import Text
from . import traces
from .signature import release

CRASHED = {"kernel_panic", "unexplained_reboot"}


def quote(line: Line, source: str) -> Quote:
    at = line.at if line.at and line.at.year > 1900 else None
    return Quote(line.raw.strip()[:400], source, at)


def claim(
    code: str,
    title: str | Text,
    event: Event,
    kind: str,
    subkind: str,
    weight: int,
    **facts: object,
) -> Finding:
    """A finding that says what the text as a whole tells, if nothing weightier is found.

    `weight` orders claims: what went down before what ailed, ailments before odd lines.
    """
    crashed = kind in CRASHED
    severity = Severity.CRITICAL if crashed else Severity.WARNING
    if kind in ("none", "normal_reboot"):
        severity = Severity.INFO
    told = {"kind": kind, "subkind": subkind, "crashed": crashed, "weight": weight}
    told["line"] = event.line.number
    proof = quote(event.line, event.source)
    return Finding(code, severity, title, proof, facts=told | facts)


def traced(event: Event, function: str | None = None) -> dict[str, object]:
    """What a report with a trace adds: the call trace, the module of `function`, else the first
    that the trace names, who ran."""
    frames = traces.trace(event)
    standing = traces.standing_at(event)
    of_modules = [frame for frame in (standing, *frames) if frame and frame.module]
    module = next((f.module for f in of_modules if f.function == function), None) or next(
        (frame.module for frame in of_modules), None
    )
    return {
        "trace": tuple(frame.function for frame in frames[:24]),
        "module": module,
        "kernel": next((v for line in event.body[:40] if (v := release(line.text))), None),
    }
