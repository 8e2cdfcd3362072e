"""What the case page shows: the answer first, then the stages and the proof."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from django.utils import timezone
from django.utils.translation import gettext as _

from diagnostics import check_words, stages
from diagnostics.conclusions.answer import SOURCE_NAMES
from diagnostics.models import (
    CaseState,
    DiagnosisCase,
    Evidence,
    Finding,
    Judging,
    Mark,
    SentReport,
    Step,
    StepState,
)
from diagnostics.readers import bundle, encodings, kinds
from diagnostics.speech import spoken, spoken_lines
from diagnostics.verdicts import CONFIDENCE, KINDS, SUBKINDS, tone
from diagnostics.wording import unpacked

STEP_TONES = {
    StepState.PENDING: "unknown",
    StepState.RUNNING: "going",
    StepState.DONE: "good",
    StepState.NOT_NEEDED: "unknown",
    StepState.FAILED: "attention",
}
MOST_SHOWN = 200_000  # characters of one section on a page; the download has all of it


@dataclass
class StepShown:
    step: Step
    tone: str
    evidence: list[Evidence] = field(default_factory=list)
    beside: list[tuple[str, list[str]]] = field(default_factory=list)

    @property
    def took(self) -> timedelta | None:
        begun, ended = self.step.started_at, self.step.finished_at
        return ended - begun if begun and ended else None


@dataclass
class VersionShown:
    judging: Judging
    sent: list[SentReport]

    @property
    def tone(self) -> str:
        return tone(self.judging.kind)

    @property
    def kind(self) -> str:
        return str(KINDS.get(self.judging.kind, self.judging.kind))

    @property
    def confidence(self) -> str:
        return str(CONFIDENCE.get(self.judging.confidence, ""))


class CaseShown:
    """Everything that the page needs about one case, in a handful of queries."""

    def __init__(self, case: DiagnosisCase) -> None:
        self.case = case

    @cached_property
    def steps(self) -> list[StepShown]:
        rows = {step.pk: step for step in self.case.steps.all()}
        shown = {key: StepShown(step, STEP_TONES[step.state]) for key, step in rows.items()}
        for row in self.evidence:
            if row.step_id in shown:
                shown[row.step_id].evidence.append(row)
        for each in shown.values():
            each.step.case = self.case
            each.beside = self._beside(each.step)
        return list(shown.values())

    def _beside(self, step: Step) -> list[tuple[str, list[str]]]:
        found = []
        for name, said in unpacked(step.facts.get("beside", {})).items():
            lines = [*said["summary"], *said["reason"], *said["instead"]]
            title = spoken(SOURCE_NAMES.get(name, name), self.case.zone)
            found.append((title, spoken_lines(lines, self.case.zone)))
        return found

    @cached_property
    def evidence(self) -> list[Evidence]:
        return list(self.case.evidence.defer("packed").order_by("collected_at"))

    @cached_property
    def findings(self) -> list[Finding]:
        return list(self.case.findings.select_related("evidence").defer("evidence__packed"))

    @cached_property
    def judgement(self) -> dict:
        return unpacked(self.case.judgement)

    @cached_property
    def conclusion(self) -> dict:
        return self.judgement.get("conclusion", {})

    def _said(self, name: str) -> str:
        return spoken(self.conclusion[name], self.case.zone) if name in self.conclusion else ""

    def _lines(self, name: str) -> list[str]:
        return spoken_lines(self.conclusion.get(name, ()), self.case.zone)

    @property
    def root_cause(self) -> str:
        names = self.conclusion.get("names")
        who = f" {spoken(names, self.case.zone)}" if names else ""
        return self._said("root_cause") + who

    chain = property(lambda self: self._lines("chain"))
    impact = property(lambda self: self._said("impact"))
    next_step = property(lambda self: self._said("next_step"))
    owner = property(lambda self: self._said("owner"))
    basis = property(lambda self: self._said("basis"))
    recommendations = property(lambda self: self._lines("recommendations"))
    contradictions = property(lambda self: self._lines("contradictions"))
    not_checked = property(lambda self: self._lines("not_checked"))

    @property
    def excluded(self) -> list[dict]:
        zone = self.case.zone
        return [
            {
                "what": spoken(each["what"], zone),
                "because": spoken(each["because"], zone),
                "quote": each["quote"],
            }
            for each in self.conclusion.get("excluded", ())
        ]

    @property
    def tone(self) -> str:
        return tone(self.case.kind)

    @property
    def kind(self) -> str:
        return str(KINDS.get(self.case.kind, self.case.kind))

    @property
    def confidence(self) -> str:
        return str(CONFIDENCE.get(self.case.confidence, ""))

    @property
    def outage_minutes(self) -> int | None:
        return self.conclusion.get("outage_minutes")

    @property
    def last_sign(self) -> bool:
        """When it went down is not known, but when it last showed life."""
        return bool(self.conclusion.get("last_sign"))

    @property
    def guest_was_read(self) -> bool:
        return bool(self.judgement.get("guest"))

    @property
    def checks(self) -> list[dict]:
        """Analyzers that did not run or broke, beside what the others found."""
        rows = []
        for name in ("guest", "console"):
            analysis = self.judgement.get(name) or {}
            skipped = analysis.get("skipped") if name == "guest" else {}  # a console lacks most
            for reason, checks in check_words.not_run(skipped or {}):
                why = _("not run, because %(why)s") % {"why": spoken(reason)}
                named = ", ".join(spoken_lines(checks))
                rows.append({"name": named, "tone": "unknown", "why": why})
            for check, error in (analysis.get("broken") or {}).items():
                named = spoken(check_words.check(check))
                rows.append({"name": named, "tone": "bad", "why": _("broke: %s") % error})
        for problem in self.judgement.get("problems") or ():
            rows.append({"name": _("Evidence"), "tone": "attention", "why": spoken(problem)})
        return rows

    @cached_property
    def versions(self) -> list[VersionShown]:
        """The judgings, newest first, each with what was sent of it."""
        sent: dict[int, list[SentReport]] = defaultdict(list)
        for report in self.case.sent.select_related("sent_by").order_by("pk"):
            sent[report.judging_id].append(report)
        rows = list(self.case.judgings.select_related("by").order_by("-number"))
        for row in rows:
            row.case = self.case
        return [VersionShown(row, sent[row.pk]) for row in rows]

    @cached_property
    def told_otherwise(self) -> list[SentReport]:
        """Sent reports whose receivers do not know what the case says now."""
        return list(self.case.sent.to_tell().select_related("judging", "sent_by").order_by("pk"))

    @cached_property
    def mark(self) -> Mark | None:
        return self.case.marks.select_related("by", "judging").first()

    @property
    def true_cause(self) -> str:
        mark = self.mark
        words = [KINDS.get(mark.true_kind, ""), SUBKINDS.get(mark.true_subkind, "")] if mark else []
        return ", ".join(str(word) for word in words if word)

    @property
    def waiting_for(self) -> str:
        """Why the case is not concluded yet, for the person who looks at it."""
        case = self.case
        if case.state == CaseState.QUEUED:
            return _("Waiting for a free worker; if this lasts, look at the health page.")
        if case.state == CaseState.WAITING:
            until = timezone.localtime(case.deadline) if case.deadline else None
            return _("Waiting for the instance's answer, at most until %s.") % (
                f"{until:%H:%M:%S}" if until else "…"
            )
        if case.state == CaseState.JUDGING:
            return _("The evidence is being judged.")
        return _("Asking the cloud.")

    @property
    def by_hand(self) -> bool:
        """The machine could not be asked: offer the script."""
        return any(
            each.step.key == stages.GUEST and each.step.state == StepState.FAILED
            for each in self.steps
        )


def evidence_shown(row: Evidence) -> list[tuple[str, str]]:
    """Titles and texts of one piece of evidence; a bundle is shown section by section."""
    if row.media_type.startswith("image/"):
        return []
    body, name = row.body(), row.file_name or row.name
    if row.kind in kinds.BINARY:
        return [(name, _("This is no text; download it as it came."))]
    if row.name == "guest_output" or row.kind == kinds.BUNDLE:
        found = bundle.read(encodings.decoded(body).text.encode())
        if found.sections:
            return [(name, text[:MOST_SHOWN]) for name, text in found.sections.items()]
    return [(name, encodings.decoded(body).text[:MOST_SHOWN])]
