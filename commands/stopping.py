"""Stopping a run. Asked (ECS took the wish), confirmed (the machine's row says so) and lost (no
final word came) are different things, and the rows tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import endings, holding, secret_parameters
from commands.models import Dispatch, Invocation, Outcome
from instances import ecs
from portal import audit, work
from portal.kept import kept
from portal.rows import lock
from portal.transitions import WrongState
from portal.work import Claim

NEVER_ASKED = kept("The run was stopped before this instance was asked.")


@transaction.atomic
def stop(run: Invocation, by, *, via: str = "page") -> None:
    """Have the run stopped: at once what was not sent, through ECS what was.

    Raises WrongState if it is over. Asking again is no error and changes nothing.
    """
    run = Invocation.objects.select_for_update().get(pk=run.pk)
    if run.state == Invocation.State.FINISHED:
        raise WrongState(f"{run} is over")
    if run.dispatches.filter(fire_of__isnull=False).exists():
        # ECS knows one run for all its times: stopping this one would stop those to come.
        raise WrongState(_("It is one time of a schedule kept in ECS: end the schedule itself."))
    if run.stop_asked_at is not None:
        return
    run.stop_asked_at, run.stop_asked_by = timezone.now(), by
    run.save(update_fields=["stop_asked_at", "stop_asked_by"])
    endings.give_up(run, "Stopped", NEVER_ASKED)
    _wake(run)
    endings.finish(run)
    audit.record(actor=by, act="run.stopped", subject=run, via=via, instances=run.size)


def _wake(run: Invocation) -> None:
    """Have what is in flight looked at now, also if a worker holds it at this moment."""
    now = timezone.now()
    flying = run.dispatches.filter(state__in=holding.IN_FLIGHT)
    lock(flying)
    flying.update(due_at=now, rung_at=now, wakes=F("wakes") + 1)
    for row in {row.crowd(): row for row in flying}.values():
        row.ring()


def ask(claims: list[Claim[Dispatch]]) -> list[Claim[Dispatch]]:
    """Ask ECS to stop those of these whose run is to be stopped; the claims that are still ours.

    A wish that fails is repeated with the next look: stopping twice does no harm.
    """
    calls = {
        claim: partial(ecs.stop, claim.row.account.signing(), claim.row.region, claim.row.invoke_id)
        for claim in claims
        if claim.row.invocation.stop_asked_at and not claim.row.stop_asked_at
    }
    for claim, answer in ecs.side_by_side(calls) if calls else ():
        with work.apart(claim):
            if isinstance(answer, ecs.EcsError):
                message = secret_parameters.redactor(claim.row.invocation).text(answer.message)
                claim.write(**endings.words(answer.code, message, answer.request_id))
            elif isinstance(answer, Exception):
                raise answer
            else:
                _taken(claim)
    return [claim for claim in claims if not (claim.released or claim.lost)]


def _taken(claim: Claim[Dispatch]) -> None:
    """ECS took the wish. What repeats and had no deadline has one from now on."""
    now, row = timezone.now(), claim.row
    ends = now + timedelta(seconds=row.invocation.timeout) + holding.ANSWER_ALLOWANCE
    claim.write(stop_asked_at=now, deadline=row.deadline or ends)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the instances of a run that is being stopped stand."""

    not_started: int  # never asked to run
    wanted: int  # we want it stopped, and ECS has not taken the wish yet
    asked: int  # ECS took the wish; the machine has not answered
    confirmed: int  # the machine's row says: cancelled or terminated
    ended: int  # ended by itself, before or in spite of the wish
    lost: int  # no final word came in time


def progress(run: Invocation) -> Progress:
    """How far the stop of this run has come."""
    taken = Q(dispatch__stop_asked_at__isnull=False)
    rows = run.targets.order_by().values_list("outcome", ExpressionWrapper(taken, BooleanField()))
    counts = dict.fromkeys(Progress.__slots__, 0)
    for outcome, taken, count in rows.annotate(Count("pk")):
        counts[_word(outcome, taken)] += count
    return Progress(**counts)


def _word(outcome: str, taken: bool) -> str:
    words = {
        "": "asked" if taken else "wanted",
        Outcome.NOT_STARTED: "not_started",
        Outcome.STOPPED: "confirmed",
        Outcome.UNKNOWN: "lost",
    }
    return words.get(outcome, "ended")
