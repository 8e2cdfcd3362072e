"""A fresh look at a batch's instances, and what of it the batch keeps."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from commands.models import RebootBatch, RebootItem
from commands.reboots import preflight
from instances import refresh
from instances.models import Instance


def look(batch: RebootBatch, items: Iterable[RebootItem]) -> refresh.Look:
    """Ask ECS about these items' instances. Makes cloud calls: for workers only."""
    instances = Instance.objects.filter(pk__in=[item.instance_id for item in items])
    return refresh.look_again(instances)


def keep(batch: RebootBatch, items: Iterable[RebootItem], seen: refresh.Look) -> None:
    """Write the latest facts on these items, in the caller's transaction."""
    rows = list(items)
    instances = Instance.objects.filter(pk__in=[item.instance_id for item in rows])
    facts = preflight.facts_of(instances, but=batch)
    for item in rows:
        item.facts = facts[item.instance_id]
        if item.instance_id in seen.missing:
            item.facts["gone"] = True
    RebootItem.objects.bulk_update(rows, ["facts"], batch_size=200)


def refreshed(seen: refresh.Look) -> dict[str, object]:
    """What the batch's own row notes of a look; one that could not ask everywhere is none."""
    return {"look_at": None} if seen.problems else {"checked_at": timezone.now(), "look_at": None}
