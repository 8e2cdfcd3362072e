"""Small entry points that take a primary key; they may be called twice."""

from __future__ import annotations

from instances import sync
from instances.models import CloudAccount, Region
from portal import work
from portal.work import Claim


@work.job(Region)
def sync_region(claim: Claim[Region]) -> None:
    """Bring one region of one account up to date."""
    sync.look(claim)


@work.job(CloudAccount)
def sync_account(claim: Claim[CloudAccount]) -> None:
    """Find the account's regions and make new ones due."""
    sync.look_at_regions(claim)
