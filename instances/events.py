"""System events as ECS tells them, kept by their id when ECS forgets them after 30 days.

They may come late, twice, in any order, and for instances that are not known (yet).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from instances import ecs
from instances.mirror import BATCH, differs
from instances.models import CloudAccount, Instance, SystemEvent

# How far an event has come; at the end it stays, whatever an older answer says.
STAGE = {"Inquiring": 0, "Scheduled": 1, "Executing": 2}
OVER = 3
COPIED = (
    "type",
    "cycle_status",
    "published_at",
    "not_before",
    "finished_at",
    "impact",
    "reason",
    "reason_code",
    "extended",
)


def keep(account: CloudAccount, region: str, infos: Iterable[ecs.EventInfo]) -> int:
    """Mirror these events; answers how many rows are new or changed."""
    told = _furthest(infos)
    with transaction.atomic():
        known = _known(account, told)
        changed = []
        for event_id, info in told.items():
            row = known.get(event_id) or _new(account, region, info)
            if row.pk and STAGE.get(row.cycle_status, OVER) > STAGE.get(info.cycle_status, OVER):
                continue
            if differs(row, {name: getattr(info, name) for name in COPIED}) or row.pk is None:
                row.seen_at = timezone.now()
                changed.append(row)
        SystemEvent.objects.bulk_create(
            changed,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=("account", "event_id"),
            update_fields=(*COPIED, "seen_at"),
        )
        attach(account, region)
    return len(changed)


def _furthest(infos: Iterable[ecs.EventInfo]) -> dict[str, ecs.EventInfo]:
    """One entry an event: of duplicates the one that has come furthest."""
    told: dict[str, ecs.EventInfo] = {}
    for info in infos:
        other = told.get(info.event_id)
        if info.event_id and (other is None or _stage(other) <= _stage(info)):
            told[info.event_id] = info
    return told


def _stage(info: ecs.EventInfo) -> int:
    return STAGE.get(info.cycle_status, OVER)


def _known(account: CloudAccount, told: Iterable[str]) -> dict[str, SystemEvent]:
    ids, known = list(told), {}
    for start in range(0, len(ids), BATCH):
        part = SystemEvent.objects.filter(account=account, event_id__in=ids[start : start + BATCH])
        known |= {row.event_id: row for row in part}
    return known


def _new(account: CloudAccount, region: str, info: ecs.EventInfo) -> SystemEvent:
    return SystemEvent(
        account=account,
        region=region,
        event_id=info.event_id[:64],
        instance_id_text=info.instance_id[:64],
    )


def attach(account: CloudAccount, region: str) -> None:
    """Give events their instance as soon as that is known."""
    loose: Any = SystemEvent.objects.filter(account=account, region=region, instance=None)
    meant = Instance.objects.filter(
        account=account, region=region, instance_id=OuterRef("instance_id_text")
    )
    ids = Instance.objects.filter(account=account, region=region).values("instance_id")
    if loose.filter(instance_id_text__in=ids).exists():
        loose.filter(instance_id_text__in=ids).update(instance=Subquery(meant.values("pk")[:1]))
