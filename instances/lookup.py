"""Instances named the way people know them: id, address, name or hostname, in any mix."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models.functions import Lower

from instances import ecs, mirror
from instances.filters import words
from instances.models import CloudAccount, Instance, InstanceQuerySet

INSTANCE_ID = re.compile(r"(i|mi|eci|hbm|ic)-[0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Matches:
    """Which instances were meant. `found` holds each once, in the order of the text."""

    found: list[Instance] = field(default_factory=list)
    ambiguous: dict[str, list[Instance]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def find(instances: InstanceQuerySet, text: str) -> Matches:
    """Read pasted text; a line that is a whole name counts as one, else its words count.

    Give a queryset that starts with `visible_to(user)`: what is not in it is unknown here.
    A released instance is meant only where no present one answers to the same name.
    """
    lines = dict.fromkeys(line.strip() for line in re.split(r"[\r\n,;，；]+", text) if line.strip())
    known = _named(instances, {part for line in lines for part in [line, *words(line)]})
    parts: dict[str, None] = {}
    for line in lines:
        parts |= dict.fromkeys([line] if line.lower() in known else words(line))
    matches = Matches()
    for part in parts:
        _sort_in(matches, part, known.get(_normal(part), []))
    return matches


def _sort_in(matches: Matches, part: str, meant: list[Instance]) -> None:
    present = [instance for instance in meant if instance.released_at is None] or meant
    if not present:
        matches.unknown.append(part)
    elif len(present) > 1:
        matches.ambiguous[part] = present
    elif present[0] not in matches.found:
        matches.found.append(present[0])


def _normal(part: str) -> str:
    """One spelling of a name or address."""
    try:
        return str(ipaddress.ip_address(part))
    except ValueError:
        return part.lower()


def _named(instances: InstanceQuerySet, parts: Iterable[str]) -> dict[str, list[Instance]]:
    """Every instance that answers to one of the parts, under each of them."""
    spellings = {_normal(part) for part in parts if "\0" not in part}
    lowered = instances.alias(
        low_id=Lower("instance_id"), low_name=Lower("name"), low_hostname=Lower("hostname")
    )
    named: dict[str, dict[int, Instance]] = defaultdict(dict)
    for column in ("instance_id", "name", "hostname"):
        fitting = lowered.filter(**{f"low_{column.removeprefix('instance_')}__in": spellings})
        for instance in fitting.select_related("account"):
            named[getattr(instance, column).lower()][instance.pk] = instance
    addressed = instances.filter(addresses__address__in=filter(_is_address, spellings))
    for instance in addressed.select_related("account").prefetch_related("addresses"):
        for address in instance.addresses.all():
            named[_normal(address.address)][instance.pk] = instance
    return {name: sorted(rows.values(), key=lambda row: row.pk) for name, rows in named.items()}


def _is_address(part: str) -> bool:
    try:
        ipaddress.ip_address(part)
    except ValueError:
        return False
    return True


def fetch_one(account: CloudAccount, region: str, named: str) -> Instance | None:
    """Ask ECS for one instance by id, address or name, and mirror it; None if there is none.

    A name or address that several instances answer to gives None as well: it names no one.
    Raises ecs.EcsError when ECS could not be asked.
    """
    signing, infos = account.signing(), []
    if INSTANCE_ID.fullmatch(named):
        infos = ecs.instances(signing, region, ids=[named]).value
    elif _is_address(named):
        infos = ecs.instances(signing, region, private_ips=[named]).value
        infos = infos or ecs.instances(signing, region, public_ips=[named]).value
    elif named and "*" not in named:
        infos = ecs.instances(signing, region, name=named).value
    if len(infos) != 1:
        return None
    try:
        agents = ecs.agents(signing, region, [infos[0].instance_id]).value
    except ecs.EcsError:
        agents = None  # not asked: the instance is there all the same
    return mirror.keep(account, region, infos, agents)[0]
