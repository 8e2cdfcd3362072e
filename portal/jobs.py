"""The portal's own job."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal import work
from portal.models import Canary
from portal.work import Claim

SONG_EVERY = timedelta(seconds=30)


@work.job(Canary)
def sing(claim: Claim[Canary]) -> None:
    """Note that a worker of this queue is alive and reaches the database."""
    now = timezone.now()
    claim.release(due_at=now + SONG_EVERY, heard_at=now)
