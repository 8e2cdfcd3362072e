"""A schedule that ECS keeps: made as one run that ECS repeats, and over when that run is."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from commands import asking, frequencies
from commands.forms.schedules import ScheduleForm
from commands.models import Invocation, Schedule
from commands.plan import Plan
from commands.targets import version
from instances import ecs
from instances.models import InstanceGroup
from portal import audit, work
from portal.work import Claim

MOST_NAMED = 5


def objections(form: ScheduleForm, planned: Plan) -> list[str]:
    """Why ECS cannot keep this; [] if it can. In words that say what to do instead."""
    told, found = form.cleaned_data["selection"], []
    group = InstanceGroup.objects.filter(pk=told.group).first() if told.group else None
    if not told.names_some or (group and group.filter is not None):
        found.append(
            _(
                "ECS keeps a list of instances as it is now, and a filter means others tomorrow:"
                " name the instances or choose a fixed group, or have it fired by the portal."
            )
        )
    places = sorted({f"{row.account}/{row.region}" for row in planned.reach.fit})
    if len(places) > 1:
        found.append(
            _(
                "ECS keeps a schedule in one account and region, and this reaches %(places)s: make"
                " one for each, or have it fired by the portal."
            )
            % {"places": ", ".join(places)}
        )
    if planned.size > ecs.RUN_LIMIT:
        found.append(
            _(
                "ECS keeps a schedule for at most %(limit)d instances, and this reaches %(size)d:"
                " have it fired by the portal."
            )
            % {"limit": ecs.RUN_LIMIT, "size": planned.size}
        )
    return [*found, *_too_old(form, planned)]


def _too_old(form: ScheduleForm, planned: Plan) -> list[str]:
    if form.cleaned_data["repeat_mode"] != Schedule.Repeat.PERIOD:
        return []
    needed = frequencies.needed_agent(planned.script["type"])
    old = [str(row) for row in planned.reach.fit if version(row.agent_version) < needed]
    if not old:
        return []
    names = ", ".join(old[:MOST_NAMED]) + (" …" if len(old) > MOST_NAMED else "")
    return [
        _(
            "A rate, a time and a time zone are understood by Cloud Assistant %(version)s or newer;"
            " these have an older one: %(names)s."
        )
        % {"version": ".".join(map(str, needed)), "names": names}
    ]


@transaction.atomic
def make(
    form: ScheduleForm, planned: Plan, *, by: Any, once: uuid.UUID, via: str, freeze_reason: str
) -> Schedule:
    """Write the schedule and its one run, which is sent (or waits for approval) like any run.

    Raises ValidationError where ECS cannot keep it.
    """
    if problems := objections(form, planned):
        raise ValidationError(problems)
    told = form.cleaned_data
    schedule = Schedule.objects.create(
        once=once,
        kind=Schedule.Kind.ECS,
        repeat_mode=told["repeat_mode"],
        name=told["name"] or form.pinned.command.name,
        revision=form.pinned,
        parameters=told["values"],
        picked=told["selection"].kept(),
        expression=told["expression"],
        zone=told["zone"],
        next_at=form.times[0] if form.times else None,
        owner=by,
    )
    schedule.timed_run = asking.ask(
        form,
        planned,
        by=by,
        once=once,
        via=via,
        freeze_reason=freeze_reason,
        repeat_mode=schedule.repeat_mode,
        frequency=schedule.expression,
        then=schedule,
    )
    schedule.save(update_fields=["timed_run"])
    audit.record(
        actor=by,
        act="schedule.made",
        subject=schedule,
        via=via,
        expression=schedule.expression or schedule.repeat_mode,
        command=str(schedule.revision),
        run=schedule.timed_run_id,
    )
    return schedule


@work.job(Schedule)
def settle(claim: Claim[Schedule]) -> None:
    """Its run in ECS is over, and so is the schedule."""
    run = claim.row.timed_run
    if run is None or run.state != Invocation.State.FINISHED:
        return claim.release(due_at=None)
    claim.release(due_at=None, next_at=None, state=Schedule.State.ENDED)
