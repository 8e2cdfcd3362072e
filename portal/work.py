"""Work that survives: a row is claimed, leased and fenced, and never in two hands at once.

A concrete Work row says when somebody has to look at it next (`due_at`; null: never again).
The conductor rings `job` for every due row that nobody holds. The job claims the row, does one
short step, and releases it with the next `due_at`. Every write of the holder carries its fence:
a holder whose lease ran out and was taken over gets Fenced and must touch nothing more.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Generic, TypeVar

from django.db import connection, models
from django.db.models import F, Q
from django.utils import timezone

from portal import queue

LEASE = timedelta(seconds=20)


class Fenced(Exception):
    """Somebody else holds the row now; stop and write nothing."""


class Work(models.Model):
    job: ClassVar[str]  # dotted path; called with the primary key
    queue: ClassVar[str] = queue.DEFAULT

    fence = models.PositiveBigIntegerField(default=0, editable=False)
    lease_owner = models.CharField(max_length=100, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    due_at = models.DateTimeField(null=True, db_index=True, editable=False)
    rung_at = models.DateTimeField(null=True, editable=False)
    wakes = models.PositiveBigIntegerField(default=0, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    deadline = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def bell(self) -> tuple[str, str]:
        """Job and queue that carry this row on in its present state."""
        return self.job, self.queue

    def wake(self) -> None:
        """Make the row due now and ring, also while somebody holds it: they look again."""
        rows = type(self)._default_manager.filter(pk=self.pk)
        now = timezone.now()
        rows.update(due_at=now, rung_at=now, wakes=F("wakes") + 1)
        job, name = self.bell()
        queue.ring(job, self.pk, queue=name)


Row = TypeVar("Row", bound=Work)


class Claim(Generic[Row]):
    """One holder's right to a row, until the lease runs out."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.fence = row.fence
        self.wakes = row.wakes

    def _mine(self) -> models.QuerySet[Row]:
        return type(self.row)._default_manager.filter(pk=self.row.pk, fence=self.fence)

    def write(self, **changes: object) -> None:
        """Change the row if it is still ours, else raise Fenced. Progress resets `attempts`."""
        if not self._mine().update(attempts=0, **changes):
            raise Fenced(str(self.row.pk))
        for name, value in changes.items():
            setattr(self.row, name, value)

    def renew(self) -> None:
        if not self._mine().update(lease_until=timezone.now() + LEASE):
            raise Fenced(str(self.row.pk))

    def release(self, *, due_at: datetime | None, **changes: object) -> None:
        """Let go. Whoever woke the row while we held it wins over our `due_at`."""
        free = {"lease_until": None, "lease_owner": "", "rung_at": None, **changes}
        undisturbed = self._mine().filter(wakes=self.wakes)
        if undisturbed.update(due_at=due_at, **free):
            return
        if not self._mine().update(due_at=timezone.now(), **free):
            raise Fenced(str(self.row.pk))
        job, name = self.row.bell()
        queue.ring(job, self.row.pk, queue=name)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep the lease alive while a longer step goes on."""
        over = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(over,), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()

    def _keep(self, over: threading.Event) -> None:
        try:
            while not over.wait(LEASE.total_seconds() / 4):
                self.renew()
        except Fenced:
            pass
        finally:
            connection.close()


def claim(model: type[Row], pk: int) -> Claim[Row] | None:
    """Take the row if it is due and nobody holds it; None means there is nothing for us to do."""
    now = timezone.now()
    free = model._default_manager.filter(pk=pk, due_at__lte=now).filter(
        Q(lease_until=None) | Q(lease_until__lte=now)
    )
    row = free.first()
    if row is None:
        return None
    taken = free.filter(fence=row.fence).update(
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
        lease_until=now + LEASE,
        lease_owner=f"{socket.gethostname()}:{os.getpid()}"[:100],
    )
    if not taken:
        return None
    held = model._default_manager.filter(pk=pk, fence=row.fence + 1).first()
    return Claim(held) if held else None
