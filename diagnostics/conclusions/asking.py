"""Whom the guest's own record names for an orderly end."""

from __future__ import annotations

from diagnostics.facts import Facts
from diagnostics.findings import Analysis, Finding
from diagnostics.incident import ORDERLY, Incident

POWER_KEY = "who.power-key"  # from inside, every way through the platform looks like this
NAMED_ON_WINDOWS = ORDERLY - {"normal_reboot", "planned_platform", "planned_unknown_initiator"}


def about(analysis: Analysis | None, incident: Incident) -> bool:
    """The record is of this incident: its time fits, or it has none and no other can be meant."""
    if analysis is None:
        return False
    if analysis.at is None:
        return incident.other is None
    return incident.window is None or incident.window.holds(analysis.at)


def asker(analysis: Analysis, incident: Incident) -> Finding | None:
    """The line of a Linux guest that names who asked for it."""
    return next((f for f in analysis.findings if _asked_for_it(f, incident)), None)


def _asked_for_it(finding: Finding, incident: Incident) -> bool:
    at = finding.quote.at if finding.quote else None
    fits = at is None or incident.window is None or incident.window.holds(at)
    return finding.code.startswith("who.") and fits


def named_by_the_guest(facts: Facts, incident: Incident) -> bool:
    """An orderly end for which the guest names a person or program of its own."""
    record = facts.guest
    if record is None or not about(record, incident):
        return False
    if facts.windows():
        return record.verdict.kind in NAMED_ON_WINDOWS
    said = asker(record, incident) if record.verdict.kind == "normal_reboot" else None
    return said is not None and said.code != POWER_KEY
