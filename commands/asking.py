"""A person asks for a run: the command saved if they wish, the run written, the audit told."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from commands import approvals, invocations, limits, parameters
from commands.forms.compose import ComposeForm
from commands.models import CommandRevision, Invocation, SavedCommand
from commands.plan import Plan
from portal import audit


@transaction.atomic
def ask(
    form: ComposeForm,
    planned: Plan,
    *,
    by: Any,
    once: uuid.UUID | None,
    via: str,
    freeze_reason: str = "",
    **repeated: Any,
) -> Invocation:
    """Write the run that a valid form and its plan describe. Raises ValidationError by field.

    `repeated` is how ECS is to repeat it, and whom to wake when that is over."""
    told = form.cleaned_data
    if planned.judgement.refuses:
        raise ValidationError([rule.words for rule in planned.judgement.refuses])
    if planned.freezes and not freeze_reason:
        raise ValidationError(_("A freeze stands in the way: say why it cannot wait."))
    if not form.vetted() and not by.has_perm("commands.run_script"):
        raise PermissionDenied
    pinned = form.pinned or (None if form.in_ecs else _saved(told, form.what(), by=by, via=via))
    run = invocations.invoke(
        name=told["name"] or str(form.in_ecs or name_of(pinned, form.what()["script"])),
        instances=planned.reach.fit,
        asked_by=by if by.pk else None,  # a shell of this host is nobody's account
        revision=form.in_ecs.revision if form.in_ecs else pinned,
        cloud_command=form.in_ecs,
        parameters=told["values"],
        secrets=told["secrets"],
        takes_parameters=form.in_ecs.takes_parameters
        if form.in_ecs
        else parameters.takes_parameters(planned.script["script"], form.declared),
        dry_run=told["dry_run"],
        concurrency=told["concurrency"],
        max_errors=told["max_errors"],
        picked=told["selection"].kept(),
        left_out=planned.reach.left_out_kept(),
        rerun_of=told["again"],
        once=once,
        freeze_reason=freeze_reason,
        hold_for_approval=bool(planned.judgement.demands),
        **repeated,
        **form.what(),
    )
    if planned.judgement.demands:
        approvals.ask(run, [rule.words for rule in planned.judgement.demands])
    audit.record(
        actor=by if by.pk else by.get_username(),
        act="run.asked",
        subject=run,
        via=via,
        instances=run.size,
        command=str(form.in_ecs or pinned or ""),
        digest=planned.digest,
        freeze_broken=freeze_reason,
    )
    return run


def _saved(told: dict[str, Any], script: dict, *, by: Any, via: str) -> CommandRevision | None:
    name = told["save_as"].strip()
    if not name:
        return None
    if not by.has_perm("commands.add_savedcommand"):
        raise PermissionDenied
    command = SavedCommand(name=name, owner=by)
    command.full_clean()
    command.save()
    audit.record(actor=by, act="command.saved", subject=command, via=via, revision=1)
    return command.revise(by=by, parameters=[], **script)


def name_of(pinned: CommandRevision | None, script: str) -> str:
    """The command's, else the first line of the script that does something."""
    if pinned:
        return pinned.command.name
    lines = [line.strip() for line in script.splitlines()]
    telling = [line for line in lines if line and not line.startswith("#")]
    return (telling or lines)[0][: limits.NAME_LIMIT]
