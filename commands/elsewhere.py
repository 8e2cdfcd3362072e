"""Timed runs that were made elsewhere: listed as far as ECS tells of them, and stopped on request.

Asked (ECS took the wish), confirmed (its machines' rows say so) and lost (no final word came) are
different things here as for any run.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import endings, holding
from commands.models import Dispatch, TimedLook, TimedRun
from commands.timed_rows import STOPPED
from instances import ecs
from instances.models import CloudAccount, Instance, Region
from portal import audit, work
from portal.transitions import WrongState
from portal.work import Claim

AGAIN, EMPTY_AGAIN = timedelta(minutes=5), timedelta(hours=1)
AFTER_REFUSAL = timedelta(minutes=10)
MOST_PAGES = 20  # of 50 runs
BIGGEST = 2**31 - 1
OVER = ("Success", "Finished", "Failed", "PartialFailed", "Stopped")  # of a whole run
Stop = TimedRun.Stop


def hang_up() -> None:
    """A look for each region that is worked in. Cheap: the conductor calls it again and again."""
    missing = Region.objects.filter(configured=True, timed_look=None)
    for region in missing[:50]:
        TimedLook.objects.get_or_create(region=region, defaults={"due_at": timezone.now()})


@work.job(TimedLook)
def look(claim: Claim[TimedLook]) -> None:
    """List what ECS repeats in this account and region, and mirror what is not ours."""
    region, now = claim.row.region, timezone.now()
    if not (region.configured and region.account.enabled) or ecs.mode() == "observe":
        return claim.release(due_at=now + EMPTY_AGAIN)
    try:
        with claim.held():
            # Not narrowed by a status: ECS's two words for a waiting run differ.
            found = ecs.timed_runs(
                region.account.signing(), region.region_id, most_pages=MOST_PAGES
            )
    except ecs.EcsError as error:
        rest = timedelta(seconds=getattr(error, "retry_after", None) or 0)
        return claim.release(due_at=now + max(rest, AFTER_REFUSAL), problem=str(error)[:2000])
    with transaction.atomic():
        claim.renew()
        full = len(found.value) >= MOST_PAGES * ecs.RESULTS_PAGE
        _mirror(region, found.value, now, whole=not full)
        problem = _("There are more than %d; the rest is not shown.") % len(found.value)
        claim.release(
            due_at=now + (AGAIN if region.instance_count else EMPTY_AGAIN),
            looked_at=now,
            problem=problem if full else "",
        )


def _mirror(
    region: Region, found: dict[str, ecs.TimedRunInfo], now: datetime, *, whole: bool
) -> None:
    ours = set(_ours(region.account, list(found)))
    names = {name for info in found.values() for name in info.machines}
    known = Instance.objects.filter(account=region.account, region=region.region_id)
    instances = dict(known.filter(instance_id__in=names).values_list("instance_id", "pk"))
    for key, info in found.items():
        if key not in ours and goes_on(info):
            _keep(region, info, instances, now)
    here = TimedRun.objects.filter(account=region.account, region=region.region_id, gone_at=None)
    # What is being stopped gets its end from its own row of work.
    gone = here.exclude(seen_at=now).exclude(stop__in=(Stop.WANTED, Stop.ASKED))
    if not whole:
        gone = gone.filter(invoke_id__in=list(found))  # told of, and over
    gone.update(gone_at=now)


def goes_on(info: ecs.TimedRunInfo) -> bool:
    """Whether any machine is still to run it."""
    if not info.machines:
        return info.status not in OVER
    return any(word not in ecs.FINAL_INVOCATION_STATUSES for word in info.machines.values())


def _ours(account: CloudAccount, keys: list[str]) -> list[str]:
    sent = Dispatch.objects.filter(account=account, invoke_id__in=keys)
    return list(sent.values_list("invoke_id", flat=True))


def _keep(region: Region, info: ecs.TimedRunInfo, instances: dict[str, int], now: datetime) -> None:
    row, _made = TimedRun.objects.update_or_create(
        account=region.account,
        region=region.region_id,
        invoke_id=info.invoke_id,
        defaults={
            "command_id": info.command_id[:64],
            "name": info.name[:128],
            "type": info.type[:40],
            "script": info.script,
            "username": info.username[:255],
            "timeout": min(info.timeout, BIGGEST),
            "repeat_mode": info.repeat_mode[:20],
            "frequency": info.frequency[:300],
            "status": info.status[:20],
            "created_at": info.created_at,
            "size": len(info.machines),
            "repeats": min(max(info.repeats.values(), default=0), BIGGEST),
            "seen_at": now,
            "gone_at": None,
        },
    )
    row.instances.set([instances[name] for name in info.machines if name in instances])


# --- Stopping -----------------------------------------------------------------------------------


@transaction.atomic
def stop(run: TimedRun, by: Any, *, via: str) -> None:
    """Have ECS end it. Raises WrongState if it is over; asking again changes nothing."""
    run = TimedRun.objects.select_for_update().get(pk=run.pk)
    if run.gone_at is not None:
        raise WrongState(_("It is over already."))
    if run.stop in (Stop.WANTED, Stop.ASKED):
        return
    now = timezone.now()
    ends = now + timedelta(seconds=run.timeout) + holding.ANSWER_ALLOWANCE
    run.stop, run.stop_asked_at, run.stop_asked_by = Stop.WANTED, now, by
    TimedRun.objects.filter(pk=run.pk).update(
        stop=Stop.WANTED, stop_asked_at=now, stop_asked_by=by, deadline=ends, error=""
    )
    run.wake()
    audit.record(
        actor=by,
        act="timed_run.stopped",
        subject=run,
        via=via,
        invoke_id=run.invoke_id,
        region=run.region,
        instances=run.size,
    )


@work.job(TimedRun)
def carry_on(claim: Claim[TimedRun]) -> None:
    """The next step of a wish to stop: ask ECS, then look until the last word."""
    run = claim.row
    if run.stop not in (Stop.WANTED, Stop.ASKED):
        return claim.release(due_at=None)
    try:
        with claim.held():
            if run.stop == Stop.WANTED:
                ecs.stop(run.account.signing(), run.region, run.invoke_id, ours=False)
                claim.write(stop=Stop.ASKED, error="")
            rows = ecs.results(run.account.signing(), run.region, run.invoke_id).value
    except ecs.EcsError as error:
        return _not_answered(claim, error)
    now = timezone.now()
    states = {row.status for row in rows}
    if rows and states <= ecs.FINAL_INVOCATION_STATUSES:
        word = Stop.CONFIRMED if states & set(STOPPED) else Stop.ENDED
        claim.release(due_at=None, stop=word, gone_at=now, status=_whole(states))
    elif now >= run.deadline:
        claim.release(due_at=None, stop=Stop.LOST)
    else:
        claim.release(due_at=_soon(run, now))


def _whole(states: set[str]) -> str:
    return states.pop() if len(states) == 1 else "Stopped"


def _not_answered(claim: Claim[TimedRun], error: ecs.EcsError) -> None:
    """Throttled and unanswered wishes are repeated: stopping twice does no harm."""
    run, now = claim.row, timezone.now()
    words = endings.plain(str(error))[:2000]
    later = isinstance(error, ecs.Throttled | ecs.NoAnswer)
    if not later and run.stop == Stop.WANTED and not error.in_doubt:
        return claim.release(due_at=None, stop=Stop.REFUSED, error=words)
    if now >= run.deadline:
        return claim.release(due_at=None, stop=Stop.LOST, error=words)
    rest = timedelta(seconds=getattr(error, "retry_after", None) or 0)
    claim.release(due_at=max(_soon(run, now), now + rest), error=words)


def _soon(run: TimedRun, now: datetime) -> datetime:
    age = now - run.stop_asked_at
    return min(now + min(max(age / 4, timedelta(seconds=1)), timedelta(seconds=30)), run.deadline)
