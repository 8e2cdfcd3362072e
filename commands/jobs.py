"""The jobs of this app: the next short step for dispatches, whatever it is."""

from __future__ import annotations

from django.db.models import prefetch_related_objects

from commands import answers, rounds, sending
from commands.models import Dispatch
from portal import work
from portal.work import Claim

AT_ONCE = 50  # dispatches that one worker carries on together; one page of ECS's listing


@work.crowd_job(Dispatch, AT_ONCE)
def carry_on(claims: list[Claim[Dispatch]]) -> None:
    """Do the next short step for what is due in one account and region."""
    _step(claims)


@work.job(Dispatch)
def carry_on_alone(claim: Claim[Dispatch]) -> None:
    """The same for one dispatch, whatever else waits: somebody wants its answer now."""
    _step([claim])


def _step(claims: list[Claim[Dispatch]]) -> None:
    rows = [claim.row for claim in claims]
    prefetch_related_objects(rows, "account", "invocation__cloud_command")
    states = Dispatch.State
    unsent = [c for c in claims if c.row.state in (states.WAITING, states.SENDING)]
    sent = [c for c in claims if c.row.state == states.SENT]
    timed = [c for c in sent if c.row.invocation.repeats_in_ecs]
    once = [c for c in sent if not c.row.invocation.repeats_in_ecs]
    for claim in claims:
        if claim.row.state in (states.HELD, states.FINISHED):
            with work.apart(claim):
                claim.release(due_at=None)
    if unsent:
        sending.send(unsent, alone=len(claims) == 1)
    if once:
        answers.follow(once)
    if timed:
        rounds.follow(timed)
