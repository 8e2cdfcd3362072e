"""The ends of items, and what a wave may still do with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from commands.models import ItemOutcome, ItemState, RebootItem, Verdict

OUTCOMES = {
    Verdict.VERIFIED: ItemOutcome.PROVEN,
    Verdict.SAME_BOOT: ItemOutcome.SAME_BOOT,
    Verdict.UNVERIFIED: ItemOutcome.UNVERIFIED,
    Verdict.NOT_BACK: ItemOutcome.NOT_BACK,
}


def end(items: Iterable[RebootItem], outcome: str, reason: str, **more: Any) -> int:
    """End items that were not taken down. Those that were are left alone: only proof ends them."""
    rows = RebootItem.objects.filter(pk__in=[item.pk for item in items])
    return end_all(rows, outcome, reason, **more)


def end_all(rows: QuerySet[RebootItem], outcome: str, reason: str, **more: Any) -> int:
    never_asked = rows.filter(state__in=(ItemState.PLANNED, ItemState.PREPARING))
    return never_asked.update(state=ItemState.OVER, outcome=outcome, reason=reason, **more)


def refuse(item: RebootItem, code: str, reason: str) -> None:
    """ECS said no, so nothing happened to it."""
    RebootItem.objects.filter(pk=item.pk, state=ItemState.ASKED).update(
        state=ItemState.OVER,
        outcome=ItemOutcome.REFUSED,
        error_code=code[:100],
        reason=reason.replace("\0", "")[:2000],
        answered_at=timezone.now(),
    )


def judge(item: RebootItem, verdict: str, *, to_be_checked: bool) -> None:
    """Write the verdict, once; whoever came back and is to be checked stays live for that."""
    now = timezone.now()
    checked = to_be_checked and verdict == Verdict.VERIFIED
    RebootItem.objects.filter(pk=item.pk, state=ItemState.ASKED, verdict="").update(
        verdict=verdict,
        judged_at=now,
        state=ItemState.CHECKING if checked else ItemState.OVER,
        outcome="" if checked else OUTCOMES[Verdict(verdict)],
    )


def checked(item: RebootItem, *, fine: bool, reason: str, target: int | None) -> None:
    """The post-check has spoken."""
    RebootItem.objects.filter(pk=item.pk, state=ItemState.CHECKING).update(
        state=ItemState.OVER,
        outcome=ItemOutcome.PROVEN if fine else ItemOutcome.CHECK_FAILED,
        reason=reason[:2000],
        post_target=target,
    )
