"""The clock: rings for whatever is due and in nobody's hands. Makes no cloud call, holds nothing.

Any number of conductors may run: a bell that is rung twice does no harm.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import Counter
from datetime import datetime, timedelta

from django.db import DatabaseError, connections, transaction
from django.db.models import Q
from django.utils import timezone

from portal import queue, work
from portal.models import Canary, Heartbeat
from portal.work import Work

log = logging.getLogger(__name__)

ROLE = "conductor"
TICK = 1.0
BEAT = timedelta(seconds=5)
RING_AGAIN = timedelta(seconds=5)  # a bell not answered for so long counts as lost
AT_ONCE = 100  # rows of one kind in one tick
QUEUE_FULL = 50  # bells; more would only wait behind these
AFTER_TROUBLE = 5.0


def run() -> None:
    """Tick until the process is told to end."""
    started, beaten = timezone.now(), None
    while True:
        try:
            if beaten is None:
                hang_up_canaries()
            if beaten is None or timezone.now() - beaten >= BEAT:
                beaten = beat(started)
            tick()
            time.sleep(TICK)
        except DatabaseError:
            log.exception("no tick")
            connections.close_all()
            time.sleep(AFTER_TROUBLE)


def hang_up_canaries() -> None:
    """One canary for each queue, so that health can tell whether its bells are heard."""
    for name in queue.QUEUES:
        Canary.objects.get_or_create(name=name, defaults={"due_at": timezone.now()})


def beat(started: datetime) -> datetime:
    now = timezone.now()
    Heartbeat.objects.update_or_create(
        role=ROLE,
        host=socket.gethostname()[:100],
        defaults={"pid": os.getpid(), "started_at": started, "at": now},
    )
    return now


def tick() -> int:
    """Ring for every due row that nobody holds; how many bells that were."""
    room: Counter[str] = Counter()
    asked: set[str] = set()
    rung = 0
    for kind in work.kinds():
        for row in _due(kind):
            name = row.bell()[1]
            if not work.holder_is_gone(row):
                continue
            if name not in asked:
                asked.add(name)
                room[name] = _room(name)
            if room[name] > 0 and _ring(row):
                room[name] -= 1
                rung += 1
    return rung


def _due(kind: type[Work]) -> list[Work]:
    """What is due and unanswered, and what a process of this machine holds: it may be dead."""
    now = timezone.now()
    silent = Q(rung_at=None) | Q(rung_at__lte=now - RING_AGAIN)
    wanted = Q(work.unheld(now), silent) | Q(lease_owner__startswith=work.HERE or "-")
    due = kind._default_manager.filter(wanted, due_at__lte=now)
    return list(due.order_by("due_at")[:AT_ONCE])


def _ring(row: Work) -> bool:
    """Ring once, whichever conductor sees the row first."""
    if row.lease_until is not None and not work.take_back(row):
        return False
    now = timezone.now()
    same = type(row)._default_manager.filter(pk=row.pk, rung_at=row.rung_at, due_at__lte=now)
    with transaction.atomic():
        if not same.update(rung_at=now):
            return False
        row.ring()
    return True


def _room(name: str) -> int:
    try:
        return QUEUE_FULL - queue.length(name)
    except Exception:  # the broker's own errors: it may be Redis, and away
        log.warning("queue %s cannot be reached", name, exc_info=True)
        return 0
