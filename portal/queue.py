"""The doorbell. Rows say what has to be done; a ring only says "look now".

A ring may be lost or doubled: the conductor rings again whatever stays due.
"""

from __future__ import annotations

import logging
from functools import cache, partial

from django.db import transaction

log = logging.getLogger(__name__)

DEFAULT, ANALYZE = "default", "analyze"
QUEUES = (DEFAULT, ANALYZE)


def ring(job: str, key: int, *, queue: str = DEFAULT) -> None:
    """Have a worker of `queue` call the dotted `job` with `key`, after the transaction commits.

    Never raises: a bell that cannot be rung is rung by the conductor later.
    """
    transaction.on_commit(partial(_ring, job, key, queue), robust=True)


def length(queue: str) -> int:
    """How many bells wait in `queue` for a worker."""
    return _broker(queue).queue_size()


def _ring(job: str, key: int, queue: str) -> None:
    from django_q.tasks import async_task

    try:
        async_task(job, key, broker=_broker(queue))
    except Exception:
        log.warning("bell for %s(%s) not rung; the conductor will", job, key, exc_info=True)


@cache  # a Redis broker opens its connection once, not with every ring
def _broker(queue: str):
    from django_q.brokers import get_broker

    return get_broker(queue)
