"""The commands that live in ECS: mirrored, taken over as our own, and ours put there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import limits, parameters, saved
from commands.models import (
    CloudCommand,
    CommandRevision,
    CommandType,
    LibraryAct,
    SavedCommand,
    Script,
)
from commands.parameters import Parameter
from instances import ecs
from instances.models import CloudAccount
from portal import audit, work
from portal.work import Claim

GIVE_UP = timedelta(minutes=10)
Kind = LibraryAct.Kind


@transaction.atomic
def ask(kind: str, account: CloudAccount, region: str, *, by: Any, via: str, **about) -> LibraryAct:
    """Write the wish down and have it done. `about` is revision or cloud_command."""
    now = timezone.now()
    act = LibraryAct.objects.create(
        kind=kind,
        account=account,
        region=region,
        asked_by=by,
        due_at=now,
        rung_at=now,
        deadline=now + GIVE_UP,
        **about,
    )
    act.ring()
    if kind != Kind.READ:
        names = {name: str(value) for name, value in about.items()}
        audit.record(
            actor=by, act=f"ecs_command.{kind}_asked", subject=act, via=via, region=region, **names
        )
    return act


@work.job(LibraryAct)
def carry_on(claim: Claim[LibraryAct]) -> None:
    """Do it; the token makes a second creation the first one, the others may be repeated."""
    act, now = claim.row, timezone.now()
    if act.state != LibraryAct.State.WAITING:
        return claim.release(due_at=None)
    try:
        with claim.held():
            said = DEEDS[act.kind](act)
    except ecs.EcsError as error:
        if isinstance(error, ecs.Throttled | ecs.NoAnswer) and now < act.deadline:
            rest = timedelta(seconds=getattr(error, "retry_after", None) or 5)
            return claim.release(due_at=now + rest, error=str(error)[:2000])
        return claim.release(due_at=None, state=LibraryAct.State.FAILED, error=str(error)[:2000])
    with transaction.atomic():
        claim.release(
            due_at=None,
            state=LibraryAct.State.DONE,
            error="",
            request_id=said.request_ids[-1] if said.request_ids else "",
        )
        KEEP[act.kind](act, said.value)


def _read(act: LibraryAct) -> ecs.Answer[list[ecs.CommandInfo]]:
    own = ecs.commands(act.account.signing(), act.region)
    public = ecs.commands(act.account.signing(), act.region, public=True)
    return ecs.Answer([*own.value, *public.value], own.request_ids + public.request_ids)


def _mirror(act: LibraryAct, infos: list[ecs.CommandInfo]) -> None:
    now = timezone.now()
    for info in infos:
        if info.type not in CommandType.values or not info.command_id:
            continue
        told = {name: getattr(info, name) for name in MIRRORED}
        row, _made = CloudCommand.objects.update_or_create(
            account=act.account,
            region=act.region,
            command_id=info.command_id[:64],
            defaults={
                **told,
                "name": info.name[:128],
                "working_dir": info.working_dir[:200],
                "launcher": info.launcher[:1024],
                "parameter_names": list(info.parameter_names),
                "provider": info.provider[:128],
                "seen_at": now,
                "gone_at": None,
            },
        )
        if row.revision and row.revision.script != row.script:
            row.revision = None  # somebody changed it there: nobody here wrote that text
            row.save(update_fields=["revision"])
    here = CloudCommand.objects.filter(account=act.account, region=act.region, gone_at=None)
    here.exclude(seen_at=now).update(gone_at=now)


MIRRORED = ("description", "type", "script", "timeout", "takes_parameters", "version", "created_at")


def _create(act: LibraryAct) -> ecs.Answer[str]:
    revision = act.revision
    declared = parameters.declared(revision.parameters)
    return ecs.keep_command(
        act.account.signing(),
        act.region,
        script=revision.script,
        type=revision.type,
        token=str(act.token),
        takes_parameters=parameters.takes_parameters(revision.script, declared),
        name=revision.command.name,
        description=revision.command.description,
        timeout=revision.timeout,
        working_dir=revision.working_dir,
        launcher=revision.launcher,
    )


def _created(act: LibraryAct, command_id: str) -> None:
    revision, now = act.revision, timezone.now()
    declared = parameters.declared(revision.parameters)
    CloudCommand.objects.update_or_create(
        account=act.account,
        region=act.region,
        command_id=command_id,
        defaults={
            "name": revision.command.name,
            "description": revision.command.description,
            "type": revision.type,
            "script": revision.script,
            "timeout": revision.timeout,
            "working_dir": revision.working_dir,
            "launcher": revision.launcher,
            "takes_parameters": parameters.takes_parameters(revision.script, declared),
            "parameter_names": [parameter.name for parameter in declared],
            "created_at": now,
            "seen_at": now,
            "gone_at": None,
            "revision": revision,
        },
    )


def _rename(act: LibraryAct) -> ecs.Answer[None]:
    """ECS changes names and settings only: a changed text is a new command there."""
    kept, revision = act.cloud_command, act.revision
    return ecs.change_command(
        act.account.signing(),
        act.region,
        kept.command_id,
        name=revision.command.name if revision else kept.name,
        description=revision.command.description if revision else kept.description,
        timeout=revision.timeout if revision else kept.timeout,
    )


def _renamed(act: LibraryAct, _nothing: None) -> None:
    if revision := act.revision:
        CloudCommand.objects.filter(pk=act.cloud_command_id).update(
            name=revision.command.name,
            description=revision.command.description,
            timeout=revision.timeout,
        )


def _delete(act: LibraryAct) -> ecs.Answer[None]:
    return ecs.drop_command(act.account.signing(), act.region, act.cloud_command.command_id)


def _deleted(act: LibraryAct, _nothing: None) -> None:
    CloudCommand.objects.filter(pk=act.cloud_command_id).update(gone_at=timezone.now())


DEEDS = {Kind.READ: _read, Kind.CREATE: _create, Kind.RENAME: _rename, Kind.DELETE: _delete}
KEEP = {Kind.READ: _mirror, Kind.CREATE: _created, Kind.RENAME: _renamed, Kind.DELETE: _deleted}


def take_over(kept: CloudCommand, *, by: Any, via: str) -> CommandRevision:
    """Our own copy of a command in ECS. Raises ValidationError where its name is taken, or its
    text does not fit our limits."""
    declared = [Parameter(name=name) for name in kept.parameter_names]
    script = {name: getattr(kept, name, "") for name in Script.FIELDS}
    if problems := limits.problems(**script):
        raise ValidationError(list(problems.values()))
    if kept.takes_parameters:
        parameters.check_declared(kept.script, declared)
    name = (kept.name or kept.command_id)[:128]
    if SavedCommand.objects.filter(name__iexact=name, archived_at=None).exists():
        raise ValidationError(_("There is a command of this name already."))
    return saved.save(
        None,
        name=name,
        description=kept.description[:512],
        tags=["ECS"],
        parameters=declared if kept.takes_parameters else [],
        script=script,
        note=kept.command_id,
        by=by,
        via=via,
    )
