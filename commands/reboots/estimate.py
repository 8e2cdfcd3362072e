"""How long waves may take, and when all would be over. Pure but for the batch's own fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

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
    back = max((batch.back_within(row) for row in wave), default=0)
    probe = timedelta(seconds=proof.TIMEOUT) + REPORT
    scripts = _script(batch.pre_script) + _script(batch.post_script)
    if batch.rehearsal:
        return LOOK + probe
    return LOOK + scripts + 2 * probe + timedelta(seconds=back)


def if_well(batch: RebootBatch, wave: Iterable[Instance]) -> timedelta:
    """What a wave takes where nothing goes wrong."""
    if batch.rehearsal:
        return LOOK
    back = max((USUALLY.get(row.os_type, USUALLY["linux"]) for row in wave), default=timedelta())
    return LOOK + (back if batch.way != Way.STOP else back / 2)


def fits(batch: RebootBatch, wave: Sequence[Instance], now: datetime) -> bool:
    """Whether this wave would surely end inside the window if it began now."""
    return now + at_worst(batch, wave) <= batch.closes_at
