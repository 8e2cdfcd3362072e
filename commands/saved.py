"""Keeping commands: saved, found, marked, put away. Each act with its audit entry."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from commands.models import CommandRevision, CommandTag, Favourite, SavedCommand, Script
from commands.parameters import Parameter
from portal import audit


@transaction.atomic
def save(
    command: SavedCommand | None,
    *,
    name: str,
    description: str,
    tags: Iterable[str],
    parameters: Iterable[Parameter],
    script: dict[str, Any],
    note: str,
    by: Any,
    via: str,
) -> CommandRevision:
    """A new command, or a new revision of one; the same text again makes no revision."""
    command = command or SavedCommand(owner=by)
    command.name, command.description = name, description
    command.full_clean()
    command.save()
    command.tags.exclude(name__in=tags).delete()
    CommandTag.objects.bulk_create(
        [CommandTag(command=command, name=tag) for tag in tags], ignore_conflicts=True
    )
    kept = [parameter.kept() for parameter in parameters]
    revision = command.revise(by=by, parameters=kept, note=note, **script)
    audit.record(actor=by, act="command.saved", subject=command, via=via, revision=revision.number)
    return revision


@transaction.atomic
def archive(command: SavedCommand, *, by: Any, via: str) -> None:
    """Put it away; its revisions and runs stay. Its name is free again."""
    if SavedCommand.objects.filter(pk=command.pk, archived_at=None).update(
        archived_at=timezone.now()
    ):
        audit.record(actor=by, act="command.archived", subject=command, via=via)


def mark(command: SavedCommand, person: Any, *, wanted: bool) -> None:
    """Among this person's favourites, or no longer."""
    if wanted:
        Favourite.objects.get_or_create(command=command, person=person)
    else:
        Favourite.objects.filter(command=command, person=person).delete()


def with_newest(commands: QuerySet[SavedCommand]) -> QuerySet[SavedCommand]:
    """Each with `type`, `number` and `revised_at` of its newest revision."""
    newest = CommandRevision.objects.filter(command=OuterRef("pk")).order_by("-number")
    return commands.annotate(
        type=Subquery(newest.values("type")[:1]),
        number=Subquery(newest.values("number")[:1]),
        revised_at=Subquery(newest.values("created_at")[:1]),
    )


def found(told: dict[str, str], person: Any) -> QuerySet[SavedCommand]:
    """The commands that fit a CommandFilter's cleaned data."""
    commands = with_newest(SavedCommand.objects.select_related("owner"))
    commands = commands.filter(archived_at__isnull=told["mine"] != "archived")
    if told["mine"] == "favourites":
        commands = commands.filter(favourites__person=person)
    elif told["mine"] == "owned":
        commands = commands.filter(owner=person)
    if told["tag"]:
        commands = commands.filter(tags__name=told["tag"])
    if told["type"]:
        commands = commands.filter(type=told["type"])
    for word in told["text"].split():
        inside = CommandRevision.objects.filter(script__icontains=word).values("command")
        fits = Q(name__icontains=word) | Q(description__icontains=word) | Q(pk__in=inside)
        commands = commands.filter(fits)
    return commands


def difference(old: CommandRevision, new: CommandRevision) -> list[tuple[str, str]]:
    """(kind, line) of everything that differs, kinds "add", "drop", "same" and "place"."""
    settings = [name for name in Script.FIELDS if name != "script"]
    lines = [
        *changes(
            [f"{name}: {getattr(old, name)}" for name in settings],
            [f"{name}: {getattr(new, name)}" for name in settings],
        ),
        *changes(
            [str(Parameter.read(row)) for row in old.parameters],
            [str(Parameter.read(row)) for row in new.parameters],
        ),
    ]
    return lines + changes(old.script.splitlines(), new.script.splitlines(), context=3)


def changes(old: list[str], new: list[str], context: int = 0) -> list[tuple[str, str]]:
    """The lines that differ, as `difference` tells them, with so many equal ones around."""
    kinds = {"+": "add", "-": "drop", "@": "place", " ": "same"}
    lines = list(difflib.unified_diff(old, new, lineterm="", n=context))[2:]
    return [
        (kinds[line[0]], line[1:] if line[0] != "@" else line)
        for line in lines
        if context or line[0] != "@"
    ]
