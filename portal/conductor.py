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

from commands import elsewhere
from portal import owners, pruning, queue, work
from portal.models import Canary, Heartbeat
from portal.rows import free_now
from portal.work import Work

log = logging.getLogger(__name__)

ROLE = "conductor"
TICK = 1.0  # seconds between two looks, when nothing comes due earlier
SHORTEST = 0.1
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
                pruning.begin_daily()
            if beaten is None or timezone.now() - beaten >= BEAT:
                elsewhere.hang_up()
                beaten = beat(started)
            tick()
            time.sleep(until_due())
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
    """Ring for every due row that nobody holds, once for a crowd; how many bells that were."""
    room: Counter[str] = Counter()
    asked: set[str] = set()
    rung = 0
    for kind in work.stirring(timezone.now()):
        for rows in _crowds(_due(kind)):
            name = rows[0].bell()[1]
            if name not in asked:
                asked.add(name)
                room[name] = _room(name)
            if room[name] > 0 and _ring(rows):
                room[name] -= 1
                rung += 1
    return rung


def until_due() -> float:
    """Seconds to the next tick: until something comes due, but a whole one at most."""
    now, rest = timezone.now(), TICK
    soon = now + timedelta(seconds=TICK)
    for kind in work.stirring(soon):
        rows = kind._default_manager.filter(due_at__gt=now, due_at__lt=soon).order_by("due_at")
        for due_at in rows.values_list("due_at", flat=True)[:1]:
            rest = min(rest, (due_at - now).total_seconds())
    return max(rest, SHORTEST)


def _due(kind: type[Work]) -> list[Work]:
    """What is due and unanswered, and what a process of this machine held that is dead."""
    now = timezone.now()
    here = Q(lease_owner__startswith=owners.HERE or "-")
    wanted = Q(work.unheld(now), _silent(now)) | here
    due = kind._default_manager.filter(wanted, due_at__lte=now)
    return [row for row in due.order_by("due_at")[:AT_ONCE] if owners.holder_is_gone(row)]


def _silent(now: datetime) -> Q:
    """Rows whose bell was not rung lately."""
    return Q(rung_at=None) | Q(rung_at__lte=now - RING_AGAIN)


def _crowds(rows: list[Work]) -> list[list[Work]]:
    """Rows that one bell calls for."""
    crowds: dict[tuple, list[Work]] = {}
    for row in rows:
        crowds.setdefault((*row.bell(), *row.crowd()), []).append(row)
    return list(crowds.values())


def _ring(rows: list[Work]) -> bool:
    """Ring once, whichever conductor sees the rows first."""
    free = [row for row in rows if row.lease_until is None or work.take_back(row)]
    if not free:
        return False
    now = timezone.now()
    unanswered = type(free[0])._default_manager.filter(
        _silent(now), pk__in=[row.pk for row in free], due_at__lte=now
    )
    with transaction.atomic():
        keys = list(free_now(unanswered).values_list("pk", flat=True))
        if not unanswered.filter(pk__in=keys).update(rung_at=now):
            return False
        free[0].ring()
    return True


def _room(name: str) -> int:
    try:
        return QUEUE_FULL - queue.length(name)
    except Exception:  # the broker's own errors: it may be Redis, and away
        log.warning("queue %s cannot be reached", name, exc_info=True)
        return 0
