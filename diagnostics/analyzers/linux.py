"""The verdict on a Linux text or on the bundle that the collection script brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from ..findings import Analysis, Confidence, Finding, Verdict, Window
from ..readers import boots, events, journal_export, lines
from ..readers.boots import Story
from . import bundle, registry, signature

UNDETERMINED = Verdict("undetermined", confidence=Confidence.NONE)  # nothing to judge by
KERNEL_TEXT = ("down", "story")  # what a text by itself gives the analyzers


def judge(sections: Mapping[str, str], window: Window | None = None) -> Analysis:
    """What the evidence tells. A free text is `{"text": text}`; else the sections of a bundle.

    With a window, only what happened in it counts for the verdict.
    """
    if set(sections) == {"text"}:
        return judge_stream([_printed(sections["text"])])
    return bundle.judge(sections, window)


def _printed(text: str) -> str:
    """A journal printed with many lines an entry as the lines it stands for; else as it is."""
    if journal_export.looks_like(text[:4096].encode(errors="replace")):
        return journal_export.read(text.encode(errors="replace"))
    return text


def judge_stream(blocks: Iterable[str]) -> Analysis:
    """The same for a text of any size that comes in pieces."""
    story = boots.split(events.read(blocks))
    names = registry.needing(*KERNEL_TEXT)
    outcome = registry.run({"story": story, "down": story.down}, names)
    if not outcome.findings and story.up:  # of the going down nothing is told: what came after it?
        outcome = registry.run({"story": story, "down": story.up}, names)
    findings = sorted(outcome.findings, key=_order)
    best = findings[0] if findings else None
    return Analysis(
        verdict=_verdict(best, story),
        findings=tuple(findings),
        skipped=outcome.skipped,
        broken=outcome.broken,
        at=_when(best, story),
        module=best.facts.get("module") if best else None,
        call_trace=best.facts.get("trace", ()) if best else (),
        reason=best.facts.get("reason") if best else None,
        details=bundle.details(findings),
    )


def _when(best: Finding | None, story: Story) -> datetime | None:
    if best is None or best.quote is None or best.facts.get("open_end"):
        return None
    return best.quote.at or story.when(lines.read(best.quote.text))


def _order(finding: Finding) -> tuple[int, int]:
    return -int(finding.facts.get("weight", 0)), int(finding.facts.get("line", 0))


def _verdict(best: Finding | None, story: Story) -> Verdict:
    if best is None and not _holds_anything(story):
        return UNDETERMINED
    if best is None:
        return Verdict("none", "healthy", confidence=Confidence.POSSIBLE)
    return bundle.verdict(best, _kernel(story))


def _holds_anything(story: Story) -> bool:
    return bool(story.last and story.last.raw.strip())


def _kernel(story: Story) -> str | None:
    start = story.down.start
    return signature.release(start.text) if start else None
