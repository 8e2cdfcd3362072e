"""A fresh look at some instances, outside the regular sync: status, tags, agent, planned events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from instances import ecs, events, mirror
from instances.models import CloudAccount, Instance


@dataclass
class Look:
    """What a look came to. `missing` are those that ECS did not list: they may be released, or
    the identity may lack the right; `problems` says which places could not be asked."""

    seen: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    problems: dict[tuple[int, str], str] = field(default_factory=dict)


def look_again(rows: Iterable[Instance], *, agents: bool = True, planned: bool = True) -> Look:
    """Ask ECS about these instances now and bring their rows up to date. Never marks any as
    released: that is for the sync, which looks twice."""
    look = Look()
    places: dict[tuple[int, str], list[Instance]] = defaultdict(list)
    for row in rows:
        places[row.account_id, row.region].append(row)
    for (account_id, region), members in places.items():
        account = CloudAccount.objects.get(pk=account_id)
        try:
            _look_at(account, region, members, look, agents=agents, planned=planned)
        except ecs.EcsError as error:
            look.problems[account_id, region] = str(error)
    return look


def _look_at(
    account: CloudAccount,
    region: str,
    members: list[Instance],
    look: Look,
    *,
    agents: bool,
    planned: bool,
) -> None:
    signing, ids = account.signing(), [row.instance_id for row in members]
    infos = ecs.instances(signing, region, ids=ids).value
    told = None
    if agents and infos:
        told = ecs.agents(signing, region, [info.instance_id for info in infos]).value
    mirror.keep(account, region, infos, told)
    listed = {info.instance_id for info in infos}
    for row in members:
        (look.seen if row.instance_id in listed else look.missing).add(row.pk)
    if planned and infos:
        events.keep(account, region, ecs.system_events(signing, region).value)
