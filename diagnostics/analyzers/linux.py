"""The verdict on a Linux text or bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..findings import Analysis, Confidence, Finding, Verdict, Window
from ..readers import boots, events
from ..readers.boots import Story
from . import registry, signature


def judge(sections: Mapping[str, str], window: Window | None = None) -> Analysis:
    """What the evidence tells: a free text is `{"text": text}`."""
    return judge_stream([sections.get("text", "")])


def judge_stream(blocks: Iterable[str]) -> Analysis:
    story = boots.split(events.read(blocks))
    outcome = registry.run({"story": story, "down": story.down})
    return _analysis(outcome, story)


def _analysis(outcome: registry.Run, story: Story) -> Analysis:
    findings = sorted(outcome.findings, key=_order)
    best = findings[0] if findings else None
    return Analysis(
        verdict=_verdict(best, story),
        findings=tuple(findings),
        skipped=outcome.skipped,
        broken=outcome.broken,
        at=best.quote.at if best and best.quote else None,
        module=best.facts.get("module") if best else None,
        call_trace=best.facts.get("trace", ()) if best else (),
        reason=best.facts.get("reason") if best else None,
    )


def _order(finding: Finding) -> tuple[int, int]:
    return -int(finding.facts.get("weight", 0)), int(finding.facts.get("line", 0))


def _verdict(best: Finding | None, story: Story) -> Verdict:
    if best is None:
        return Verdict("none", "healthy", confidence=Confidence.POSSIBLE)
    facts = best.facts
    return Verdict(
        kind=facts["kind"],
        subkind=facts["subkind"],
        crashed=bool(facts["crashed"]),
        function=facts.get("function"),
        signature=signature.of(facts, facts.get("kernel") or _kernel(story)),
        confidence=Confidence.LIKELY,
    )


def _kernel(story: Story) -> str | None:
    start = story.down.start
    return signature.release(start.text) if start else None
