"""What may be in flight at once, and how many errors a run may have before the rest is left.

docs/runs.md tells people the exact rules. Everything here belongs into the transaction that
created or ended a dispatch, with the run locked, so that two ends are counted one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone

from commands import limits
from commands.models import Dispatch, Invocation, Outcome
from instances import ecs
from instances.models import Instance

SEND_WITHIN = timedelta(minutes=5)  # afterwards a call that could not be made is given up
# ECS delivers within a minute or aborts; then the script's own timeout; then the report.
ANSWER_ALLOWANCE = timedelta(seconds=90)
ERRORS = (Outcome.FAILED, Outcome.UNREACHED, Outcome.UNKNOWN)
IN_FLIGHT = (Dispatch.State.WAITING, Dispatch.State.SENDING, Dispatch.State.SENT)


def parts(members: list[Instance], concurrency: int | None) -> Iterator[list[Instance]]:
    """Groups that fit one call (one account, one region) and divide `concurrency` evenly."""
    size = call_size(concurrency)
    groups: dict[tuple[int, str], list[Instance]] = {}
    for instance in members:
        groups.setdefault((instance.account_id, instance.region), []).append(instance)
    for group in groups.values():
        for start in range(0, len(group), size):
            yield group[start : start + size]


def call_size(concurrency: int | None) -> int:
    """How many instances one call takes at most."""
    if concurrency is None:
        return ecs.RUN_LIMIT
    return concurrency // -(-concurrency // ecs.RUN_LIMIT)


def let_go(run: Invocation, send_within: timedelta = SEND_WITHIN) -> None:
    """Make as many held dispatches due as may be in flight, the oldest first."""
    if run.state != Invocation.State.RUNNING or run.stop_asked_at is not None:
        return
    held = run.dispatches.filter(state=Dispatch.State.HELD).order_by("pk")
    rows = list(held) if run.concurrency is None else list(_fitting(run, held))
    now = timezone.now()
    Dispatch.objects.filter(pk__in=[row.pk for row in rows], state=Dispatch.State.HELD).update(
        state=Dispatch.State.WAITING, due_at=now, rung_at=now, deadline=now + send_within
    )
    for row in {row.crowd(): row for row in reversed(rows)}.values():
        row.ring()


def _fitting(run: Invocation, held) -> Iterator[Dispatch]:
    flying = run.dispatches.filter(state__in=IN_FLIGHT)
    room = run.concurrency - (flying.aggregate(Sum("size"))["size__sum"] or 0)
    for row in held:
        room -= row.size
        if room < 0:
            return
        yield row


def too_many_errors(run: Invocation) -> bool:
    """Whether more of its targets ended badly than the run allows."""
    allowed = limits.allowed_errors(run.max_errors, run.size)
    return allowed is not None and run.targets.filter(outcome__in=ERRORS).count() > allowed
