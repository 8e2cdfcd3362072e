"""The doorbell. Rows say what has to be done; a ring only says "look now".

A ring may be lost or doubled: the conductor rings again whatever stays due.
"""

from __future__ import annotations

import logging
from functools import partial

from django.db import transaction

log = logging.getLogger(__name__)

DEFAULT, ANALYZE = "default", "analyze"


def ring(job: str, *keys: int | str, queue: str = DEFAULT) -> None:
    """Have a worker of `queue` call the dotted `job` with `keys`, after the transaction commits.

    Never raises: a bell that cannot be rung is rung by the conductor later.
    """
    transaction.on_commit(partial(_ring, job, keys, queue), robust=True)


def _ring(job: str, keys: tuple[int | str, ...], queue: str) -> None:
    from django_q.tasks import async_task

    try:
        async_task(job, *keys, cluster=queue)
    except Exception:
        log.warning("bell for %s%r not rung; the conductor will", job, keys, exc_info=True)
