"""What a person may do to a batch on its way: pause, resume, stop, review."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import endings
from commands.models import BatchState, Cleared, Ending, Invocation, RebootBatch, WaveRun
from commands.reboots import approving, halting, waves
from instances.models import Instance
from portal import audit
from portal.kept import kept
from portal.transitions import WrongState, move

BY_HAND = kept("Paused by %(who)s.")


def _locked(batch: RebootBatch, by: Any, permission: str = "commands.reboot") -> RebootBatch:
    """The row, nobody else's until the transaction ends, if this person may steer it."""
    if not by.has_perm(permission):
        raise PermissionDenied
    wanted = batch.items.values("instance")
    if Instance.objects.visible_to(by).filter(pk__in=wanted).count() < batch.size:
        raise PermissionDenied(_("It reaches instances that you do not see."))
    return RebootBatch.objects.select_for_update().get(pk=batch.pk)


@transaction.atomic
def pause(batch: RebootBatch, *, by: Any, via: str) -> None:
    """Nothing more is taken down until somebody resumes; what is down is followed to its proof."""
    row = _locked(batch, by)
    move(
        row,
        source=(BatchState.READY, BatchState.RUNNING),
        target=BatchState.PAUSED,
        paused_why=BY_HAND % {"who": by.get_username()},
    )
    audit.record(actor=by, act="reboot.paused", subject=row, via=via)
    row.wake()


@transaction.atomic
def resume(batch: RebootBatch, *, by: Any, via: str) -> None:
    """Go on after a pause: also past a canary that is not proven, which is then on record. Where
    only the canary was approved, the rest is asked for once that is over."""
    row = _locked(batch, by)
    if row.state == BatchState.PAUSED and row.approvals.filter(state="waiting").exists():
        raise WrongState(_("It waits for approval, not for you to resume it."))
    last = row.waves.order_by("-number").first()
    seen = last is not None and last not in waves.of(row) and row.cleared == Cleared.ALL
    move(
        row,
        source=BatchState.PAUSED,
        target=BatchState.RUNNING if row.started_at else BatchState.READY,
        passed_wave=last.pk if seen else row.passed_wave,
        paused_why="",
    )
    audit.record(actor=by, act="reboot.resumed", subject=row, via=via)
    for wave in waves.of(row):
        wave.wake()
    row.wake()


@transaction.atomic
def stop(batch: RebootBatch, *, by: Any, via: str) -> None:
    """Begin nothing more, for good. What went down already is followed to its proof; of a script
    that takes machines down, the calls that ECS has not been asked for are not made."""
    row = _locked(batch, by)
    if row.over or row.stop_asked_at:
        raise WrongState(_("It is over, or was stopped already."))
    RebootBatch.objects.filter(pk=row.pk).update(
        stop_asked_at=timezone.now(), stop_asked_by=by if by.pk else None
    )
    audit.record(actor=by, act="reboot.stopped", subject=row, via=via)
    if waiting := row.approvals.filter(state="waiting").first():
        move(waiting, source="waiting", target="rejected", due_at=None)
    if row.state == BatchState.WAITING:
        approving.end_unbegun(row, Ending.STOPPED)
    elif row.state == BatchState.PAUSED:
        move(row, source=BatchState.PAUSED, target=BatchState.READY, paused_why="")
    _call_back(row)
    for wave in waves.of(row):
        wave.wake()
    row.wake()


def _call_back(batch: RebootBatch) -> None:
    down = Invocation.objects.filter(
        wave_run__wave__batch=batch, wave_run__purpose=WaveRun.Purpose.POWER
    )
    for run in down.select_for_update(of=("self",)).filter(state=Invocation.State.RUNNING):
        endings.give_up(run, "Stopped", halting.WORDS[Ending.STOPPED])
        endings.finish(run)


@transaction.atomic
def review(batch: RebootBatch, *, by: Any, text: str, via: str) -> None:
    """Somebody else has looked at an emergency afterwards."""
    row = _locked(batch, by, "commands.decide_reboot")
    if not row.emergency or row.reviewed_at:
        raise WrongState(_("There is nothing to review."))
    if not text.strip():
        raise ValidationError({"review": _("Say what you found.")})
    if row.asked_by_id == by.pk:
        raise PermissionDenied(_("Somebody else has to review it."))
    RebootBatch.objects.filter(pk=row.pk, reviewed_at=None).update(
        reviewed_by=by, reviewed_at=timezone.now(), review=text[:4000]
    )
    audit.record(actor=by, act="reboot.reviewed", subject=row, via=via, review=text[:400])
