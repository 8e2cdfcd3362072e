"""Reading kept evidence again with today's analyzers. The cloud is not asked.

What is read is kept evidence, one case at a time; what is written, if anything, is one short
transaction a case. A case that was read by these analyzers is not read again, so a run that was
broken off goes on where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import F, QuerySet

from diagnostics import history, judging, version
from diagnostics.judging import Opinion
from diagnostics.models import CaseState, DiagnosisCase, Judging, Occasion, SentReport
from diagnostics.speech import spoken
from diagnostics.wording import clean
from portal import audit, cli

log = logging.getLogger(__name__)
BATCH = 200  # primary keys held at a time


class Result(StrEnum):
    SAME = "same"
    CHANGED = "changed"  # the verdict is, or would be, another
    UNREADABLE = "unreadable"  # the old verdict stays; `why` says what went wrong
    BUSY = "busy"  # somebody judges it, or hands something in, at this moment


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case. `before` and `after` are verdicts by their fields."""

    case: DiagnosisCase
    result: Result
    before: dict[str, object] = field(default_factory=dict)
    after: dict[str, object] = field(default_factory=dict)
    why: str = ""
    to_tell: tuple[SentReport, ...] = ()  # reports that say otherwise than `after`


def due(
    seen: QuerySet[DiagnosisCase],
    *,
    since: datetime | None = None,
    keys: Iterable[int] = (),
    again: bool = False,
) -> QuerySet[DiagnosisCase]:
    """Concluded cases that these analyzers have not read; with `again` or by key, any."""
    found = seen.filter(state=CaseState.CONCLUDED).order_by("pk")
    if since:
        found = found.filter(opened_at__gte=since)
    if keys:
        return found.filter(pk__in=keys)
    return found if again else found.exclude(read_by=version.analyzers())


def rejudged(
    cases: QuerySet[DiagnosisCase], *, apply: bool, by=None, via: str
) -> Iterator[Outcome]:
    """The outcome of each case in order of its number. Writes only with `apply`."""
    last = 0
    while keys := list(cases.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        for key in keys:
            outcome = _one(key, apply, by, via)
            if outcome is not None:
                yield outcome
        last = keys[-1]


def _one(key: int, apply: bool, by, via: str) -> Outcome | None:
    rows = DiagnosisCase.objects.select_related("instance", "account")
    case = rows.filter(pk=key, state=CaseState.CONCLUDED).first()
    if case is None:
        return None  # judged by somebody else since the keys were read
    try:
        opinion = judging.read(case)
    except Exception as error:  # one case that cannot be read ends no run over all of them
        log.exception("case %s could not be read again", key)
        return Outcome(case, Result.UNREADABLE, why=f"{type(error).__name__}: {error}"[:300])
    outcome = compared(case, opinion)
    nothing_new = outcome.result == Result.SAME and case.read_by == version.analyzers()
    if not apply or nothing_new or outcome.result == Result.UNREADABLE:
        return outcome
    return _apply(outcome, opinion, by, via)


def compared(case: DiagnosisCase, opinion: Opinion) -> Outcome:
    """The verdict that the case has, against the one that its evidence gets today."""
    before = history.verdict_of(case)
    after = {name: opinion.columns()[name] for name in history.VERDICT}
    known = _broken_before(case)
    if broken := [f"{name}: {why}" for name, why in opinion.broken().items() if name not in known]:
        return Outcome(case, Result.UNREADABLE, before, after, "broke: " + "; ".join(broken)[:300])
    if before == after:
        return Outcome(case, Result.SAME, before, after)
    return Outcome(case, Result.CHANGED, before, after, _why(opinion), _to_tell(case, after))


def _broken_before(case: DiagnosisCase) -> set[str]:
    told = [case.judgement.get(name) or {} for name in ("guest", "console")]
    return {name for each in told for name in each.get("broken") or {}}


def _why(opinion: Opinion) -> str:
    """One line: the new root cause."""
    words = clean(spoken(opinion.conclusion.root_cause))
    return " ".join(words.split())[:300]


def _to_tell(case: DiagnosisCase, after: dict[str, object]) -> tuple[SentReport, ...]:
    """The newest report of each receiver, where it says something else."""
    newest: dict[str, SentReport] = {}
    for report in case.sent.select_related("judging", "sent_by").order_by("pk"):
        newest[report.receiver] = report
    return tuple(
        report
        for report in newest.values()
        if history.differs(history.verdict_of(report.judging), after)
    )


def _apply(outcome: Outcome, opinion: Opinion, by, via: str) -> Outcome:
    case = outcome.case
    with transaction.atomic():
        still = DiagnosisCase.objects.filter(
            pk=case.pk, state=CaseState.CONCLUDED, fence=case.fence
        )
        # This UPDATE also locks the row; whoever judges it at the same time is fenced out.
        if not still.update(fence=F("fence") + 1) or judging.more_came(case, opinion):
            transaction.set_rollback(True)
            return Outcome(case, Result.BUSY, outcome.before, outcome.after)
        rows = DiagnosisCase.objects.filter(pk=case.pk)
        if outcome.result == Result.SAME:
            rows.update(read_by=version.analyzers())
            return outcome
        kept = judging.put_down(case, opinion, Occasion.REJUDGED, by)
        rows.update(**judging.told_by(opinion))
        _record(outcome, kept, by, via)
    return outcome


def _record(outcome: Outcome, kept: Judging, by, via: str) -> None:
    audit.record(
        actor=by or cli.person(),
        act="case.rejudged",
        subject=outcome.case,
        via=via,
        version=kept.number,
        analyzers=kept.analyzers,
        before=told(outcome.before),
        after=told(outcome.after),
        to_tell=[report.sent_to for report in outcome.to_tell],
    )


def told(verdict: dict[str, object]) -> dict[str, object]:
    """A verdict as JSON."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in verdict.items()
    }
