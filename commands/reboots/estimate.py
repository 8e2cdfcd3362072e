"""How long waves may take, and when all would be over. Pure but for the batch's own fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from commands import holding
from commands.models import RebootBatch, Way
from commands.reboots import proof
from instances.models import Instance

LOOK = timedelta(seconds=30)
REPORT = timedelta(seconds=90)  # ECS delivers within a minute, then the script's own time
USUALLY = {"linux": timedelta(minutes=2), "windows": timedelta(minutes=6)}  # to be back, if well


def _script(script: dict) -> timedelta:
    return timedelta(seconds=script["timeout"]) + REPORT if script else timedelta()


def at_worst(batch: RebootBatch, wave: Iterable[Instance]) -> timedelta:
    """What a wave takes where everything uses up its time."""
    probe = timedelta(seconds=proof.TIMEOUT) + REPORT
    if batch.rehearsal:
        return LOOK + probe
    before = _script(batch.pre_script) if batch.way != Way.EXIT_CODE else timedelta()
    return LOOK + before + probe + from_power(batch, wave)


def from_power(batch: RebootBatch, wave: Iterable[Instance]) -> timedelta:
    """The same from the moment on at which they are taken down."""
    if batch.rehearsal:
        return timedelta()
    probe = timedelta(seconds=proof.TIMEOUT) + REPORT
    back = max((time_to_return(batch, row) for row in wave), default=timedelta())
    return probe + back + _script(batch.post_script)


def time_to_return(batch: RebootBatch, instance: Instance) -> timedelta:
    """From the intent to when it has to be back. Where a script's own exit code takes it down,
    the script comes first, and may be sent late."""
    back = timedelta(seconds=batch.back_within(instance))
    if batch.way != Way.EXIT_CODE:
        return back
    return holding.SEND_WITHIN + _script(batch.pre_script) + back


def if_well(batch: RebootBatch, wave: Iterable[Instance]) -> timedelta:
    """What a wave takes where nothing goes wrong."""
    if batch.rehearsal:
        return LOOK
    back = max((USUALLY.get(row.os_type, USUALLY["linux"]) for row in wave), default=timedelta())
    return LOOK + (back if batch.way != Way.STOP else back / 2)


def fits(batch: RebootBatch, wave: Sequence[Instance], now: datetime) -> bool:
    """Whether this wave would surely end inside the window if it began now."""
    return now + at_worst(batch, wave) <= batch.closes_at
