"""Reads the answers of a finished run into one row per instance."""

from __future__ import annotations

from django.utils import timezone

from commands.models import Invocation, Target
from diagnostics.readiness import reading
from diagnostics.readiness.models import Readiness, ReadinessRun
from portal import work
from portal.work import Claim

PORTION = 100  # answers in one step


@work.job(ReadinessRun)
def read_answers(claim: Claim[ReadinessRun]) -> None:
    """Read the next portion. Reading one twice does no harm: the row of a newer answer stays."""
    row = claim.row
    if row.finished_at or row.run is None or row.run.state != Invocation.State.FINISHED:
        return claim.release(due_at=None)  # the run's end wakes it
    targets = Target.objects.filter(invocation=row.run, pk__gt=row.read_to)
    targets = targets.select_related("instance", "dispatch", "output").order_by("pk")
    last = None
    with claim.held():
        for target in targets[:PORTION]:
            keep(target, row.run)
            last = target.pk
    if last is None:
        return claim.release(due_at=None, finished_at=timezone.now())
    claim.release(due_at=timezone.now(), read_to=last)


def keep(target: Target, run: Invocation) -> None:
    """What one machine answered, or why nothing can be read from it."""
    at = target.finished_at or run.finished_at
    body = target.output.body() if target.output else b""
    if not body.strip():
        return Readiness.tried(target.instance, _silence(target), at=at, run=run)
    answer = reading.read(body, target.instance.agent_version)
    if not answer.checks:
        return Readiness.tried(target.instance, answer.problem, at=at, run=run)
    Readiness.keep(target.instance, answer.checks, at=at, family=answer.family, run=run)


def _silence(target: Target) -> str:
    """ECS's own words where it gave some."""
    dispatch = target.dispatch
    words = [target.error_code or dispatch.error_code, target.error_info or dispatch.error]
    return ": ".join(word for word in words if word) or f"{target.status}, and nothing was printed"
