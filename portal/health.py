"""Whether the portal itself is well: the clock ticks, every queue's bells are heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from portal import queue, work
from portal.conductor import ROLE
from portal.models import Canary, Heartbeat

CONDUCTOR_SILENT = timedelta(seconds=20)
QUEUE_SILENT = timedelta(minutes=3)
STUMBLES = 3  # steps in a row that went wrong before a row is named


@dataclass(frozen=True, slots=True)
class Process:
    role: str
    host: str
    pid: int
    started_at: datetime
    at: datetime
    ok: bool


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    heard_at: datetime | None
    waiting: int | None  # bells; None: the broker does not answer
    ok: bool


@dataclass(frozen=True, slots=True)
class Stumbling:
    """A row whose steps keep going wrong."""

    label: str  # such as commands.Dispatch
    key: int
    attempts: int
    last_error: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class State:
    conductors: list[Process]
    queues: list[Queue]
    stumbling: list[Stumbling]

    @property
    def ok(self) -> bool:
        """At least one conductor lives and every queue is heard."""
        return any(process.ok for process in self.conductors) and all(q.ok for q in self.queues)


def state() -> State:
    """How the portal's processes are, from what they last wrote down."""
    now = timezone.now()
    beats = Heartbeat.objects.filter(role=ROLE, at__gt=now - timedelta(days=1)).order_by("host")
    conductors = [
        Process(b.role, b.host, b.pid, b.started_at, b.at, ok=now - b.at < CONDUCTOR_SILENT)
        for b in beats
    ]
    heard = dict(Canary.objects.values_list("name", "heard_at"))
    queues = [_queue(name, heard.get(name), now) for name in queue.QUEUES]
    return State(conductors, queues, _stumbling())


def _queue(name: str, heard_at: datetime | None, now: datetime) -> Queue:
    try:
        waiting = queue.length(name)
    except Exception:  # whatever the broker raises: it may be Redis, and away
        waiting = None
    heard = heard_at is not None and now - heard_at < QUEUE_SILENT
    return Queue(name, heard_at, waiting, ok=heard and waiting is not None)


def _stumbling(limit: int = 20) -> list[Stumbling]:
    return [
        Stumbling(kind._meta.label, row.pk, row.attempts, row.last_error, row.due_at)
        for kind in work.kinds()
        for row in kind._default_manager.filter(
            attempts__gte=STUMBLES, due_at__isnull=False
        ).order_by("-attempts")[:limit]
    ]
