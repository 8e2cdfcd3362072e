"""The verdict on what the collection script brought: many records of one machine.

Each record is read by itself, what it tells is put in time, the same thing told twice becomes one
finding, and what lies outside the incident window is set aside by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ..findings import Analysis, Confidence, Finding, Quote, RuledOut, Severity, Verdict, Window
from ..readers import clock
from ..readers.clock import Clock
from ..wording import say as _
from . import records, registry, signature
from .records import KERNEL, PRESENT, PREVIOUS, Record

POSSIBLE = Confidence.POSSIBLE
SLACK = timedelta(minutes=10)
LEADS_TO_BOOT = timedelta(hours=24)  # without a window: how long before the boot it may lie
AILING = 60  # weight of hangs, kills and reports that a person would notice
GOING_DOWN = 64  # weight from which a claim is about the machine's end
BESIDE = ("last", "who", "history")


def judge(sections: Mapping[str, str], window: Window | None) -> Analysis:
    machine = clock.read(sections)
    found = records.read(sections, machine)
    outcome = _run(sections, machine, found)
    findings = _merged(outcome.findings)
    fitting, aside = _sorted_out(findings, machine, window)
    best = _best(fitting, machine, window)
    fitting = [_beside(finding, best) for finding in fitting]
    stayed = _stayed_up(machine, window)
    return Analysis(
        verdict=_verdict(best, sections, stayed),
        findings=(*fitting, *aside),
        skipped=outcome.skipped,
        broken=outcome.broken,
        ruled_out=(*_ruled_out(best, found, sections), *_outside(aside)),
        at=_went_down(best),
        module=best.facts.get("module") if best else None,
        call_trace=best.facts.get("trace", ()) if best else (),
        reason=best.facts.get("reason") if best else None,
        details=details(fitting) | {"not_asked": _not_asked(sections)},
    )


def verdict(best: Finding, kernel: str | None = None) -> Verdict:
    """The verdict that this finding claims."""
    facts = best.facts
    return Verdict(
        kind=str(facts["kind"]),
        subkind=facts["subkind"],
        crashed=bool(facts["crashed"]),
        function=facts.get("function"),
        signature=signature.of(facts, facts.get("kernel") or kernel),
        confidence=confidence(facts),
    )


def details(findings: Sequence[Finding]) -> dict[str, object]:
    """Facts that a report names beside the verdict: who was killed, who used the memory."""
    told: dict[str, object] = {}
    for finding in findings:
        for name in ("victims", "eaters", "tasks", "cause"):
            if finding.facts.get(name):
                told.setdefault(name, finding.facts[name])
    return told


def confidence(facts: Mapping[str, object]) -> Confidence:
    """In words, with a written meaning: see docs/verdicts.md."""
    kind = facts["kind"]
    if kind == "unexplained_reboot":
        sources = 1 + len(set(facts.get("also_seen", ())))
        return Confidence.LIKELY if sources > 1 or facts["subkind"] != "unknown" else POSSIBLE
    if kind == "kernel_panic":
        return Confidence.CERTAIN if facts.get("panicked") else Confidence.LIKELY
    if kind == "none":
        return Confidence.LIKELY
    return Confidence.LIKELY if facts.get("indirect") else Confidence.CERTAIN


def _run(sections: Mapping[str, str], machine: Clock, found: list[Record]) -> registry.Run:
    outcome = registry.Run()
    for record in found:
        evidence: dict[str, object] = {"down": record.down}
        if record.name == "journal_previous":
            evidence["previous"] = record.down
        elif record.name not in PREVIOUS + PRESENT:
            evidence["story"] = record.story
        told = registry.run(evidence, registry.needing(*evidence))
        outcome.findings += [records.dated(f, record, machine) for f in told.findings]
        outcome.broken |= {f"{name} ({record.name})": why for name, why in told.broken.items()}
    beside = {name: sections[name] for name in BESIDE if sections.get(name, "").strip()}
    told = registry.run(beside | {"clock": machine}, registry.touching(*BESIDE))
    outcome.findings += told.findings
    outcome.broken |= told.broken
    outcome.skipped |= told.skipped
    if not found:
        for name in registry.needing("down", "story", "previous"):
            outcome.skipped[name] = KERNEL
    return outcome


def _merged(findings: list[Finding]) -> list[Finding]:
    """The same thing told by several records once, by the best of them."""
    best: dict[object, Finding] = {}
    for finding in sorted(findings, key=_order):
        facts = finding.facts
        told = (facts["subkind"], facts.get("reason")) if "kind" in facts else str(finding.title)
        same = (finding.code, told)
        if same not in best:
            best[same] = finding
            continue
        kept = best[same]
        also = (*kept.facts.get("also_seen", ()), finding.quote.source if finding.quote else "")
        dated = kept.quote and kept.quote.at is None and finding.quote and finding.quote.at
        quote = replace(kept.quote, at=finding.quote.at) if dated else kept.quote
        best[same] = replace(kept, quote=quote, facts={**kept.facts, "also_seen": also})
    return sorted(best.values(), key=_order)


def _order(finding: Finding) -> tuple[int, int]:
    source = finding.quote.source if finding.quote else ""
    rank = KERNEL.index(source) if source in KERNEL else len(KERNEL)
    return -int(finding.facts.get("weight", 0)), rank


def _sorted_out(
    findings: list[Finding], machine: Clock, window: Window | None
) -> tuple[list[Finding], list[Finding]]:
    fitting, aside = [], []
    for finding in findings:
        fits = _fits(finding, machine, window)
        (fitting if fits else aside).append(finding)
    claims = [finding for finding in aside if "kind" in finding.facts]
    return fitting, [replace(claim, severity=Severity.INFO) for claim in claims]


def _fits(finding: Finding, machine: Clock, window: Window | None) -> bool:
    """Did it happen in the window (without one: in the day before the present boot, or since)?"""
    at = finding.quote.at if finding.quote else None
    source = finding.quote.source if finding.quote else ""
    booted = machine.booted
    if window is not None:
        if finding.facts.get("open_end"):  # some time between its last sign and the boot
            ends = booted or window.end
            return (at is None or at <= window.end + SLACK) and ends >= window.start - SLACK
        if at is not None:
            return window.start - SLACK <= at <= window.end + SLACK
        return booted is None or booted >= window.start - SLACK or source in PRESENT
    if at is None or booted is None:
        return True
    if "kind" not in finding.facts:
        return booted - LEADS_TO_BOOT <= at <= booted + SLACK
    if source in PRESENT or finding.facts.get("weight", 0) < GOING_DOWN:
        return at >= booted - LEADS_TO_BOOT
    return booted - LEADS_TO_BOOT <= at <= booted + SLACK


def _stayed_up(machine: Clock, window: Window | None) -> bool:
    return bool(window and machine.booted and machine.booted < window.start - SLACK)


def _verdict(best: Finding | None, sections: Mapping[str, str], stayed: bool) -> Verdict:
    if best:
        return verdict(best)
    if stayed:
        return Verdict("none", "healthy", confidence=Confidence.CERTAIN)
    if any(sections.get(name, "").strip() for name in KERNEL):
        return Verdict("none", "healthy", confidence=Confidence.POSSIBLE)
    return Verdict("undetermined", confidence=Confidence.NONE)


def _outside(aside: list[Finding]) -> Iterator[RuledOut]:
    for finding in aside:
        at = finding.quote.at if finding.quote else None
        why = _("it is of an earlier boot, outside the time in question")
        if at:
            why = _("it happened at %(at)s, outside the time in question", at=at.isoformat())
        yield RuledOut(finding.title, why, finding.quote)


def _best(fitting: list[Finding], machine: Clock, window: Window | None) -> Finding | None:
    """The weightiest claim. Asked for no time in particular, what the present boot suffers from
    matters more than an orderly end of long ago."""
    claims = [finding for finding in fitting if "kind" in finding.facts]
    best = claims[0] if claims else None
    if best is None or window or best.facts["kind"] != "normal_reboot" or _recent(machine):
        return best
    since = [f for f in claims if f.quote and f.quote.at and machine.booted <= f.quote.at]
    return next((f for f in since if f.facts["weight"] >= AILING), best)


def _recent(machine: Clock) -> bool:
    if machine.now is None or machine.booted is None:
        return True
    return machine.now - machine.booted < LEADS_TO_BOOT


def _beside(finding: Finding, best: Finding | None) -> Finding:
    """That no end was recorded is no second cause where the kernel says why."""
    explained = best and best.facts["kind"] != "unexplained_reboot"
    if explained and finding.facts.get("kind") == "unexplained_reboot":
        return replace(finding, severity=Severity.INFO)
    return finding


def _went_down(best: Finding | None) -> datetime | None:
    """When; where only the last sign of life is known, that is not said."""
    if best is None or best.quote is None or best.facts.get("open_end"):
        return None
    return best.quote.at


def _ruled_out(
    best: Finding | None, found: list[Record], sections: Mapping[str, str]
) -> list[RuledOut]:
    """What was looked for and is not there, by which record. Only records that were read count."""
    kind = best.facts["kind"] if best else None
    told = []
    for name in PREVIOUS:
        if name in sections and not sections[name].strip() and kind != "kernel_panic":
            why = _("%(name)s was asked and holds nothing", name=name)
            told.append(RuledOut(_("kernel panic"), why))
    for record in found:
        if record.name in PRESENT or kind == "kernel_panic" or record.down.died:
            continue
        last = record.story.last
        quote = Quote(last.raw[:400], record.name) if last else None
        why = _(
            "%(name)s was read to its end; no line of it is a panic or an oops", name=record.name
        )
        told.append(RuledOut(_("kernel panic"), why, quote))
    return told


def _not_asked(sections: Mapping[str, str]) -> dict[str, str]:
    """Records that could not be read, and why: nothing is concluded from their silence."""
    notes: dict[str, str] = {}
    for line in sections.get("collection", "").splitlines():
        name, _colon, why = line.partition(": ")
        notes[name.strip()] = why.strip()
    wanted = [name for name in (*KERNEL, *BESIDE) if name not in ("console", "text")]
    return {name: notes.get(name, "not in the answer") for name in wanted if name not in sections}
