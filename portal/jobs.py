"""The portal's own jobs."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal import pruning, work
from portal.models import Canary, Pruning
from portal.work import Claim

SONG_EVERY = timedelta(seconds=30)


@work.job(Canary)
def sing(claim: Claim[Canary]) -> None:
    """Note that a worker of this queue is alive and reaches the database."""
    now = timezone.now()
    claim.release(due_at=now + SONG_EVERY, heard_at=now)


@work.job(Pruning)
def prune(claim: Claim[Pruning]) -> None:
    """Take out some of what RETENTION_DAYS lets go; the rest soon, and tomorrow again."""
    with claim.held():
        pruning.carry_on(claim)
