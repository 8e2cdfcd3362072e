"""Asking a part of the fleet for its readiness, with the read-only script of each system."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from commands import invocations, targets
from commands.models import Invocation
from commands.targets import Reach, Reason, Selection
from diagnostics.readiness.models import ReadinessRun
from diagnostics.scripts.shared import readiness
from diagnostics.steps.guest import TYPES
from instances.models import Instance
from portal import audit

TIMEOUT = 60  # seconds; the script needs less than 30 on a busy machine
SEND_WITHIN = timedelta(minutes=10)
NAME = "readiness"
SHOWN = 5  # checks under way


@dataclass(frozen=True)
class Asked:
    """Whom a selection reaches: who is fit by system, and who is left out and why."""

    fit: dict[str, list[Instance]]
    left_out: dict[Reason, list[Instance]]
    unknown: list[str]
    ambiguous: dict[str, list[Instance]]

    @property
    def size(self) -> int:
        return sum(map(len, self.fit.values()))


def reach(selection: Selection, user: Any) -> Asked:
    """Raises BadFilter for a filter that cannot be read. `user` None: the host, who sees all."""
    script, type = readiness("linux"), TYPES["linux"]
    found = targets.reach(selection, user, script=script, type=type, container=False)
    fit: dict[str, list[Instance]] = {}
    left_out: dict[Reason, list[Instance]] = {}
    for row in chain(found.fit, *found.left_out.values()):
        if reason := _unfit(row):
            left_out.setdefault(reason, []).append(row)
        else:
            fit.setdefault(row.os_type, []).append(row)
    return Asked(fit, left_out, found.unknown, found.ambiguous)


def _unfit(row: Instance) -> Reason | None:
    """Why this instance cannot be asked by the script of its own system."""
    if row.os_type not in TYPES:
        return Reason.WRONG_OS
    return targets.unfit(row, script=readiness(row.os_type), type=TYPES[row.os_type])


@transaction.atomic
def ask(
    asked: Asked,
    *,
    by: Any,
    via: str,
    selection: Selection,
    kept: dict[str, Any] | None = None,
    once: uuid.UUID | None = None,
    actor: Any = None,
) -> list[Invocation]:
    """One run for each system, due now; a second call with the same `once` gives those again.

    `kept` is what the run keeps of how they were picked, where the selection says less.
    """
    runs = []
    for number, (os, members) in enumerate(asked.fit.items()):
        key = uuid.uuid5(once, os) if once else None
        if key and (sent := Invocation.objects.filter(once=key, asked_by=by).first()):
            runs.append(sent)
            continue
        reader = ReadinessRun.objects.create(asked_by=by)
        run = invocations.invoke(
            name=NAME,
            script=readiness(os),
            type=TYPES[os],
            instances=members,
            timeout=TIMEOUT,
            asked_by=by,
            read_only=True,
            then=reader,
            send_within=SEND_WITHIN,
            picked=selection.kept() if kept is None else kept,
            left_out=_kept(asked) if number == 0 else {},
            once=key,
        )
        ReadinessRun.objects.filter(pk=reader.pk).update(run=run)
        audit.record(
            actor=actor or by, act="readiness.asked", subject=run, via=via, instances=run.size
        )
        runs.append(run)
    return runs


def _kept(asked: Asked) -> dict[str, Any]:
    return Reach([], asked.left_out).left_out_kept()


def under_way(user: Any) -> list[ReadinessRun]:
    """Checks whose answers are not all read yet, the newest first, with how many `answered`."""
    since = timezone.now() - timedelta(days=1)
    seen = ReadinessRun.objects.visible_to(user).filter(finished_at=None, asked_at__gt=since)
    over = Count("run__targets", filter=Q(run__targets__over=True))
    return list(seen.select_related("run").annotate(answered=over).order_by("-pk")[:SHOWN])
