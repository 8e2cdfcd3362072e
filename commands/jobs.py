"""The job of this app."""

from __future__ import annotations

from commands import answers, sending
from commands.models import Dispatch
from portal import work
from portal.work import Claim


@work.job(Dispatch)
def carry_on(claim: Claim[Dispatch]) -> None:
    """Do the next short step for one dispatch: send it, or see what came back."""
    if claim.row.state in (Dispatch.State.WAITING, Dispatch.State.SENDING):
        sending.send(claim)
    elif claim.row.state == Dispatch.State.SENT:
        answers.follow(claim)
    else:
        claim.release(due_at=None)
