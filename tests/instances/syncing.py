"""Short words for tests that bring regions up to date."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from instances import ecs, sync
from instances.models import Instance, Region
from portal import work
from tests.factories import AccountFactory

HANGZHOU, SINGAPORE = "cn-hangzhou", "ap-southeast-1"


def region_named(name: str = HANGZHOU, **fields: object) -> Region:
    return Region.objects.create(account=AccountFactory(), region_id=name, **fields)


def claimed(region: Region) -> work.Claim[Region]:
    Region.objects.filter(pk=region.pk).update(due_at=timezone.now())
    return work.claim(Region, region.pk)


def look(region: Region) -> sync.Outcome:
    """One look through the gateway."""
    outcome = sync.look(claimed(region))
    region.refresh_from_db()
    return outcome


def told(region: Region, ids: list[str], seconds: float = 0, **more: object) -> sync.Outcome:
    """One look that saw exactly these ids, `seconds` from now."""
    infos = [ecs.InstanceInfo(name, region.region_id) for name in ids]
    now: datetime = timezone.now() + timedelta(seconds=seconds)
    outcome = sync.keep(claimed(region), sync.Reading(infos, **more), now)
    region.refresh_from_db()
    return outcome


def later(seconds: float = 60) -> None:
    """As if everything so far had happened that much earlier."""
    for row in Instance.objects.exclude(missed_at=None):
        Instance.objects.filter(pk=row.pk).update(
            missed_at=row.missed_at - timedelta(seconds=seconds)
        )


def present() -> set[str]:
    return set(Instance.objects.present().values_list("instance_id", flat=True))


def released() -> set[str]:
    return set(Instance.objects.exclude(released_at=None).values_list("instance_id", flat=True))
