"""A wave from its first look to its last: one short step at a time, each in its own transaction.

looking -> pre-command -> boot before -> taking them down -> proof -> post-check -> over
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from commands.models import (
    BatchState,
    ItemOutcome,
    ItemState,
    Outcome,
    RebootBatch,
    RebootItem,
    RebootWave,
    WaveRun,
    WaveStage,
    Way,
)
from commands.reboots import halting, items, looking, preflight, proving, taking_down, wave_runs
from commands.reboots.preflight import Needs, Unfit
from portal import work
from portal.kept import kept
from portal.work import Claim

CANNOT_LOOK = timedelta(minutes=5)  # so long a wave tries to look at its instances
ASIDE = timedelta(seconds=30)  # a run that is over wakes us; this is for a bell that got lost
Purpose = WaveRun.Purpose

NOT_SEEN = kept("ECS could not be asked about it: %(why)s")
WENT_DOWN = kept("The pre-command itself took it down, before its boot was read: %(ending)s")
WENT_AGAIN = kept("The post-check itself took it down again: %(ending)s")
NO_READING = kept("Its boot could not be read before, and nobody accepted it without proof.")


@work.job(RebootWave)
def carry_on(claim: Claim[RebootWave]) -> None:
    """Do the next step of this wave, and wake its batch when something of it is over."""
    wave = claim.row
    before = (wave.stage, _over(wave))
    STEPS[WaveStage(wave.stage)](claim)
    if (wave.stage, _over(wave)) != before:
        wave.batch.wake()


def _over(wave: RebootWave) -> int:
    return wave.items.filter(state=ItemState.OVER).count()


def _preparing(wave: RebootWave) -> list[RebootItem]:
    rows = wave.items.filter(state=ItemState.PREPARING).order_by("place")
    return list(rows.select_related("instance__account"))


def _check(claim: Claim[RebootWave]) -> None:
    """The pre-flight once more: whoever has become unfit is left out, with the reason."""
    wave, batch = claim.row, claim.row.batch
    rows = _preparing(wave)
    if _halted(claim, rows):
        return
    with claim.held():
        seen = looking.look(batch, rows)
    give_up = wave.deadline or timezone.now() + CANNOT_LOOK
    if seen.problems and timezone.now() < give_up:
        return claim.release(due_at=timezone.now() + timedelta(seconds=5), deadline=give_up)
    with transaction.atomic():
        claim.write(deadline=None, looked_at=timezone.now())
        before = {item.pk: item.facts for item in rows}
        looking.keep(batch, rows, seen)
        needs, tag, fit = Needs.of(batch), preflight.tag_of_rule(batch), []
        for item in rows:
            place = (item.instance.account_id, item.instance.region)
            why = preflight.unfit(item.facts, needs, accepted=item.accepted)
            if not why and not batch.emergency:
                why = preflight.unfit_since(before[item.pk], item.facts, tag)
            if place in seen.problems:
                why = NOT_SEEN % {"why": seen.problems[place]}
                items.end([item], ItemOutcome.SKIPPED, why)
            elif why:
                items.end([item], ItemOutcome.SKIPPED, _said(why, item))
            else:
                fit.append(item)
        # After a pause they are looked at again; the pre-command runs once.
        unprepared = [item for item in fit if item.pre_target_id is None]
        with_script = batch.pre_script and batch.way != Way.EXIT_CODE and not batch.rehearsal
        if unprepared and with_script:
            wave_runs.begin(wave, Purpose.PRE, unprepared, batch.pre_script)
            claim.release(due_at=timezone.now() + ASIDE, stage=WaveStage.PRE)
        else:
            _read_before(claim, fit)


def _halted(claim: Claim[RebootWave], rows: list[RebootItem]) -> bool:
    """Where the batch has been ended or paused meanwhile, nothing is begun on these any more."""
    wave = claim.row
    with transaction.atomic():
        batch = RebootBatch.objects.select_for_update().get(pk=wave.batch_id)
        claim.renew()
        if why := halting.why_not(batch, wave, [item.instance for item in rows], timezone.now()):
            items.end(rows, ItemOutcome.NOT_STARTED, why)
            claim.release(due_at=timezone.now(), stage=WaveStage.POWER)
        elif rows and batch.state == BatchState.PAUSED:
            claim.release(due_at=None)  # whoever resumes it wakes us
    return claim.released


def _said(why: Unfit, item: RebootItem) -> str:
    told = {Unfit.STATUS: item.facts["status"], Unfit.LOCKED: ", ".join(item.facts["locks"])}
    told[Unfit.AGENT_OLD] = item.facts["agent_version"]
    told[Unfit.IN_FLIGHT] = f"#{item.facts['in_flight']}"
    told[Unfit.RUN] = f"#{item.facts['run']}"
    return f"{why.value}: {told[why]}" if told.get(why) else why.value


def _after_pre(claim: Claim[RebootWave]) -> None:
    wave = claim.row
    if wave_runs.going(wave, Purpose.PRE):
        return claim.release(due_at=timezone.now() + ASIDE)
    with transaction.atomic():
        claim.renew()
        for item, target in wave_runs.take_over(wave, Purpose.PRE):
            RebootItem.objects.filter(pk=item.pk).update(pre_target=target)
            ending = wave_runs.in_words(target)
            if target.outcome == Outcome.GOING_DOWN:
                items.end([item], ItemOutcome.UNVERIFIED, WENT_DOWN % {"ending": ending})
            elif target.outcome != Outcome.OK:
                items.end([item], ItemOutcome.PRE_FAILED, ending)
        _read_before(claim, _preparing(wave))


def _read_before(claim: Claim[RebootWave], fit: list[RebootItem]) -> None:
    """Whoever can be asked is; those that were stopped, or accepted without proof, are not."""
    wave, batch = claim.row, claim.row.batch
    # What was read before a pause is too old to prove anything by.
    wave.items.filter(state=ItemState.PREPARING).update(before_boot_id="", before_booted_at=None)
    readable = [item for item in fit if item.facts["agent"] == "alive"]
    if batch.way == Way.START or not batch.comes_back or not readable:
        return claim.release(due_at=timezone.now(), stage=WaveStage.POWER)
    wave_runs.probe(wave, Purpose.BEFORE, readable)
    claim.release(due_at=timezone.now() + ASIDE, stage=WaveStage.BEFORE)


def _after_before(claim: Claim[RebootWave]) -> None:
    wave = claim.row
    if wave_runs.going(wave, Purpose.BEFORE):
        return claim.release(due_at=timezone.now() + ASIDE)
    with transaction.atomic():
        claim.renew()
        for item, target in wave_runs.take_over(wave, Purpose.BEFORE):
            if reading := wave_runs.reading_of(item, target):
                RebootItem.objects.filter(pk=item.pk).update(
                    before_boot_id=reading.boot_id, before_booted_at=reading.booted_at
                )
            elif not item.accepted:
                items.end([item], ItemOutcome.SKIPPED, f"{Unfit.NO_PROOF.value}: {NO_READING}")
        claim.release(due_at=timezone.now(), stage=WaveStage.POWER)


def _power(claim: Claim[RebootWave]) -> None:
    wave, batch = claim.row, claim.row.batch
    if not batch.rehearsal:
        return taking_down.take_down(claim)
    with transaction.atomic():
        claim.renew()
        items.end(_preparing(wave), ItemOutcome.REHEARSED, "")
        _close(claim)


def _prove(claim: Claim[RebootWave]) -> None:
    wave, batch = claim.row, claim.row.batch
    if not proving.prove(claim):
        return claim.release(due_at=proving.next_look(wave, timezone.now()))
    with_event = proving.with_open_event(wave)
    if with_event:
        with claim.held():
            looking.look(batch, with_event)
    with transaction.atomic():
        claim.renew()
        proving.note_events(with_event)
        proving.remember_boots(wave)
        proven = list(wave.items.filter(state=ItemState.CHECKING).select_related("instance"))
        if not proven:
            return _close(claim)
        wave_runs.begin(wave, Purpose.POST, proven, batch.post_script)
        claim.release(due_at=timezone.now() + ASIDE, stage=WaveStage.POST)


def _after_post(claim: Claim[RebootWave]) -> None:
    wave = claim.row
    if wave_runs.going(wave, Purpose.POST):
        return claim.release(due_at=timezone.now() + ASIDE)
    with transaction.atomic():
        claim.renew()
        for item, target in wave_runs.take_over(wave, Purpose.POST):
            fine = target.outcome == Outcome.OK
            reason = "" if fine else wave_runs.in_words(target)
            if target.outcome == Outcome.GOING_DOWN:
                reason = WENT_AGAIN % {"ending": reason}
            items.checked(item, fine=fine, reason=reason, target=target.pk)
        _close(claim)


def _close(claim: Claim[RebootWave]) -> None:
    """Everybody is over; whoever did not come back is looked for a while longer, and so are the
    events whose end ECS has not told yet."""
    now = timezone.now()
    late = proving.late_ones(claim.row) or proving.with_open_event(claim.row)
    stage = WaveStage.LATE if late else WaveStage.OVER
    due_at = now + timedelta(seconds=30) if late else None
    claim.release(due_at=due_at, stage=stage, ended_at=now)


def _late(claim: Claim[RebootWave]) -> None:
    wave, now = claim.row, timezone.now()
    age = now - wave.ended_at
    with_event = proving.with_open_event(wave)
    late = bool(proving.late_ones(wave))
    if age > proving.LATE_FOR or not (late or with_event):
        return claim.release(due_at=None, stage=WaveStage.OVER)
    if late:
        proving.look_for_late_ones(claim)
    if with_event:
        with claim.held():
            looking.look(wave.batch, with_event)
        claim.renew()
        proving.note_events(with_event)
    rest = min(max(age / 8, timedelta(seconds=30)), timedelta(minutes=10))
    claim.release(due_at=now + rest)


def _nothing(claim: Claim[RebootWave]) -> None:
    claim.release(due_at=None)


STEPS: dict[WaveStage, Callable[[Claim[RebootWave]], None]] = {
    WaveStage.CHECKING: _check,
    WaveStage.PRE: _after_pre,
    WaveStage.BEFORE: _after_before,
    WaveStage.POWER: _power,
    WaveStage.PROVING: _prove,
    WaveStage.POST: _after_post,
    WaveStage.LATE: _late,
    WaveStage.OVER: _nothing,
}


def of(batch: RebootBatch) -> list[RebootWave]:
    """Waves whose instances are still on their way."""
    return list(batch.waves.exclude(stage__in=(WaveStage.LATE, WaveStage.OVER)))
