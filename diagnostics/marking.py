"""Saying of a verdict whether it was right, once people know what really happened."""

from __future__ import annotations

from django.db import transaction

from diagnostics import history
from diagnostics.history import NotTheVersion
from diagnostics.models import DiagnosisCase, Mark, Truth
from portal import audit

__all__ = ["NotTheVersion", "as_marked", "mark"]


def mark(
    case: DiagnosisCase,
    *,
    by,
    via: str,
    version: int,
    truth: str,
    true_kind: str = "",
    true_subkind: str = "",
    words: str = "",
) -> Mark:
    """The word of one person on the verdict that they saw. Raises NotTheVersion."""
    with transaction.atomic():
        case = history.locked(case, version)
        judging = history.latest(case)
        if truth == Truth.RIGHT:
            true_kind, true_subkind = judging.kind, judging.subkind
        elif truth == Truth.UNKNOWN:
            true_kind = true_subkind = ""
        made = Mark.objects.create(
            case=case,
            judging=judging,
            truth=truth,
            true_kind=true_kind,
            true_subkind=true_subkind,
            words=words,
            by=by,
        )
        history.rate_again(case, made)
        audit.record(
            actor=by,
            act="case.marked",
            subject=case,
            via=via,
            version=judging.number,
            verdict=judging.kind,
            truth=truth,
            true_kind=true_kind,
            true_subkind=true_subkind,
        )
    return made


def as_marked(case: DiagnosisCase) -> dict[str, str]:
    """What the form shows at first: what was said last, held against the verdict shown now."""
    last, shown = case.marks.select_related("judging").first(), case.judgings.last()
    if last is None or shown is None:
        return {}
    known = {True: Truth.RIGHT, False: Truth.WRONG, None: Truth.UNKNOWN}[shown.right]
    truth = last.truth if last.judging_id == shown.pk else known
    told = {name: getattr(last, name) for name in ("true_kind", "true_subkind", "words")}
    return {"truth": truth, **told}
