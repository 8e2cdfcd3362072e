"""The fleet as ECS tells it, brought into our rows: one region at a time, or the list of regions.

Reading comes first and writes nothing. What was read is then written in one transaction
together with the region's row, so that a step that lost its claim leaves nothing behind.
"""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from instances import ecs, events, mirror, presence, telling
from instances.models import CloudAccount, Instance, Region
from portal.work import Claim

EMPTY_AGAIN = timedelta(minutes=10)  # a region without instances is read that often
REGIONS_AGAIN = timedelta(hours=1)
QUOTA_AGAIN = timedelta(days=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """What ECS said about a region; None: it could not be asked, and `problems` says why."""

    instances: list[ecs.InstanceInfo]
    agents: list[ecs.AgentInfo] | None = None
    events: list[ecs.EventInfo] | None = None
    problems: tuple[str, ...] = ()
    runs_a_day: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a look at a region came to."""

    region: str
    account: str
    state: str
    problem: str = ""
    instances: int = 0
    new: int = 0
    missed: int = 0
    released: int = 0
    back: int = 0
    events: int = 0  # new or changed


@dataclass(frozen=True, slots=True)
class RegionsOutcome:
    """What a look at an account's regions came to."""

    account: str
    configured: tuple[str, ...] = ()
    elsewhere: dict[str, int] = field(default_factory=dict)  # not configured: instances there
    problem: str = ""


def read(account: ecs.Account, region: str, *, quota: bool = False) -> Reading:
    """Ask ECS, with `quota` also for the day's runs; raises ecs.EcsError if the instances cannot
    be listed."""
    infos = ecs.instances(account, region).value
    if not infos:
        ecs.check_listing(account, region)
    problems = []
    agents = told = None
    try:
        agents = ecs.agents(account, region, [info.instance_id for info in infos]).value
    except ecs.EcsError as error:
        problems.append(str(error))
    try:
        told = ecs.system_events(account, region).value
    except ecs.EcsError as error:
        problems.append(str(error))
    return Reading(infos, agents, told, tuple(problems), _quota(account, region) if quota else None)


def _quota(account: ecs.Account, region: str) -> int | None:
    """Nothing hangs on it, so a refusal is no trouble of the region."""
    try:
        return ecs.runs_a_day(account, region).value
    except ecs.EcsError as error:
        log.info("how many runs a day %s allows is not known: %s", region, error)
        return None


def look(claim: Claim[Region]) -> Outcome:
    """Read the claimed region and bring our rows up to date; releases the claim."""
    region = claim.row
    account = region.account
    if not (region.configured and account.enabled):
        claim.release(due_at=None)
        return Outcome(region.region_id, account.name, region.state)
    try:
        with claim.held():
            stale = not region.quota_at or timezone.now() - region.quota_at > QUOTA_AGAIN
            reading = read(account.signing(), region.region_id, quota=stale)
    except ecs.EcsError as error:
        return _failed(claim, error)
    with transaction.atomic():
        claim.renew()  # from here on nobody else can take the region over
        return keep(claim, reading, timezone.now())


def _failed(claim: Claim[Region], error: ecs.EcsError) -> Outcome:
    """Nothing was learned, so nothing is touched."""
    rest = getattr(error, "retry_after", None) or 0
    due = timezone.now() + timedelta(seconds=max(settings.SYNC_SECONDS, rest))
    with transaction.atomic():
        claim.release(due_at=due, state=Region.State.FAILED, problem=str(error))
        telling.failed(claim.row, str(error))
    return Outcome(claim.row.region_id, claim.row.account.name, Region.State.FAILED, str(error))


def keep(claim: Claim[Region], reading: Reading, now: datetime) -> Outcome:
    """Write what was read at `now`, and release the claim."""
    region, account = claim.row, claim.row.account
    before = copy(region)
    region.refresh_from_db(fields=["accepted_ids"])  # a person may have spoken meanwhile
    present = Instance.objects.filter(account=account, region=region.region_id).present()
    known = dict(present.order_by("pk").values_list("instance_id", "missed_at"))
    listed = {info.instance_id for info in reading.instances}
    accepted = set(region.accepted_ids)
    seen = presence.judge(known, listed, now, accepted)
    mirror.keep(account, region.region_id, reading.instances, reading.agents)
    mirror.mark(account, region.region_id, seen.missed, missed_at=now)
    mirror.mark(account, region.region_id, seen.released, released_at=now)
    told = events.keep(account, region.region_id, reading.events or ())
    count = len(known.keys() | listed) - len(seen.released)
    state, problem = _verdict(seen, reading, len(known))
    claim.release(
        due_at=now + (timedelta(seconds=settings.SYNC_SECONDS) if count else EMPTY_AGAIN),
        state=state,
        problem=problem,
        synced_at=now,
        instance_count=count,
        doubted_ids=list(seen.doubted),
        runs_a_day=reading.runs_a_day or region.runs_a_day,
        quota_at=now if reading.runs_a_day else region.quota_at,
        accepted_ids=sorted(accepted & known.keys() - listed - set(seen.released)),
    )
    if state == Region.State.DOUBTED:
        telling.doubted(region)
    else:
        telling.current(region, before)
    return _outcome(region, seen, new=len(listed - known.keys()), events=told)


def _outcome(region: Region, seen: presence.Look, **counts: int) -> Outcome:
    return Outcome(
        region=region.region_id,
        account=region.account.name,
        state=region.state,
        problem=region.problem,
        instances=region.instance_count,
        missed=len(seen.missed),
        released=len(seen.released),
        back=len(seen.back),
        **counts,
    )


def _verdict(seen: presence.Look, reading: Reading, known: int) -> tuple[str, str]:
    problems = list(reading.problems)
    if not seen.doubted:
        return Region.State.CURRENT, "; ".join(problems)
    gone = len(seen.doubted)
    problems.insert(
        0,
        f"the listing lacks {gone} of {known} instances (up to {presence.may_go(known)} may go "
        "at once): none is marked released until a person accepts it",
    )
    return Region.State.DOUBTED, "; ".join(problems)


def look_at_regions(claim: Claim[CloudAccount]) -> RegionsOutcome:
    """Find the regions of the claimed account and make them due; releases the claim."""
    account, wanted = claim.row, list(settings.ECS_REGIONS)
    offered: dict[str, str] = {}
    problem = ""
    if not account.enabled:
        claim.release(due_at=None)
        return RegionsOutcome(account.name)
    try:
        with claim.held():
            told = ecs.regions(account.signing()).value
            offered = {region.region_id: region.local_name for region in told}
            elsewhere = _elsewhere(account.signing(), offered.keys() - wanted) if wanted else {}
    except ecs.EcsError as error:
        problem, elsewhere = str(error), {}
    if offered and (unknown := [name for name in wanted if name not in offered]):
        problem = f"ECS_REGIONS names what ECS does not offer: {', '.join(unknown)}"
    configured = wanted or sorted(offered)
    with transaction.atomic():
        claim.renew()
        if configured:
            _configure(account, configured, offered)
        _note_elsewhere(account, elsewhere, offered)
        pause = timedelta(seconds=settings.SYNC_SECONDS) if problem else REGIONS_AGAIN
        found = {"regions_read_at": timezone.now()} if offered else {}
        claim.release(due_at=timezone.now() + pause, problem=problem, **found)
    return RegionsOutcome(account.name, tuple(configured), elsewhere, problem)


def _elsewhere(account: ecs.Account, regions: set[str]) -> dict[str, int]:
    """Regions that hold instances although nobody configured them."""
    found = {}
    for region in sorted(regions):
        try:
            count, _some = ecs.first_page(account, region).value
        except ecs.EcsError:
            continue  # not ours to see, or out of reach: nobody asked for it
        if count:
            found[region] = count
    return found


def _configure(account: CloudAccount, wanted: list[str], names: dict[str, str]) -> None:
    for name in wanted:
        region, made = Region.objects.get_or_create(account=account, region_id=name)
        local_name = names.get(name, region.local_name)[:80]
        if region.local_name != local_name:
            Region.objects.filter(pk=region.pk).update(local_name=local_name)
        if made or not region.configured or region.due_at is None:
            Region.objects.filter(pk=region.pk).update(configured=True)
            region.wake()
    dropped = account.regions.exclude(region_id__in=wanted)
    dropped.filter(configured=True).update(configured=False, due_at=None)


def _note_elsewhere(account: CloudAccount, counts: dict[str, int], names: dict[str, str]) -> None:
    for name, count in counts.items():
        Region.objects.update_or_create(
            account=account,
            region_id=name,
            defaults={
                "configured": False,
                "instance_count": count,
                "local_name": names.get(name, "")[:80],
            },
        )
