"""The next step of a batch: open a wave, pause, or end; never a call that takes anything down."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils import timezone

from commands.models import (
    LIVE,
    BatchState,
    Cleared,
    Ending,
    ItemOutcome,
    ItemState,
    PauseOption,
    RateMode,
    RebootBatch,
    RebootItem,
    RebootWave,
)
from commands.reboots import estimate, items, looking, planning, rate, telling, waves
from commands.reboots.preflight import Unfit
from portal import audit, work
from portal.work import Claim

WORDS = {
    Ending.BUDGET: "More errors than the batch was allowed.",
    Ending.STOPPED: "Stopped before its turn came.",
    Ending.WINDOW: "The window closed before its turn came.",
    Ending.SHRUNK: "Too many instances of the batch had become unfit.",
}
CANARY_FAILED = "The canary is not proven: {found}. Look at it, then go on or stop."
CANARY_SEEN = "The canary is over; the rest waits for approval."
FIRST_OVER = "The first batch is over."
ONE_OVER = "A batch is over."


@work.job(RebootBatch)
def carry_on(claim: Claim[RebootBatch]) -> None:
    """Do what is next, as the batch's state says."""
    batch = claim.row
    if batch.look_at is not None:
        return _look(claim)
    if batch.state in (BatchState.WAITING, BatchState.FINISHED):
        return claim.release(due_at=None)
    with transaction.atomic():
        claim.renew()
        _conduct(claim, timezone.now())


def _look(claim: Claim[RebootBatch]) -> None:
    """A fresh look at the instances, for whoever decides."""
    batch = claim.row
    rows = list(batch.items.filter(state=ItemState.PLANNED).select_related("instance"))
    with claim.held():
        seen = looking.look(batch, rows)
    with transaction.atomic():
        claim.renew()
        if not seen.problems or seen.seen:
            looking.keep(batch, rows, seen)
        claim.release(due_at=timezone.now(), **looking.refreshed(batch))


def _conduct(claim: Claim[RebootBatch], now: datetime) -> None:
    batch = claim.row
    batch.refresh_from_db()  # a person may have spoken since it was claimed
    if now < batch.opens_at and not batch.stop_asked_at:
        return claim.release(due_at=batch.opens_at)
    going = waves.of(batch)
    if ending := _ending(batch, now):
        items.end_all(batch.items.filter(state=ItemState.PLANNED), *_told(ending))
        for wave in going:
            wave.wake()  # what of it was not taken down yet is not any more
        return _wait(claim) if going else _finish(claim, ending)
    if not batch.items.filter(state=ItemState.PLANNED).exists():
        return _wait(claim) if going else _finish(claim, Ending.DONE)
    if batch.state == BatchState.PAUSED:
        return claim.release(due_at=batch.closes_at)
    if going and (batch.mode == RateMode.BATCH or any(wave.canary for wave in going)):
        return _wait(claim)
    if not going and (why := _pause(batch)):
        return _rest(claim, why)
    _open(claim, now, going)


def _ending(batch: RebootBatch, now: datetime) -> str:
    """Why nothing more of it is begun; "" while it goes on."""
    if batch.stop_asked_at:
        return Ending.STOPPED
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


def _told(ending: str) -> tuple[str, str]:
    return ItemOutcome.NOT_STARTED, WORDS[Ending(ending)]


def _wait(claim: Claim[RebootBatch]) -> None:
    """A wave that ends wakes us; this is for a bell that got lost."""
    claim.release(due_at=timezone.now() + waves.ASIDE)


def _finish(claim: Claim[RebootBatch], ending: str) -> None:
    batch = claim.row
    now = timezone.now()
    claim.release(
        due_at=None, state=BatchState.FINISHED, ending=ending, finished_at=now, paused_why=""
    )
    audit.record(
        actor="conductor",
        act="reboot.finished",
        subject=batch,
        via="job",
        ending=ending,
        outcomes=outcomes(batch),
    )
    telling.finished(batch)


def _pause(batch: RebootBatch) -> str:
    """Why the next wave waits for a person; nothing is on its way now."""
    done = list(batch.waves.order_by("number"))
    if not done:
        return ""
    last = done[-1]
    if last.pk == batch.passed_wave:
        return ""  # a person has seen this one and said: go on
    if last.canary:
        return _after_canary(batch, last)
    if batch.mode != RateMode.BATCH:
        return ""
    batches = [wave for wave in done if not wave.canary]
    if batch.pause_option == PauseOption.EVERY:
        return ONE_OVER
    return FIRST_OVER if batch.pause_option == PauseOption.FIRST and len(batches) == 1 else ""


def _after_canary(batch: RebootBatch, wave: RebootWave) -> str:
    good = (ItemOutcome.PROVEN, ItemOutcome.REHEARSED)
    bad = wave.items.exclude(outcome__in=good).select_related("instance")
    if found := ", ".join(f"{item} {item.get_outcome_display()}" for item in bad[:5]):
        return CANARY_FAILED.format(found=found)
    return CANARY_SEEN if batch.cleared == Cleared.CANARY else ""


def _rest(claim: Claim[RebootBatch], why: str) -> None:
    from commands.reboots import approving  # it starts batches, and so knows this module

    batch = claim.row
    claim.release(due_at=batch.closes_at, state=BatchState.PAUSED, paused_why=why)
    audit.record(actor="conductor", act="reboot.paused", subject=batch, via="job", why=why)
    if batch.cleared == Cleared.CANARY:
        approving.ask_again(batch)
    telling.paused(batch)


def _open(claim: Claim[RebootBatch], now: datetime, going: list[RebootWave]) -> None:
    """Take up the next wave if there is room for it and time."""
    batch = claim.row
    canary = bool(batch.canary) and not batch.waves.exists()
    chosen = _chosen(batch, canary)
    if not chosen:
        return _wait(claim)
    if not estimate.fits(batch, [item.instance for item in chosen], now):
        if going:
            return _wait(claim)
        items.end_all(batch.items.filter(state=ItemState.PLANNED), *_told(Ending.WINDOW))
        return _finish(claim, Ending.WINDOW)
    claim.write(state=BatchState.RUNNING, started_at=batch.started_at or now)
    number = batch.waves.count() + 1
    if number == 1:
        telling.started(batch)
    _begin(batch, chosen, number, canary, now)
    claim.release(due_at=now if batch.mode == RateMode.CONCURRENCY else now + waves.ASIDE)


def _chosen(batch: RebootBatch, canary: bool) -> list[RebootItem]:
    """Who goes next; whoever another batch has under way is left out for good."""
    pending = _not_elsewhere(batch, planning.pending(batch))
    down = planning.down_now()
    told = planning.rate_of(batch)
    fleet = planning.fleet_of([*(i.instance for i in pending), *down], told.spread)
    mine = batch.items.filter(state__in=LIVE).count()
    done = batch.waves.filter(canary=False).count()
    most = batch.canary if canary else rate.room(told, batch.size, done, mine)
    keys = rate.choose(
        [item.instance_id for item in pending], [row.pk for row in down], told, fleet, most
    )
    wanted = set(keys)
    return [item for item in pending if item.instance_id in wanted]


def _not_elsewhere(batch: RebootBatch, pending: list[RebootItem]) -> list[RebootItem]:
    others = RebootItem.objects.filter(state__in=LIVE).exclude(batch=batch)
    flying = dict(others.values_list("instance_id", "batch_id"))
    for item in pending:
        if other := flying.get(item.instance_id):
            items.end([item], ItemOutcome.SKIPPED, f"{Unfit.IN_FLIGHT.value}: #{other}")
    return [item for item in pending if item.instance_id not in flying]


def _begin(
    batch: RebootBatch, chosen: list[RebootItem], number: int, canary: bool, now: datetime
) -> None:
    try:
        with transaction.atomic():
            wave = RebootWave.objects.create(
                batch=batch, number=number, canary=canary, due_at=now, rung_at=now
            )
            rows = RebootItem.objects.filter(pk__in=[item.pk for item in chosen])
            rows.filter(state=ItemState.PLANNED).update(state=ItemState.PREPARING, wave=wave)
            wave.ring()
    except IntegrityError:  # another batch was quicker with one of them: choose anew
        batch.wake()
