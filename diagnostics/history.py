"""The verdicts of a case over time: each judging is kept, and held against what people know."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext

from diagnostics import version
from diagnostics.models import DiagnosisCase, Judging, Mark, Occasion, SentReport, Truth

SAYS = (  # two verdicts that differ in one of these tell people different things
    "kind",
    "subkind",
    "crashed",
    "function",
    "bugcheck_code",
    "planned",
    "confidence",
    "went_down_at",
)
VERDICT = (*SAYS, "signature")
TOLD = ("kind", "subkind", "function", "bugcheck_code")  # what people call right or wrong


def verdict_of(row: DiagnosisCase | Judging) -> dict[str, object]:
    return {name: getattr(row, name) for name in VERDICT}


def differs(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Would a reader be told something else? (The signature only sorts.)"""
    return any(one[name] != other[name] for name in SAYS)


def keep(
    case: DiagnosisCase,
    columns: Mapping[str, object],
    *,
    occasion: Occasion,
    rests_on: str,
    root_cause: object,
    by=None,
) -> Judging:
    """A new row for the verdict in `columns`; `case` still holds the one before it.

    Inside the caller's transaction. Sent reports that say otherwise become outdated, and what
    people know of the case is held against the new verdict.
    """
    before = latest(case)
    verdict = {name: columns[name] for name in VERDICT}
    judging = Judging(
        case=case,
        number=before.number + 1 if before else 1,
        at=timezone.now(),
        occasion=occasion,
        analyzers=version.analyzers(),
        rests_on=rests_on[:80],
        root_cause=root_cause,
        by=by,
        **verdict,
    )
    judging.right = rated(judging, case.marks.select_related("judging").first())
    judging.save()
    _date(case, verdict)
    return judging


def latest(case: DiagnosisCase) -> Judging | None:
    """The judging that the case shows; that of a time before rows were kept is written now."""
    found = case.judgings.order_by("number").last()
    if found is None and case.kind:
        found = Judging.objects.create(
            case=case,
            number=1,
            at=case.concluded_at or timezone.now(),
            occasion=Occasion.FIRST,
            rests_on=case.judgement.get("conclusion", {}).get("origin", ""),
            root_cause=case.judgement.get("conclusion", {}).get("root_cause", {}),
            **verdict_of(case),
        )
    return found


class NotTheVersion(Exception):
    """The case was judged again since the person looked at it; the message is fit for them."""


def locked(case: DiagnosisCase, version: int) -> DiagnosisCase:
    """The case, held until the transaction ends, if it still shows this version of its verdict."""
    case = DiagnosisCase.objects.select_for_update().get(pk=case.pk)
    if not case.over or number_shown(case) != version:
        raise NotTheVersion(
            gettext("The case was judged again in the meantime. Look at its verdict first.")
        )
    return case


def number_shown(case: DiagnosisCase) -> int:
    """The version of the verdict that the case shows."""
    return case.judgings.aggregate(last=Max("number"))["last"] or 1


def _date(case: DiagnosisCase, verdict: Mapping[str, object]) -> None:
    for report in case.sent.select_related("judging"):
        says = differs(verdict_of(report.judging), verdict)
        if says != bool(report.outdated_at):
            outdated = timezone.now() if says else None
            SentReport.objects.filter(pk=report.pk).update(outdated_at=outdated)


def rated(judging: Judging, mark: Mark | None) -> bool | None:
    """Was this verdict right, by what people know of the case? None: that does not tell."""
    if mark is None or mark.truth == Truth.UNKNOWN:
        return None
    if mark.truth == Truth.RIGHT and mark.true_kind == "undetermined":
        return None  # it was honest to say nothing; that is no hit, and speaks against nobody
    marked = mark.judging
    if all(getattr(judging, name) == getattr(marked, name) for name in TOLD):
        return mark.truth == Truth.RIGHT
    same_kind = mark.true_kind == marked.kind and mark.true_subkind in ("", marked.subkind)
    if not mark.true_kind or (mark.truth == Truth.WRONG and same_kind):
        return None  # wrong in something that the vocabulary has no word for
    return judging.kind == mark.true_kind and mark.true_subkind in ("", judging.subkind)


def rate_again(case: DiagnosisCase, mark: Mark) -> None:
    """Hold every verdict of the case against its newest mark. Inside the caller's transaction."""
    for judging in case.judgings.all():
        right = rated(judging, mark)
        if right != judging.right:
            Judging.objects.filter(pk=judging.pk).update(right=right)
