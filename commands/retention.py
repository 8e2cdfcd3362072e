"""Runs that may go, each with its dispatches, targets and fire; then what nothing refers to."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Exists, Min, OuterRef, QuerySet

from commands.models import Dispatch, Fire, Invocation, Output, RebootItem, Target
from portal.retention import PORTION, Found, Kind, Portion, label
from portal.rows import alone, lock
from portal.work import Work

# What goes with its run: the keys by which it belongs to one. Apps above add theirs.
PARTS = [
    Target._meta.get_field("invocation"),
    Dispatch._meta.get_field("invocation"),
    Fire._meta.get_field("invocation"),
]
# Looked at by themselves: a dispatch is its run's too, and a repeated run goes after the other.
BESIDES = (Target._meta.get_field("dispatch"), Invocation._meta.get_field("rerun_of"))
# From each of them the way to its run.
WHOLE = {Invocation: "", Dispatch: "invocation", Target: "invocation"}


def referring() -> list[tuple[models.Field, str]]:
    """Every foreign key to a part of a run that does not go with it, and the lookup that leads to
    the run; whatever app it is in, and whenever it was added."""
    return [
        (relation.field, "__".join(filter(None, (relation.field.name, way))))
        for model, way in WHOLE.items()
        for relation in model._meta.get_fields(include_hidden=True)
        if relation.auto_created
        and (relation.one_to_many or relation.one_to_one)
        and relation.field not in (*PARTS, *BESIDES)
    ]


def _free_runs(before: datetime) -> QuerySet:
    """Old finished runs to which nothing else refers, but perhaps a run that repeats them."""
    rows = Invocation.objects.filter(state=Invocation.State.FINISHED, finished_at__lt=before)
    for field, lookup in referring():
        referrers = field.model._base_manager.filter(**{lookup: OuterRef("pk")})
        if field.model is Dispatch:  # a time of a run that ECS repeats is a run of its own
            referrers = referrers.exclude(invocation=OuterRef("pk"))
        rows = rows.filter(~Exists(referrers))
    for part in PARTS:
        if issubclass(part.model, Work):  # somebody has to look at it again
            open_ones = part.model.objects.exclude(due_at=None)
            rows = rows.filter(~Exists(open_ones.filter(**{part.name: OuterRef("pk")})))
    return rows


class Runs(Kind):
    """A run goes whole or not at all. The newest first, so that what repeats a run goes before."""

    def find(self, before: datetime) -> Found:
        found, after, repeating = Counter(), "", set()
        oldest = None
        while rows := self._next(before, after):
            going = _without_repeated(rows, repeating)
            found[label(Invocation)] += len(going)
            for part in PARTS:
                found[label(part.model)] += _of(part, going).count()
            ended = Invocation.objects.filter(pk__in=going).aggregate(at=Min("finished_at"))["at"]
            oldest = min(filter(None, (oldest, ended)), default=None)
            after = str(rows[-1][0])
        return Found(found, oldest)

    def take_out(self, before: datetime, after: str) -> Portion:
        rows = self._next(before, after)
        keys = [key for key, *_more in rows]
        lock(Invocation.objects.filter(pk__in=keys))
        free = set(self.free(before).filter(pk__in=keys).values_list("pk", flat=True))
        going = _without_repeated([row for row in rows if row[0] in free], set())
        gone = Counter()
        for part in PARTS:
            gone[label(part.model)] = _delete(_of(part, going))
        gone[label(Invocation)] = _delete(Invocation.objects.filter(pk__in=going))
        return Portion(gone, str(rows[-1][0]) if rows else None)

    def _next(self, before: datetime, after: str) -> list[tuple[int, int | None, int]]:
        """Key, what it repeats, and instances: as many as a portion, but always one."""
        rows = self.free(before).order_by("-pk").values_list("pk", "rerun_of", "size")
        taken, targets = [], 0
        for row in (rows.filter(pk__lt=after) if after else rows)[:PORTION]:
            targets += row[2]
            if taken and targets > PORTION:
                break
            taken.append(row)
        return taken


def _without_repeated(rows: list[tuple[int, int | None, int]], gone: set[int]) -> list[int]:
    """Of these, the newest first, those whose repetitions all go too: among them or in `gone`,
    to which those that repeat one are added."""
    repeated_by: dict[int, set[int]] = defaultdict(set)
    pairs = Invocation.objects.filter(rerun_of__in=[row[0] for row in rows])
    for original, key in pairs.values_list("rerun_of", "pk"):
        repeated_by[original].add(key)
    going = []
    for key, original, _size in rows:
        if repeated_by[key] <= gone:
            going.append(key)
            gone -= repeated_by[key]
            if original:
                gone.add(key)
    return going


def _of(part: models.Field, runs: list[int]) -> QuerySet:
    return part.model._base_manager.filter(**{f"{part.name}__in": runs})


def _delete(rows: Any) -> int:
    """One DELETE. The database itself refuses it, at the commit, where something refers to a row;
    Django would first read them all to ask the same."""
    return rows._raw_delete(rows.db) or 0  # None where Django knows that there are none


class Outputs(Kind):
    """Whoever finds an output stored and is about to refer to it goes first (see Output.keep)."""

    def take_out(self, before: datetime, after: str) -> Portion:
        alone(Output)
        return super().take_out(before, after)


def _unused(before: datetime) -> QuerySet:
    return Output.objects.filter(~Exists(Target.objects.filter(output=OuterRef("pk"))))


def _fires(before: datetime) -> QuerySet:
    """Times at which nothing began; the others go with their run."""
    return Fire.objects.filter(invocation=None, at__lt=before, planned_at__lt=before)


def not_cited(events: QuerySet) -> QuerySet:
    """Events that no batch of reboots was made for."""
    cited = RebootItem.objects.exclude(event_id="").filter(event_id=OuterRef("event_id"))
    return events.filter(~Exists(cited))


KINDS = (
    Runs("runs", _free_runs, "finished_at"),
    Kind("times of schedules", _fires, "at"),
    Outputs("outputs", _unused),
)
