"""Asking for a run: one transaction writes everything down before any call is made."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from commands import holding, limits
from commands.models import (
    CloudCommand,
    CommandRevision,
    Dispatch,
    Invocation,
    Script,
    Target,
)
from instances.models import Instance
from portal import rows
from portal import secrets as safe
from portal.transitions import move
from portal.work import Work


def invoke(
    *,
    name: str,
    instances: Iterable[Instance],
    asked_by,
    read_only: bool = False,
    then: Work | None = None,
    send_within: timedelta = holding.SEND_WITHIN,
    revision: CommandRevision | None = None,
    cloud_command: CloudCommand | None = None,
    parameters: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    takes_parameters: bool = False,
    repeat_mode: str = "",
    frequency: str = "",
    dry_run: bool = False,
    concurrency: int | None = None,
    max_errors: str = "",
    picked: Mapping[str, Any] | None = None,
    left_out: Mapping[str, Any] | None = None,
    rerun_of: Invocation | None = None,
    freeze_reason: str = "",
    once: uuid.UUID | None = None,
    hold_for_approval: bool = False,
    **script: Any,
) -> Invocation:
    """Have a script (`Script.FIELDS`) run on each of `instances`; return the run, due now.

    With `cloud_command` ECS runs that command, and the fields default to what it holds.
    `secrets` are parameters that are kept sealed and erased when the run ends. `then` is woken
    when the last target is over. A call that cannot be made within `send_within` is given up.
    `once` names this very wish: a second run of it is refused by the database. Held for approval,
    nothing is due before `start`.
    Raises ValidationError, naming the fields, before anything is written.
    """
    script = _script(revision, cloud_command) | script
    open_ones, secret_ones = dict(parameters or {}), dict(secrets or {})
    takes_parameters = bool(takes_parameters or open_ones or secret_ones)
    members = list({instance.pk: instance for instance in instances}.values())
    run = Invocation(
        name=name,
        **script,
        read_only=read_only,
        asked_by=asked_by,
        revision=revision,
        cloud_command=cloud_command,
        takes_parameters=takes_parameters,
        parameters=open_ones,
        repeat_mode=repeat_mode,
        frequency=frequency,
        dry_run=dry_run,
        concurrency=concurrency,
        max_errors=max_errors,
        picked=dict(picked or {}),
        left_out=dict(left_out or {}),
        rerun_of=rerun_of,
        freeze_reason=freeze_reason,
        once=once,
        then_model=then._meta.label if then else "",
        then_key=then.pk if then else None,
        size=len(members),
        state="waiting" if hold_for_approval else "running",
    )
    _check(run, members, open_ones | secret_ones)
    run.sealed = safe.seal(secret_ones)
    with transaction.atomic():
        run.save()
        _cut(run, members)
        holding.let_go(run, send_within)
    return run


@transaction.atomic
def start(run: Invocation) -> None:
    """Let a run that was held for approval begin. Raises WrongState if it no longer waits."""
    move(run, source="waiting", target="running")
    holding.let_go(run)


def _script(revision: CommandRevision | None, command: CloudCommand | None) -> dict:
    """The fields of a script that need not be given, from where they are kept."""
    if revision is not None:
        return revision.as_script()
    if command is not None:
        kept = ("script", "type", "timeout", "working_dir", "launcher")
        return {name: getattr(command, name) for name in kept}
    return {}


def _cut(run: Invocation, members: list[Instance]) -> None:
    """The run's dispatches, all held, and their targets."""
    cut = list(holding.parts(members, run.concurrency))
    dispatches = Dispatch.objects.bulk_create(
        Dispatch(
            invocation=run,
            account_id=part[0].account_id,
            region=part[0].region,
            size=len(part),
            state=Dispatch.State.HELD,
        )
        for part in cut
    )
    for dispatch, part in zip(dispatches, cut, strict=True):
        rows.insert_alike(
            Target,
            "instance_id",
            [instance.pk for instance in part],
            dispatch_id=dispatch.pk,
            invocation_id=run.pk,
        )


def _check(run: Invocation, members: list[Instance], values: Mapping[str, str]) -> None:
    script = {name: getattr(run, name) for name in Script.FIELDS}
    found = limits.problems(**script, parameters=values) | _check_way(run)
    if problem := limits.name_problem(run.name):
        found["name"] = problem
    if run.takes_parameters and (problem := limits.parameter_problems(values)):
        found["parameters"] = problem
    elif run.takes_parameters and (missing := limits.without_value(run.script, values)):
        found["parameters"] = _("No value is given for: %s.") % ", ".join(missing)
    if not members:
        found["instances"] = _("Name at least one instance.")
    elif (command := run.cloud_command) and any(
        (member.account_id, member.region) != (command.account_id, command.region)
        for member in members
    ):
        found["instances"] = _(
            "%(command)s lives in %(region)s of account %(account)s and runs only there."
        ) % {"command": command, "region": command.region, "account": command.account}
    if found:
        raise ValidationError(found)


def _check_way(run: Invocation) -> dict[str, str]:
    """What is wrong with how often, how many at once and how many errors."""
    found = {}
    if run.repeat_mode and run.repeat_mode not in limits.REPEAT_MODES:
        found["repeat_mode"] = _("One of: %s.") % ", ".join(limits.REPEAT_MODES)
    if run.repeat_mode == "Period" and not run.frequency:
        found["frequency"] = _("A run that repeats needs a frequency.")
    if run.concurrency is not None and run.concurrency < 1:
        found["concurrency"] = _("At least one instance must be allowed at once.")
    if problem := limits.budget_problem(run.max_errors):
        found["max_errors"] = problem
    return found
