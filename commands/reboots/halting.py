"""Whether a batch may go on: asked before each wave, and again right before its power call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count

from commands import freezes
from commands.models import Cleared, Ending, FreezeWindow, ItemOutcome, RebootBatch, RebootWave
from commands.reboots import estimate, frozen, rate
from instances.models import Instance
from portal.kept import kept

WORDS = {
    Ending.BUDGET: kept("More errors than the batch was allowed."),
    Ending.STOPPED: kept("Stopped before its turn came."),
    Ending.CHANGED: kept("The batch is no longer what was approved."),
    Ending.WINDOW: kept("The window closed before its turn came."),
    Ending.SHRUNK: kept("Too many instances of the batch had become unfit."),
}
NO_TIME = kept("What was left of the window was too short for its wave.")
NOT_CLEARED = kept("Only the canary was approved.")


def ending(batch: RebootBatch, now: datetime) -> str:
    """Why nothing more of it is begun; "" while it goes on."""
    if batch.stop_asked_at:
        return Ending.STOPPED
    if frozen.changed(batch):
        return Ending.CHANGED
    counts = outcomes(batch)
    errors = sum(counts.get(outcome, 0) for outcome in ItemOutcome.errors())
    if errors > rate.allowed_errors(batch.max_errors, batch.size):
        return Ending.BUDGET
    if counts.get(ItemOutcome.SKIPPED, 0) > may_become_unfit(batch):
        return Ending.SHRUNK
    return Ending.WINDOW if now >= batch.closes_at else ""


def outcomes(batch: RebootBatch) -> dict[str, int]:
    rows = batch.items.exclude(outcome="").order_by().values_list("outcome")
    return dict(rows.annotate(Count("pk")))


def may_become_unfit(batch: RebootBatch) -> int:
    """A share, rounded down, but one at least: except where the approver allowed none."""
    return max(1, batch.size * batch.may_shrink // 100) if batch.may_shrink else 0


def why_not(
    batch: RebootBatch, wave: RebootWave, members: Sequence[Instance], now: datetime
) -> str:
    """Why those of a wave that are not down yet are not taken down any more."""
    if over := ending(batch, now):
        return WORDS[Ending(over)]
    if batch.cleared == Cleared.NOTHING or (batch.cleared == Cleared.CANARY and not wave.canary):
        return NOT_CLEARED
    if members and now + estimate.from_power(batch, members) > batch.closes_at:
        return NO_TIME
    return ""


def freeze(batch: RebootBatch, members: Sequence[Instance], now: datetime) -> FreezeWindow | None:
    """A freeze in which nothing of this begins; an emergency does."""
    standing = [] if batch.emergency else freezes.standing(now, members)
    return max(standing, key=lambda window: window.ends_at, default=None)
