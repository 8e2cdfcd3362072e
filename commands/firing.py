"""A schedule's time has come: the run begins, or it is written down why it did not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from commands import approvals, expressions, freezes, invocations, parameters, telling
from commands.models import Fire, Invocation, Schedule
from commands.plan import Plan, plan
from commands.targets import Selection
from instances.filters import BadFilter
from portal import audit, secrets, work
from portal.kept import kept
from portal.work import Claim

TOO_LATE = kept("The portal was not there in time.")
GOES_ON = kept("The last run is not over.")
ARCHIVED = kept("The command is archived.")
NOBODY = kept("No instance is left to run this on.")
NOT_ALLOWED = kept("%(owner)s may no longer run commands.")
MOST_MISSED = 50  # of one absence, each a row; what lies before is named in the last of them


class Failed(Exception):
    """Why this time the run could not begin, in words for a person."""


def begin(schedule: Schedule) -> None:
    """Set a new or resumed schedule's first time."""
    schedule.next_at = _next(schedule, timezone.now())
    schedule.due_at = schedule.next_at
    schedule.save(update_fields=["next_at", "due_at"])


def _next(schedule: Schedule, moment: datetime) -> datetime | None:
    return read(schedule).after(moment)


def read(schedule: Schedule) -> expressions.Expression:
    since = schedule.begun_at or schedule.created_at
    return expressions.read(schedule.expression, schedule.zone, since)


@work.job(Schedule)
def fire(claim: Claim[Schedule]) -> None:
    """One transaction holds the run, its Fire and the next time: it begins once, or not at all."""
    schedule, now = claim.row, timezone.now()
    with transaction.atomic():
        claim.renew()
        schedule.refresh_from_db()  # a person may have paused or ended it since it was claimed
        planned = schedule.next_at
        if schedule.state != Schedule.State.ACTIVE or planned is None:
            return claim.release(due_at=None)
        late = timedelta(seconds=schedule.grace)
        missed = 0
        while planned is not None and now - planned > late:
            if missed < MOST_MISSED:
                _write(schedule, planned, Fire.State.MISSED, TOO_LATE)
            missed, last = missed + 1, planned
            planned = _next(schedule, planned if missed < MOST_MISSED else now - late)
        if missed:
            telling.missed(schedule, last, missed, TOO_LATE)
        if planned is not None and planned <= now:
            _fire_now(schedule, planned, now)
            planned = _next(schedule, max(planned, now))
        if planned is None:
            return claim.release(due_at=None, next_at=None, state=Schedule.State.ENDED, sealed=b"")
        claim.release(due_at=planned, next_at=planned)


def _write(schedule: Schedule, planned: datetime, state: str, reason: str, run=None) -> None:
    Fire.objects.get_or_create(
        schedule=schedule,
        planned_at=planned,
        defaults={"state": state, "reason": reason, "invocation": run},
    )


def _fire_now(schedule: Schedule, planned: datetime, now: datetime) -> None:
    if Fire.objects.filter(schedule=schedule, planned_at=planned).exists():
        return
    going = Fire.objects.filter(schedule=schedule).exclude(invocation__state="finished")
    if schedule.overlap == Schedule.Overlap.SKIP and going.exclude(invocation=None).exists():
        return _write(schedule, planned, Fire.State.OVERLAPPED, GOES_ON)
    try:
        planned_run = _plan(schedule)
        if windows := freezes.standing(now, planned_run.reach.fit):
            names = ", ".join(str(window) for window in windows)
            return _write(schedule, planned, Fire.State.FROZEN, names)
        with transaction.atomic():
            run = _begin(schedule, planned_run)
    except Failed as why:
        telling.missed(schedule, planned, 1, str(why))
        return _write(schedule, planned, Fire.State.FAILED, str(why))
    _write(schedule, planned, Fire.State.FIRED, "", run)


def _plan(schedule: Schedule) -> Plan:
    owner = schedule.owner
    if not owner.is_active or not owner.has_perm("commands.run_saved"):
        raise Failed(NOT_ALLOWED % {"owner": owner})
    if schedule.revision.command.archived_at:
        raise Failed(ARCHIVED)
    try:
        found = plan(
            schedule.revision.as_script(),
            schedule.parameters,
            Selection.read(schedule.picked),
            owner,
            secrets=_opened(schedule),
        )
    except BadFilter as problem:
        raise Failed(f"{problem.field}: {problem}") from None
    if not found.size:
        raise Failed(NOBODY)
    if refuses := found.judgement.refuses:
        raise Failed("; ".join(rule.words for rule in refuses))
    return found


def _begin(schedule: Schedule, planned: Plan) -> Invocation:
    revision, demands = schedule.revision, planned.judgement.demands
    declared = parameters.declared(revision.parameters)
    try:
        run = invocations.invoke(
            name=schedule.name,
            instances=planned.reach.fit,
            asked_by=schedule.owner,
            revision=revision,
            parameters=schedule.parameters,
            secrets=_opened(schedule),
            takes_parameters=parameters.takes_parameters(revision.script, declared),
            concurrency=schedule.concurrency,
            max_errors=schedule.max_errors,
            picked=schedule.picked,
            left_out=planned.reach.left_out_kept(),
            hold_for_approval=bool(demands),
            **revision.as_script(),
        )
    except ValidationError as error:
        raise Failed(" ".join(error.messages)) from None
    if demands:
        approvals.ask(run, [rule.words for rule in demands])
    audit.record(
        actor="conductor",
        act="schedule.fired",
        subject=schedule,
        via="job",
        run=run.pk,
        instances=run.size,
    )
    return run


def _opened(schedule: Schedule) -> dict[str, Any]:
    try:
        return secrets.unseal(schedule.sealed)
    except secrets.WrongKey as error:
        raise Failed(str(error)) from None
