"""The power call of a wave: each instance is asked for once, whatever dies and whatever is lost.

The edge to `asked` is committed before the call, and no code leads back from it. A worker that
finds instances asked for without an answer does not call again: their answer is in doubt, and only
a look at the machines settles that. A call that ECS answered with "throttled" did not happen; the
same worker may make it again while it still holds the wave.
"""

from __future__ import annotations

import itertools
import time
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from commands.models import (
    BatchState,
    Ending,
    ItemOutcome,
    ItemState,
    RebootBatch,
    RebootItem,
    RebootWave,
    WaveRun,
    WaveStage,
    Way,
)
from commands.reboots import estimate, halting, items, wave_runs
from instances import ecs
from portal import audit
from portal.kept import kept
from portal.work import LEASE, Claim

THROTTLED_FOR = 60.0  # seconds in which a throttled call is made again
FRESH = timedelta(minutes=3)  # so old may the boot before be, or the last look
HELD_UP = kept("this process was held up; it looks first whose wave it is")
ACTS = {Way.REBOOT: "reboot", Way.FORCE: "reboot", Way.STOP: "stop", Way.START: "start"}

Chunk = tuple[RebootItem, ...]


def take_down(claim: Claim[RebootWave]) -> None:
    """Commit the intent, make the calls, write the answers; then the proof begins."""
    wave = claim.row
    doubtful = wave.items.filter(state=ItemState.ASKED, answered_at=None)
    doubtful.update(in_doubt=True)
    if not (asked := _intended(claim)):
        return
    batch = asked[0].batch  # as it was when they were asked for
    if batch.way != Way.EXIT_CODE:
        with claim.held():
            _call(claim, batch, asked)
    with transaction.atomic():
        claim.release(due_at=timezone.now() + timedelta(seconds=1), stage=WaveStage.PROVING)


def _intended(claim: Claim[RebootWave]) -> list[RebootItem]:
    """Those that are asked for now, committed as such; empty where the wave goes elsewhere."""
    wave = claim.row
    with transaction.atomic():
        # First the batch, then the wave: whoever steers a batch locks them in this order too.
        batch = RebootBatch.objects.select_for_update().get(pk=wave.batch_id)
        claim.renew()  # nobody else has this wave until the commit
        ready = wave.items.filter(state=ItemState.PREPARING)
        asked = list(ready.select_related("instance__account").order_by("place"))
        now = timezone.now()
        if why := halting.why_not(batch, wave, [item.instance for item in asked], now):
            items.end_all(ready, ItemOutcome.NOT_STARTED, why)
            asked = []
        elif asked and (batch.state == BatchState.PAUSED or _is_old(wave, now)):
            # What was read of them is old, or will be when it goes on: they are looked at again.
            paused = batch.state == BatchState.PAUSED
            claim.release(due_at=None if paused else now, stage=WaveStage.CHECKING)
            return []
        for item in asked:
            item.batch = batch
            _intend(batch, item, now)
        RebootItem.objects.bulk_update(asked, INTENT, batch_size=200)
        if asked:
            _tell(batch, wave, asked)
        if batch.way == Way.EXIT_CODE and asked:
            wave_runs.begin(wave, WaveRun.Purpose.POWER, asked, batch.pre_script)
        if not asked:
            claim.release(due_at=now, stage=WaveStage.PROVING)
    return asked


def _is_old(wave: RebootWave, now: datetime) -> bool:
    """What was seen a while ago may not hold any more: a boot that others have ended since proves
    nothing, and an instance whose boot nobody reads may be another's to decide by now."""
    read = wave.runs.filter(purpose=WaveRun.Purpose.BEFORE).order_by("-pk")
    seen = [read.values_list("invocation__finished_at", flat=True).first(), wave.looked_at]
    at = max(filter(None, seen), default=None)
    return at is None or now - at > FRESH


INTENT = ["state", "asked_at", "back_by", "before_started_at", "before_boot_id", "event_id"]


def _intend(batch: RebootBatch, item: RebootItem, now: datetime) -> None:
    item.state, item.asked_at = ItemState.ASKED, now
    item.back_by = now + estimate.time_to_return(batch, item.instance)
    item.before_started_at = item.instance.started_at
    item.event_id = item.facts["event_id"] or item.event_id
    if batch.way == Way.START:  # which boot it was before it was stopped, if anybody knows
        item.before_boot_id = item.instance.boot_id


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
    """One call for up to a hundred of an account and region, side by side; those that ECS was too
    busy for are made again, for a while."""
    waiting, give_up = _chunks(asked), time.monotonic() + THROTTLED_FOR
    while waiting:
        claim.renew()  # or somebody else has the wave, and looks at the machines already
        begun = time.monotonic()
        calls = {chunk: partial(_power, batch, chunk, begun) for chunk in waiting}
        waiting, rest = [], 0.0
        for chunk, answer in ecs.side_by_side(calls):
            if _did_not_happen(answer) and (again := _rest(answer)) + time.monotonic() < give_up:
                waiting.append(chunk)
                rest = max(rest, again)
                continue
            with transaction.atomic():
                claim.renew()
                _write(chunk, answer)
        if waiting:
            time.sleep(rest)
            waiting = _unless_stopped(batch, waiting)


def _unless_stopped(batch: RebootBatch, waiting: list[Chunk]) -> list[Chunk]:
    if not RebootBatch.objects.filter(pk=batch.pk).exclude(stop_asked_at=None).exists():
        return waiting
    for item in itertools.chain.from_iterable(waiting):
        items.refuse(item, "Throttled", halting.WORDS[Ending.STOPPED])
    return []


class NotMade(Exception):
    """The call was not made: too long had passed since it was known whose wave this is."""


def _did_not_happen(answer: object) -> bool:
    return isinstance(answer, NotMade) or (
        isinstance(answer, ecs.Throttled) and not answer.in_doubt
    )


def _rest(answer: ecs.Throttled | NotMade) -> float:
    wish = getattr(answer, "retry_after", None) or 1.0
    return 0.0 if isinstance(answer, NotMade) else min(max(wish, 0.5), 10.0)


def _chunks(asked: list[RebootItem]) -> list[Chunk]:
    places: dict[tuple[int, str], list[RebootItem]] = {}
    for item in asked:
        place = (item.instance.account_id, item.instance.region)
        places.setdefault(place, []).append(item)
    size = ecs.POWER_LIMIT
    return [
        tuple(rows[at : at + size]) for rows in places.values() for at in range(0, len(rows), size)
    ]


def _power(batch: RebootBatch, chunk: Chunk, begun: float) -> ecs.Answer[list[ecs.PowerAnswer]]:
    if time.monotonic() - begun > LEASE.total_seconds() / 2:
        raise NotMade(HELD_UP)
    instance = chunk[0].instance
    return ecs.power(
        instance.account.signing(),
        instance.region,
        [item.instance.instance_id for item in chunk],
        ACTS[Way(batch.way)],
        force=batch.way == Way.FORCE,
        stopped_mode=batch.stopped_mode,
    )


def _write(chunk: Chunk, answer: ecs.Answer[list[ecs.PowerAnswer]] | Exception) -> None:
    now = timezone.now()
    rows = RebootItem.objects.filter(pk__in=[item.pk for item in chunk], state=ItemState.ASKED)
    if isinstance(answer, NotMade):
        for item in chunk:
            items.refuse(item, "NotMade", str(answer))
    elif isinstance(answer, ecs.Refused) and not answer.in_doubt:
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
