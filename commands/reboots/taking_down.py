"""The power call of a wave: each instance is asked for once, whatever dies and whatever is lost.

The edge to `asked` is committed before the call, and no code leads back from it. A worker that
finds instances asked for without an answer does not call again: their answer is in doubt, and only
a look at the machines settles that. A call that ECS answered with "throttled" did not happen; the
same worker may make it again while it still holds the wave.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from commands.models import (
    BatchState,
    Cleared,
    ItemOutcome,
    ItemState,
    RebootBatch,
    RebootItem,
    RebootWave,
    WaveRun,
    WaveStage,
    Way,
)
from commands.reboots import items, wave_runs
from instances import ecs
from portal import audit
from portal.work import Claim

THROTTLED_FOR = 60.0  # seconds in which a throttled call is made again
ACTS = {Way.REBOOT: "reboot", Way.FORCE: "reboot", Way.STOP: "stop", Way.START: "start"}

STOPPED = "Stopped before its turn came."
WINDOW_CLOSED = "The window closed before its turn came."
NOT_CLEARED = "Only the canary was approved."

Chunk = tuple[RebootItem, ...]


def take_down(claim: Claim[RebootWave]) -> None:
    """Commit the intent, make the calls, write the answers; then the proof begins."""
    wave = claim.row
    batch = wave.batch
    doubtful = wave.items.filter(state=ItemState.ASKED, answered_at=None)
    doubtful.update(in_doubt=True)
    if not (asked := _intended(claim)):
        return
    if batch.way != Way.EXIT_CODE:
        with claim.held():
            _call(claim, batch, asked)
    with transaction.atomic():
        claim.release(due_at=timezone.now() + timedelta(seconds=1), stage=WaveStage.PROVING)


def _intended(claim: Claim[RebootWave]) -> list[RebootItem]:
    """Those that are asked for now, committed as such; empty where the wave goes elsewhere."""
    wave = claim.row
    with transaction.atomic():
        claim.renew()  # nobody else has this wave until the commit
        batch = RebootBatch.objects.select_for_update().get(pk=wave.batch_id)
        ready = wave.items.filter(state=ItemState.PREPARING)
        if why := _not_now(batch, wave):
            items.end_all(ready, ItemOutcome.NOT_STARTED, why)
        elif batch.state == BatchState.PAUSED and ready.exists():
            # What was read of them will be old when it goes on, so they are looked at again.
            claim.release(due_at=None, stage=WaveStage.CHECKING)
            return []
        asked = list(ready.select_related("instance__account").order_by("place"))
        now = timezone.now()
        for item in asked:
            item.state, item.asked_at = ItemState.ASKED, now
            item.back_by = now + timedelta(seconds=batch.back_within(item.instance))
            item.before_started_at = item.instance.started_at
        RebootItem.objects.bulk_update(
            asked, ["state", "asked_at", "back_by", "before_started_at"], batch_size=200
        )
        if asked:
            _tell(batch, wave, asked)
        if batch.way == Way.EXIT_CODE and asked:
            wave_runs.begin(wave, WaveRun.Purpose.POWER, asked, batch.pre_script)
        if not asked:
            claim.release(due_at=now, stage=WaveStage.PROVING)
    return asked


def _not_now(batch: RebootBatch, wave: RebootWave) -> str:
    """Why nothing more of this batch is taken down."""
    if batch.stop_asked_at:
        return STOPPED
    if batch.cleared == Cleared.NOTHING or (batch.cleared == Cleared.CANARY and not wave.canary):
        return NOT_CLEARED
    return WINDOW_CLOSED if timezone.now() >= batch.closes_at else ""


def _tell(batch: RebootBatch, wave: RebootWave, asked: list[RebootItem]) -> None:
    audit.record(
        actor="conductor",
        act="reboot.wave_taken_down",
        subject=batch,
        via="job",
        wave=wave.number,
        way=batch.way,
        instances=[item.instance.instance_id for item in asked],
        digest=batch.digest,
    )


def _call(claim: Claim[RebootWave], batch: RebootBatch, asked: list[RebootItem]) -> None:
    """One call for up to a hundred of an account and region, side by side."""
    calls = {chunk: partial(_power, batch, chunk) for chunk in _chunks(asked)}
    for chunk, answer in ecs.side_by_side(calls):
        with transaction.atomic():
            claim.renew()
            _write(chunk, answer)


def _chunks(asked: list[RebootItem]) -> list[Chunk]:
    places: dict[tuple[int, str], list[RebootItem]] = {}
    for item in asked:
        place = (item.instance.account_id, item.instance.region)
        places.setdefault(place, []).append(item)
    size = ecs.POWER_LIMIT
    return [
        tuple(rows[at : at + size]) for rows in places.values() for at in range(0, len(rows), size)
    ]


def _power(batch: RebootBatch, chunk: Chunk) -> ecs.Answer[list[ecs.PowerAnswer]]:
    instance = chunk[0].instance
    call: Callable[[], ecs.Answer] = partial(
        ecs.power,
        instance.account.signing(),
        instance.region,
        [item.instance.instance_id for item in chunk],
        ACTS[Way(batch.way)],
        force=batch.way == Way.FORCE,
        stopped_mode=batch.stopped_mode,
    )
    give_up = time.monotonic() + THROTTLED_FOR
    while True:
        try:
            return call()
        except ecs.Throttled as error:
            rest = min(max(error.retry_after or 1.0, 0.5), 10.0)
            if error.in_doubt or time.monotonic() + rest > give_up:
                raise
            time.sleep(rest)


def _write(chunk: Chunk, answer: ecs.Answer[list[ecs.PowerAnswer]] | Exception) -> None:
    now = timezone.now()
    rows = RebootItem.objects.filter(pk__in=[item.pk for item in chunk], state=ItemState.ASKED)
    if isinstance(answer, ecs.Refused) and not answer.in_doubt:
        for item in chunk:
            items.refuse(item, answer.code, str(answer))
    elif isinstance(answer, ecs.EcsError):
        rows.update(in_doubt=True, error_code=answer.code[:100], reason=str(answer)[:2000])
    elif isinstance(answer, Exception):
        rows.update(in_doubt=True, reason=f"{type(answer).__name__}: {answer}"[:2000])
    else:
        _write_each(chunk, answer, now)


def _write_each(chunk: Chunk, answer: ecs.Answer[list[ecs.PowerAnswer]], now: datetime) -> None:
    told = {row.instance_id: row for row in answer.value}
    request_id = (answer.request_ids or ("",))[-1][:64]
    taken, lacking = [], []
    for item in chunk:
        said = told.get(item.instance.instance_id)
        if said is None:
            lacking.append(item.pk)
        elif said.code:
            items.refuse(item, said.code, said.message)
        else:
            taken.append(item.pk)
    asked = RebootItem.objects.filter(state=ItemState.ASKED)
    asked.filter(pk__in=taken).update(answered_at=now, request_id=request_id, in_doubt=False)
    asked.filter(pk__in=lacking).update(in_doubt=True, request_id=request_id)
