"""The last stages: read the evidence, draw the conclusion, write both down in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils import timezone

from diagnostics import history, reading, stages, telling, version
from diagnostics.analyzers import signature
from diagnostics.conclusions import Conclusion, conclude, outside
from diagnostics.facts import Facts
from diagnostics.findings import Analysis, Finding, Window
from diagnostics.incident import Incident, settle, since_boot
from diagnostics.known import facts_of, with_reading
from diagnostics.models import CaseState, DiagnosisCase, Evidence, Judging, Occasion, StepState
from diagnostics.models import Finding as FindingRow
from diagnostics.reading import Handed, Reading
from diagnostics.reading.once import told_once
from diagnostics.steps import events, own, trail
from diagnostics.wording import Text, clean, packed, quoted
from diagnostics.wording import say as _
from portal.work import Claim


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the evidence of a case tells, before anything is written down."""

    facts: Facts
    conclusion: Conclusion
    found: Reading
    seen: frozenset[tuple[int, str]] | None = None  # what people had handed in by then

    def columns(self) -> dict[str, object]:
        """The fields of the case that hold the verdict."""
        return _columns(self.conclusion, self.found)

    def broken(self) -> dict[str, str]:
        """Analyzers that raised, and their errors."""
        both = (self.found.guest, self.found.console)
        return {name: why for each in both if each for name, why in each.broken.items()}


def read(case: DiagnosisCase) -> Opinion:
    """Judge what was gathered of the case. Writes nothing."""
    rows = list(case.evidence.exclude(media_type__startswith="image/").order_by("pk"))
    bodies = {row.name: row.body() for row in rows if not row.by_hand}
    pieces = [
        Handed(row.name, row.kind, row.file_name, row.body(), row.collected_at, row.complete)
        for row in rows
        if row.by_hand
    ]
    known = facts_of(case)
    system = known.machine.os_type
    found = reading.read(bodies, system, known.reported, pieces, case.zone)
    if known.reported is None and found.boot:
        lately = since_boot(found.boot.at, known.now, found.guest)
        found = reading.read(bodies, system, lately, pieces, case.zone) if lately else found
    facts = with_reading(known, found)
    return Opinion(facts, conclude(facts), found, _handed_in(rows))


def judge(claim: Claim[DiagnosisCase]) -> None:
    """Judge what was gathered. Judging again replaces what the last judging wrote."""
    _write(claim, read(claim.row))


def _handed_in(rows: Iterable[Evidence]) -> frozenset[tuple[int, str]]:
    return frozenset((row.pk, row.kind) for row in rows if row.by_hand)


def conclude_without_analysis(claim: Claim[DiagnosisCase]) -> None:
    """Reading the evidence failed again and again: conclude from the rest, and say so."""
    known = facts_of(claim.row)
    error = claim.row.last_error or _("it did not end")
    unasked = {**known.unasked, "guest": _("Reading it failed: %(error)s", error=quoted(error))}
    facts = replace(known, unasked=unasked)
    _write(claim, Opinion(facts, conclude(facts), Reading(complete=False, problems=(error,))))


def _write(claim: Claim[DiagnosisCase], opinion: Opinion) -> None:
    case, now = claim.row, timezone.now()
    with transaction.atomic():
        claim.renew()
        if more_came(case, opinion):
            return claim.release(due_at=now)  # judge that, too
        occasion = Occasion.AGAIN if case.kind else Occasion.FIRST
        put_down(case, opinion, occasion)
        claim.release(
            due_at=None,
            state=CaseState.CONCLUDED,
            concluded_at=now,
            deadline=None,
            **told_by(opinion),
        )
        if occasion == Occasion.FIRST:
            telling.finished(case, opinion.columns(), opinion.conclusion.root_cause)


def more_came(case: DiagnosisCase, opinion: Opinion) -> bool:
    """People handed something in while the evidence was read."""
    rows = case.evidence.defer("packed")
    return opinion.seen is not None and opinion.seen != _handed_in(rows)


def told_by(opinion: Opinion) -> dict[str, object]:
    """Every field of the case that a judging replaces."""
    return {
        "judgement": packed(_judgement(opinion.conclusion, opinion.found)),
        # Evidence that was not read is left for `manage.py rejudge`.
        "read_by": "" if opinion.seen is None else version.analyzers(),
        **opinion.columns(),
    }


def put_down(case: DiagnosisCase, opinion: Opinion, occasion: Occasion, by=None) -> Judging:
    """Write everything of a judging but the fields of the case, which still holds the old ones.

    Inside the caller's transaction, which has locked the case.
    """
    judging = history.keep(
        case,
        opinion.columns(),
        occasion=occasion,
        rests_on=_rests_on(opinion),
        root_cause=packed(opinion.conclusion.root_cause),
        by=by,
    )
    _replace_findings(case, opinion.found, opinion.conclusion)
    _tell_steps(case, opinion.facts, opinion.conclusion, opinion.found)
    return judging


def _rests_on(opinion: Opinion) -> str:
    """The analyzer whose finding is the verdict; else the source that the conclusion names."""
    conclusion, found = opinion.conclusion, opinion.found
    analysis = {"guest": found.guest, "console": found.console}.get(conclusion.origin)
    told = (conclusion.verdict.kind, conclusion.verdict.subkind)
    for finding in analysis.findings if analysis else ():
        if told == (finding.facts.get("kind"), finding.facts.get("subkind")):
            return finding.analyzer
    return conclusion.origin


def _judgement(conclusion: Conclusion, found: Reading) -> dict[str, object]:
    """What the report is made of: see report/."""
    return {
        "conclusion": conclusion,
        "guest": _told(found.guest),
        "console": _told(found.console),
        "state": found.state,
        "capture": found.capture,
        "boot": found.boot,
        "problems": found.problems,
        "complete": found.complete,
        "os": found.os,
        "handed": found.handed,
        "scripted": found.scripted,
    }


def _told(analysis: Analysis | None) -> dict[str, object] | None:
    if analysis is None:
        return None
    return {
        "verdict": analysis.verdict,
        "skipped": analysis.skipped,
        "broken": analysis.broken,
        "at": analysis.at,
        "module": analysis.module,
        "call_trace": analysis.call_trace,
        "reason": analysis.reason,
        "details": analysis.details,
    }


def _columns(conclusion: Conclusion, found: Reading) -> dict[str, object]:
    verdict = conclusion.verdict
    running = getattr(found.state, "kernel", None)
    system = running or getattr(found.state, "os", None)
    return {
        "window_start": conclusion.window_start,
        "window_end": conclusion.window_end,
        "went_down_at": conclusion.went_down_at,
        "came_back_at": conclusion.came_back_at,
        "kind": verdict.kind,
        "subkind": verdict.subkind or "",
        "crashed": verdict.crashed,
        "function": clean(verdict.function or "")[:200],
        "bugcheck_code": clean(verdict.bugcheck_code or "")[:20],
        "planned": verdict.planned,
        "signature": clean(signature.completed(verdict.signature, running) or "")[:200],
        "kernel": clean(str(system or ""))[:120],
        "confidence": str(verdict.confidence),
    }


def _replace_findings(case: DiagnosisCase, found: Reading, conclusion: Conclusion) -> None:
    case.findings.all().delete()
    sources = {row.name: row for row in case.evidence.defer("packed")}
    cited = [_row(case, 0, each, sources.get(trail.NAME)) for each in conclusion.cites]
    rows = [*cited]
    for place, row in enumerate(rows):
        row.position = place
    for name, finding in told_once(found.guest, found.console):
        quote = finding.quote
        own = found.origins.get((quote.source, quote.text)) if quote else None
        rows.append(_row(case, len(rows), finding, sources.get(own or name)))
    FindingRow.objects.bulk_create(rows)


def _row(case: DiagnosisCase, place: int, finding: Finding, source: Evidence | None) -> FindingRow:
    quote = finding.quote
    return FindingRow(
        case=case,
        position=place,
        code=clean(finding.code)[:80],
        severity=str(finding.severity)[:10],
        title=clean(str(finding.title)),
        told=packed(finding.title),
        quote=clean(quote.text) if quote else "",
        source=clean(quote.source)[:80] if quote else "",
        at=quote.at if quote and quote.at and quote.at.tzinfo else None,
        analyzer=clean(finding.analyzer)[:80],
        evidence=source,
        facts=packed(finding.facts),
    )


def _tell_steps(case: DiagnosisCase, facts: Facts, conclusion: Conclusion, found: Reading) -> None:
    incident = settle(facts)
    window = incident.window
    _done(case, stages.WINDOW, *_when(incident, conclusion))
    if case.steps.get(key=stages.OWN).state == StepState.DONE:
        _done(case, stages.OWN, *own.lines(facts.acts, window), *_others(facts, window))
    if case.steps.get(key=stages.EVENTS).state == StepState.DONE:
        _done(case, stages.EVENTS, *events.lines(facts.events, window))
    _tell_guest(case, found)
    if case.steps.get(key=stages.DUMPS).state != StepState.NOT_NEEDED:
        _dumps(case, found, incident)
    _done(case, stages.VERDICT, conclusion.root_cause)
    _done(case, stages.ADVICE, *conclusion.recommendations)
    _done(case, stages.REPORT, _("The report can be read, printed and downloaded."))


def _others(facts: Facts, window: Window | None) -> tuple[Text, ...]:
    return trail.lines(outside.others(facts), window)


def _tell_guest(case: DiagnosisCase, found: Reading) -> None:
    """What people handed in stands in for a guest that could not be asked."""
    step = case.steps.get(key=stages.GUEST)
    case.evidence.filter(step=None).exclude(kind="").update(step=step)  # came before the steps
    why = step.facts.get("unasked")
    if why is None and step.state == StepState.FAILED:
        why = {"reason": step.reason, "instead": step.instead}
        step.facts = {**step.facts, "unasked": why}
    if why is None:
        return
    if found.handed and found.guest:
        step.state, step.reason, step.instead = StepState.DONE, [], []
        files = quoted(", ".join(found.handed))
        step.summary = [
            *why["reason"],
            *packed([_("Read instead: what a person handed in (%(files)s).", files=files)]),
        ]
    else:
        step.state, step.summary = StepState.FAILED, []
        step.reason, step.instead = why["reason"], why["instead"]
    step.save()


def _when(incident: Incident, conclusion: Conclusion) -> list[Text]:
    said = [incident.basis]
    if conclusion.last_sign:
        said.append(_("Its last sign of life is of %(at)s.", at=conclusion.went_down_at))
    elif conclusion.went_down_at:
        said.append(_("It went down at %(at)s.", at=conclusion.went_down_at))
    if conclusion.came_back_at:
        said.append(_("It came back at %(at)s.", at=conclusion.came_back_at))
    if incident.window:
        said.append(
            _(
                "Everything else is held against the time from %(start)s to %(end)s.",
                start=incident.window.start,
                end=incident.window.end,
            )
        )
    return said


def _dumps(case: DiagnosisCase, found: Reading, incident: Incident) -> None:
    capture = found.capture
    if capture is None:
        reason = _("The guest's records were not read, so its crash dumps are not known.")
        if found.handed:
            reason = _("What was handed in does not tell which crash dumps lie on its disk.")
        instead = _("Look in /var/crash (Linux) or C:\\Windows (Windows) by hand.")
        _end(case, stages.DUMPS, StepState.FAILED, reason=[reason], instead=[instead])
        return
    dumps = capture.dumps_in(incident.window)
    said = [_dump_line(dump) for dump in dumps]
    older = len(capture.dumps) - len(dumps)
    if not said:
        said.append(_("No crash dump of this time was found."))
    if older:
        said.append(_("Dumps of other times: %(count)s.", count=older))
    _done(case, stages.DUMPS, *said)


def _dump_line(dump) -> Text:
    if dump.at is None:
        return _("%(path)s, %(size)s bytes.", path=dump.path, size=dump.size)
    return _(
        "%(path)s, %(size)s bytes, written %(at)s.", path=dump.path, size=dump.size, at=dump.at
    )


def _done(case: DiagnosisCase, key: str, *said: Text) -> None:
    _end(case, key, StepState.DONE, summary=said)


def _end(case: DiagnosisCase, key: str, state: str, **said: object) -> None:
    step = case.steps.get(key=key)
    step.state = state
    step.finished_at = step.finished_at or timezone.now()  # judging again takes no longer
    step.started_at = step.started_at or step.finished_at
    for name in ("summary", "reason", "instead"):  # nothing of an earlier judging stays
        setattr(step, name, packed(said.get(name, ())))
    step.save()
