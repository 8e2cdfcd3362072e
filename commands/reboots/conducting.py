"""The next step of a batch: open a wave, pause, or end; never a call that takes anything down."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
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
from commands.reboots import estimate, halting, items, looking, planning, rate, telling, waves
from commands.reboots.preflight import Unfit
from portal import audit, work
from portal.kept import kept
from portal.transitions import move
from portal.work import Claim

CANARY_FAILED = kept("The canary is not proven: %(found)s. Look at it, then go on or stop.")
CANARY_SEEN = kept("The canary is over; the rest waits for approval.")
FIRST_OVER = kept("The first batch is over.")
ONE_OVER = kept("A batch is over.")


LOOKS_AGAIN = timedelta(seconds=30)  # where a region could not be asked


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
        looking.keep(batch, rows, seen)
        told = looking.refreshed(rows, seen)
        if seen.problems and batch.approvals.filter(state="waiting").exists():
            claim.release(due_at=timezone.now() + LOOKS_AGAIN, **told)
        else:
            claim.release(due_at=timezone.now(), **{**told, "look_at": None})


def _conduct(claim: Claim[RebootBatch], now: datetime) -> None:
    batch = claim.row
    batch.refresh_from_db()  # a person may have spoken since it was claimed
    if now < batch.opens_at and not batch.stop_asked_at:
        return claim.release(due_at=batch.opens_at)
    going = waves.of(batch)
    if ending := halting.ending(batch, now):
        items.end_all(batch.items.filter(state=ItemState.PLANNED), *_told(ending))
        for wave in going:
            wave.wake()  # what of it was not taken down yet is not any more
    if not batch.items.filter(state=ItemState.PLANNED).exists():
        return _wait(claim) if going else _finish(claim, _how_it_ended(batch, ending))
    if batch.state == BatchState.PAUSED:
        return claim.release(due_at=batch.closes_at)
    if going and (batch.mode == RateMode.BATCH or any(wave.canary for wave in going)):
        return _wait(claim)
    if not going and (why := _pause(batch)):
        return _rest(claim, why)
    _open(claim, now, going)


def _told(ending: str) -> tuple[str, str]:
    return ItemOutcome.NOT_STARTED, halting.WORDS[Ending(ending)]


def _how_it_ended(batch: RebootBatch, ending: str) -> str:
    """Where everybody had their turn it is done, however late and with however many errors."""
    left = batch.items.filter(outcome=ItemOutcome.NOT_STARTED)
    if not left.exists():
        return Ending.DONE
    return ending or (Ending.WINDOW if left.filter(reason=halting.NO_TIME) else Ending.DONE)


def _wait(claim: Claim[RebootBatch]) -> None:
    """A wave that ends wakes us; this is for a bell that got lost."""
    claim.release(due_at=timezone.now() + waves.ASIDE)


def _finish(claim: Claim[RebootBatch], ending: str) -> None:
    batch = claim.row
    now = timezone.now()
    if waiting := batch.approvals.filter(state="waiting").first():
        move(waiting, source="waiting", target="expired", due_at=None)  # it came too late
    claim.release(
        due_at=None, state=BatchState.FINISHED, ending=ending, finished_at=now, paused_why=""
    )
    audit.record(
        actor="conductor",
        act="reboot.finished",
        subject=batch,
        via="job",
        ending=ending,
        outcomes=halting.outcomes(batch),
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
        return CANARY_FAILED % {"found": found}
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
    if window := halting.freeze(batch, [item.instance for item in chosen], now):
        return claim.release(due_at=min(window.ends_at, batch.closes_at))
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
    told = planning.rate_of(batch)
    down = planning.down_now() if told.spread else []
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
