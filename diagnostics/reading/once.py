"""Findings of a case, the same thing told by the guest's records and the console only once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from diagnostics.findings import Analysis, Finding

SAME_MOMENT = timedelta(minutes=10)


def told_once(guest: Analysis | None, console: Analysis | None) -> list[tuple[str, Finding]]:
    """Each finding with the evidence it stands in, the guest's first. What the console tells too
    is named in the facts of the guest's (`also_seen`)."""
    findings = list(guest.findings) if guest else []
    beside: list[Finding] = []
    for other in console.findings if console else ():
        twin = next((n for n, each in enumerate(findings) if _same(each, other)), None)
        if twin is None:
            beside.append(other)
            continue
        seen = tuple(findings[twin].facts.get("also_seen", ()))
        if "console" not in seen and findings[twin].quote.source != "console":
            facts = {**findings[twin].facts, "also_seen": (*seen, "console")}
            findings[twin] = replace(findings[twin], facts=facts)
    return [("guest_output", each) for each in findings] + [("console", each) for each in beside]


def _same(one: Finding, other: Finding) -> bool:
    if (one.code, one.title) != (other.code, other.title) or not one.quote or not other.quote:
        return False
    if one.facts.get("reason") != other.facts.get("reason"):
        return False
    first, second = one.quote.at, other.quote.at
    dated = first and second and bool(first.tzinfo) == bool(second.tzinfo)
    return not dated or abs(first - second) <= SAME_MOMENT
