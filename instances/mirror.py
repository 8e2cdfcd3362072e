"""Rows from what ECS answered: compared first, and only what differs is written, in bulk."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from instances import ecs
from instances.models import CloudAccount, Instance, InstanceAddress, InstanceTag

BATCH = 500
COPIED = (
    "name",
    "hostname",
    "status",
    "os_type",
    "os_name",
    "zone",
    "instance_type",
    "cpu",
    "memory_mib",
    "image_id",
    "vpc_id",
    "network_type",
    "resource_group_id",
    "charge_type",
    "lock_reasons",
    "created_at",
    "started_at",
    "expires_at",
)
AGENT = ("agent_running", "agent_version", "agent_heartbeat_at")
PRESENCE = ("missed_at", "released_at")
IDENTITY = ("account", "region", "instance_id")


def keep(
    account: CloudAccount,
    region: str,
    infos: Sequence[ecs.InstanceInfo],
    agents: Iterable[ecs.AgentInfo] | None,
) -> list[Instance]:
    """The rows of these instances, made or brought up to date, in the order given.

    Whoever is here is present: a released one that came back is so no more. `agents` None:
    nobody asked for them.
    """
    now = timezone.now()
    with transaction.atomic():
        rows = known_rows(account, region, [info.instance_id for info in infos])
        told = None if agents is None else {agent.instance_id: agent for agent in agents}
        for info in infos:
            if info.instance_id not in rows:
                made = Instance(account=account, region=region, instance_id=info.instance_id)
                rows[info.instance_id] = made
        changed = {info.instance_id for info in infos if _differs_now(rows, info, told)}
        _write([row for name, row in rows.items() if name in changed or row.pk is None])
        _touch(rows.values(), now, asked=told is not None)
        _keep_addresses(rows, infos)
        _keep_tags(rows, infos)
    return [rows[info.instance_id] for info in infos]


def known_rows(account: CloudAccount, region: str, ids: Iterable[str]) -> dict[str, Instance]:
    """Rows by instance id, released ones included."""
    found = {}
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        rows = Instance.objects.filter(account=account, region=region, instance_id__in=part)
        found |= {row.instance_id: row for row in rows}
    return found


def _differs_now(
    rows: Mapping[str, Instance],
    info: ecs.InstanceInfo,
    told: Mapping[str, ecs.AgentInfo] | None,
) -> bool:
    """Copy what differs onto the row; whether anything did."""
    row = rows[info.instance_id]
    wanted: dict[str, Any] = {name: getattr(info, name) for name in COPIED}
    wanted |= {"lock_reasons": list(info.lock_reasons), "missed_at": None, "released_at": None}
    if told is not None:
        agent = told.get(info.instance_id)
        wanted |= {
            "agent_running": bool(agent and agent.running),
            "agent_version": agent.version if agent else "",
            "agent_heartbeat_at": agent.heartbeat_at if agent else row.agent_heartbeat_at,
        }
    return differs(row, wanted)


def differs(row: Model, wanted: Mapping[str, Any]) -> bool:
    changed = False
    for name, value in wanted.items():
        value = _fitting(row, name, value)
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed = True
    return changed


def _fitting(row: Model, name: str, value: Any) -> Any:
    """ECS does not promise our columns' widths."""
    column = row._meta.get_field(name)
    if isinstance(value, str) and column.max_length:
        return value[: column.max_length]
    if column.get_internal_type() == "PositiveIntegerField":
        return min(value, 2_147_483_647)
    return value


def _write(rows: list[Instance]) -> None:
    Instance.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=IDENTITY,
        update_fields=(*COPIED, *AGENT, *PRESENCE),
    )


def _touch(rows: Collection[Instance], now: datetime, *, asked: bool) -> None:
    """When everybody was seen; one statement for any number of rows."""
    seen = {"seen_at": now} | ({"agent_asked_at": now} if asked else {})
    keys = [row.pk for row in rows]
    for start in range(0, len(keys), 10_000):
        Instance.objects.filter(pk__in=keys[start : start + 10_000]).update(**seen)
    for row in rows:
        for name, value in seen.items():
            setattr(row, name, value)


def _keep_addresses(rows: Mapping[str, Instance], infos: Iterable[ecs.InstanceInfo]) -> None:
    wanted: dict[tuple[int, str], bool] = {}
    for info in infos:
        key = rows[info.instance_id].pk
        for public, addresses in ((False, info.private_ips), (True, info.public_ips)):
            wanted |= {(key, address): public for address in map(_address, addresses) if address}
    present = {
        (row.instance_id, row.address): row
        for row in _of(InstanceAddress, [row.pk for row in rows.values()])
    }
    stale = [row.pk for key, row in present.items() if wanted.get(key) != row.public]
    fresh = [
        InstanceAddress(instance_id=instance, address=address, public=public)
        for (instance, address), public in wanted.items()
        if (instance, address) not in present or present[instance, address].public != public
    ]
    _replace(InstanceAddress, stale, fresh)


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _keep_tags(rows: Mapping[str, Instance], infos: Iterable[ecs.InstanceInfo]) -> None:
    wanted = {
        (rows[info.instance_id].pk, key[:128]): value[:128]
        for info in infos
        for key, value in info.tags
    }
    present = {
        (row.instance_id, row.key): row
        for row in _of(InstanceTag, [row.pk for row in rows.values()])
    }
    stale = [row.pk for key, row in present.items() if wanted.get(key) != row.value]
    fresh = [
        InstanceTag(instance_id=instance, key=key, value=value)
        for (instance, key), value in wanted.items()
        if (instance, key) not in present or present[instance, key].value != value
    ]
    _replace(InstanceTag, stale, fresh)


def _of(model: type[Model], instances: Sequence[int]) -> Iterable[Any]:
    for start in range(0, len(instances), 10_000):
        yield from model._default_manager.filter(instance__in=instances[start : start + 10_000])


def _replace(model: type[Model], stale: list[int], fresh: list[Any]) -> None:
    for start in range(0, len(stale), BATCH):
        model._default_manager.filter(pk__in=stale[start : start + BATCH]).delete()
    model._default_manager.bulk_create(fresh, batch_size=BATCH)


def mark(account: CloudAccount, region: str, ids: Iterable[str], **changes: datetime) -> None:
    """Write the same on all rows of these ids."""
    wanted = list(ids)
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        rows = Instance.objects.filter(account=account, region=region, instance_id__in=part)
        rows.update(**changes)
