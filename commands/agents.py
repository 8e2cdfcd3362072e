"""Cloud Assistant over the fleet: which versions there are, who is silent, and its installation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from commands.models import AgentInstall
from commands.outcomes import EXIT_CODES_SINCE
from commands.targets import version
from instances import ecs
from instances.models import Instance, InstanceQuerySet
from portal import audit, work
from portal.work import Claim

GIVE_UP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Version:
    """How many running instances of a system have this version; "" is not known."""

    os_type: str
    number: str
    count: int

    @property
    def old(self) -> bool:
        """Too old to act on the exit codes that take a machine down."""
        return bool(self.number) and version(self.number) < EXIT_CODES_SINCE


def versions(seen: InstanceQuerySet) -> list[Version]:
    """The newest first, by system."""
    rows = seen.present().filter(status="Running").order_by()
    counts = rows.values_list("os_type", "agent_version").annotate(Count("pk"))
    found = [Version(os_type, number, count) for os_type, number, count in counts]
    return sorted(found, key=_newest_first)


def _newest_first(row: Version) -> tuple:
    return row.os_type, not row.number, [-part for part in version(row.number)]


def states(seen: InstanceQuerySet) -> dict[str, int]:
    """How many running instances are alive, silent or never seen."""
    running = seen.present().filter(status="Running")
    return {state: running.with_agent(state).count() for state in ("alive", "silent", "unknown")}


@transaction.atomic
def install(instances: Iterable[Instance], *, by: Any, via: str) -> list[AgentInstall]:
    """Have it installed or upgraded on these, fifty of an account and region a call."""
    places: dict[tuple[int, str], list[Instance]] = defaultdict(list)
    for row in instances:
        places[row.account_id, row.region].append(row)
    wishes, now = [], timezone.now()
    for (account, region), rows in sorted(places.items()):
        for start in range(0, len(rows), ecs.AGENT_IDS):
            wish = AgentInstall.objects.create(
                account_id=account,
                region=region,
                asked_by=by,
                due_at=now,
                rung_at=now,
                deadline=now + GIVE_UP,
            )
            part = rows[start : start + ecs.AGENT_IDS]
            wish.instances.set(part)
            wish.ring()
            audit.record(
                actor=by, act="agent.install_asked", subject=wish, via=via, instances=len(part)
            )
            wishes.append(wish)
    return wishes


@work.job(AgentInstall)
def carry_on(claim: Claim[AgentInstall]) -> None:
    """Send the wish; repeating it does no harm, so what is in doubt is asked again."""
    wish, now = claim.row, timezone.now()
    if wish.state != AgentInstall.State.WAITING:
        return claim.release(due_at=None)
    ids = list(wish.instances.order_by("pk").values_list("instance_id", flat=True))
    try:
        with claim.held():
            answer = ecs.install_agents(wish.account.signing(), wish.region, ids)
    except ecs.EcsError as error:
        later = isinstance(error, ecs.Throttled | ecs.NoAnswer) and now < wish.deadline
        if later:
            rest = timedelta(seconds=getattr(error, "retry_after", None) or 15)
            return claim.release(due_at=now + rest, error=str(error)[:2000])
        return claim.release(due_at=None, state=AgentInstall.State.FAILED, error=str(error)[:2000])
    claim.release(
        due_at=None, state=AgentInstall.State.DONE, error="", request_id=answer.request_ids[-1]
    )
