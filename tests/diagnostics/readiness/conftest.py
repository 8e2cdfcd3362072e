"""The demo fleet, and runs of the readiness script carried to their end in this process."""

from __future__ import annotations

import time

from commands import jobs as command_jobs
from commands.models import Invocation
from commands.targets import Selection
from diagnostics.models import ReadinessRun
from diagnostics.readiness import asking, jobs
from instances.models import Instance
from tests.diagnostics.cases.conftest import cloud, mirrored

__all__ = ["cloud", "fleet"]


def fleet(simulator, *names: str) -> list[Instance]:
    """Our rows of demo machines, as a sync would have made them."""
    rows = [mirrored(simulator, name) for name in names]
    Instance.objects.filter(pk__in=[row.pk for row in rows]).update(agent_running=True)
    for row in rows:
        row.refresh_from_db()
        row.agent_heartbeat_at = row.agent_asked_at = row.created_at or _now()
        row.save(update_fields=["agent_heartbeat_at", "agent_asked_at"])
    return rows


def _now():
    from django.utils import timezone

    return timezone.now()


def checked(rows: list[Instance], by=None) -> list[Invocation]:
    """Ask these, and carry everything on until the answers are kept."""
    selection = Selection(picked=tuple(row.pk for row in rows))
    asked = asking.reach(selection, by)
    assert asked.size == len(rows), asked.left_out
    runs = asking.ask(asked, by=by, via="page", selection=selection)
    for _turn in range(100):
        for run in runs:
            for key in run.dispatches.exclude(state="finished").values_list("pk", flat=True):
                command_jobs.carry_on(key)
        readers = ReadinessRun.objects.filter(run__in=runs)
        for key in readers.values_list("pk", flat=True):
            jobs.read_answers(key)
        if not readers.filter(finished_at=None).exists():
            return runs
        time.sleep(0.1)
    raise AssertionError("the answers were not kept in time")
