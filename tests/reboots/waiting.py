"""Batches that wait for somebody's word, over instances that only the database knows."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from commands import saved
from commands.models import Approval, CommandRevision, RebootBatch
from instances.models import Instance
from tests.factories import InstanceFactory, a_person
from tests.reboots.driving import a_script, asked


def instances(number: int = 3, **told: Any) -> list[Instance]:
    now = timezone.now()
    alive = {
        "agent_version": "2.2.3.857",
        "agent_running": True,
        "agent_heartbeat_at": now,
        "agent_asked_at": now,
    }
    return [InstanceFactory(seen_at=now, **alive, **told) for _ in range(number)]


def waiting(*, rows: list[Instance] | None = None, **told: Any) -> Approval:
    """The approval of a new batch whose instances were just looked at."""
    batch = asked(rows or instances(), **told)
    looked_at(batch)
    return batch.approvals.get()


def looked_at(batch: RebootBatch) -> None:
    """As a worker does it."""
    RebootBatch.objects.filter(pk=batch.pk).update(checked_at=timezone.now(), look_at=None)


def kept(by: Any, text: str = "true", name: str = "drain") -> CommandRevision:
    """A saved command's revision that this person wrote."""
    script = a_script(text)
    return saved.save(
        None,
        name=name,
        description="",
        tags=(),
        parameters=(),
        script=script,
        note="",
        by=by,
        via="page",
    )


def author() -> Any:
    return a_person("manager")
