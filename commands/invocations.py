"""Asking for a run: one transaction writes everything down before any call is made."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import limits
from commands.models import CloudCommand, CommandRevision, Dispatch, Invocation, Target
from instances import ecs
from instances.models import Instance
from portal.secrets import seal
from portal.work import Work

SEND_WITHIN = timedelta(minutes=5)  # afterwards a call that could not be made is given up


def invoke(
    *,
    name: str,
    instances: Iterable[Instance],
    asked_by,
    read_only: bool = False,
    then: Work | None = None,
    send_within: timedelta = SEND_WITHIN,
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
    **script: Any,
) -> Invocation:
    """Have a script run once on each of `instances`; return the run, whose work is due now.

    `script` holds fields of `Script.FIELDS`. `then` is woken when the last target is over. A call
    that cannot be made within `send_within` is given up. `secrets` are sealed, and erased when the
    run ends. `once` names this very wish: a second run of it is refused by the database.
    Raises ValidationError, naming the field, before anything is written.
    """
    members = list({instance.pk: instance for instance in instances}.values())
    values = {**(parameters or {}), **(secrets or {})}
    _check(name=name, script=script, values=values, max_errors=max_errors, members=members)
    with transaction.atomic():
        run = Invocation.objects.create(
            name=name,
            read_only=read_only,
            asked_by=asked_by,
            then_model=then._meta.label if then else "",
            then_key=then.pk if then else None,
            revision=revision,
            cloud_command=cloud_command,
            parameters=dict(parameters or {}),
            sealed=seal(dict(secrets or {})),
            takes_parameters=takes_parameters,
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
            size=len(members),
            **script,
        )
        for chunk in _chunks(members):
            _dispatch(run, chunk, send_within)
    return run


def _dispatch(run: Invocation, members: list[Instance], send_within: timedelta) -> None:
    now = timezone.now()
    dispatch = Dispatch.objects.create(
        invocation=run,
        account_id=members[0].account_id,
        region=members[0].region,
        size=len(members),
        due_at=now,
        rung_at=now,
        deadline=now + send_within,
    )
    Target.objects.bulk_create(
        Target(dispatch=dispatch, invocation=run, instance=instance) for instance in members
    )
    dispatch.ring()


def _chunks(members: list[Instance]) -> Iterator[list[Instance]]:
    """Groups that fit one call: one account, one region, at most RUN_LIMIT instances."""
    groups = defaultdict(list)
    for instance in members:
        groups[instance.account_id, instance.region].append(instance)
    for group in groups.values():
        for start in range(0, len(group), ecs.RUN_LIMIT):
            yield group[start : start + ecs.RUN_LIMIT]


def _check(
    *,
    name: str,
    script: Mapping[str, Any],
    values: Mapping[str, str],
    max_errors: str,
    members: list[Instance],
) -> None:
    problems = limits.problems(**{"timeout": 60, **script}, parameters=values)
    if problem := limits.name_problem(name):
        problems["name"] = problem
    if problem := limits.parameter_problems(values):
        problems["parameters"] = problem
    if problem := limits.budget_problem(max_errors):
        problems["max_errors"] = problem
    if not members:
        problems["instances"] = _("Name at least one instance.")
    if problems:
        raise ValidationError(problems)
