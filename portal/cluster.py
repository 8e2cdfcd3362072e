"""A queue cluster that cannot hang: whoever of its processes dies, all of it starts afresh.

The library's processes share pipes under locks. One that is killed while it holds a lock leaves
it held, and what the library starts in its place waits for ever. So:
- a child that ended by a signal, or does not end, takes the sentinel and with it everything down;
- a sentinel whose rounds stop (it may wait for such a lock itself) is killed by the main process;
- every process dies with its parent, so no orphan goes on working;
- the command then ends with BROKEN, and whoever started it starts it again.
Work in hand is not lost by that: rows stay due, and their leases run out.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from importlib import import_module

from django_q import cluster as library
from django_q.conf import Conf
from setproctitle import setproctitle

from instances import ecs_sdk
from portal import queue, work
from portal.leash import die_with

log = logging.getLogger(__name__)

BROKEN = 70  # exit code: start me again
FLUSH = 5  # seconds that a timed-out worker gets to hand its result over
STUCK = 20  # seconds without a round of the sentinel
STOP_WITHIN = 30  # seconds for the work in hand; what takes longer is taken up after the restart


class Pulse:
    """In place of the library's status record: it only tells that the sentinel makes rounds."""

    last = multiprocessing.RawValue("d", 0.0)  # without a lock, which a kill could leave held

    def __init__(self, sentinel: library.Sentinel) -> None:
        pass

    def save(self) -> None:
        Pulse.last.value = time.monotonic()

    @classmethod
    def age(cls) -> float:
        return time.monotonic() - cls.last.value


class SafeSentinel(library.Sentinel):
    def __init__(self, *args: object, **options: object) -> None:
        die_with(multiprocessing.parent_process().pid)
        multiprocessing.current_process().name = f"{Conf.CLUSTER_NAME}-sentinel"
        setproctitle(f"qcluster {Conf.CLUSTER_NAME}-sentinel")
        super().__init__(*args, **options)

    def spawn_process(self, target, *args):
        process = library.get_mp_context().Process(
            target=_child,
            args=(os.getpid(), target, *args),
            name=f"{Conf.CLUSTER_NAME}-{target.__name__}",
            daemon=True,
        )
        if target is library.worker:
            process.timer = args[2]
            self.pool.append(process)
        process.start()
        return process

    def reincarnate(self, process) -> None:
        if process.exitcode is None:
            process.join(FLUSH)
        if process.exitcode is None or process.exitcode < 0:
            log.critical("%s ended with %s", process.name, process.exitcode)
            os._exit(BROKEN)
        super().reincarnate(process)


def _child(parent: int, target, *args: object) -> None:
    die_with(parent)
    target(*args)


class SafeCluster(library.Cluster):
    told_to_stop = False

    def sig_handler(self, signum: int, frame: object) -> None:
        # Not more: the library's own handler takes a lock that this process may be holding.
        self.told_to_stop = True


def run() -> int:
    """Serve the queue that Q_CLUSTER_NAME names until told to stop; answer the exit code."""
    library.Sentinel, library.Stat = SafeSentinel, Pulse
    _load()
    cluster = SafeCluster()
    Pulse.last.value = time.monotonic()
    cluster.start()
    setproctitle(f"qcluster {Conf.CLUSTER_NAME}-main")
    log.info("queue %s: %d workers", Conf.CLUSTER_NAME, Conf.WORKERS)
    return _watch(cluster)


def _load() -> None:
    """Import before the fork what the workers will need: then they share its memory.

    Only import: a connection opened here would be everybody's.
    """
    for kind in work.kinds():
        import_module(kind.job.rpartition(".")[0])
    if Conf.CLUSTER_NAME == queue.DEFAULT:  # the queue for calls
        ecs_sdk.parts()


def _watch(cluster: SafeCluster) -> int:
    sentinel = cluster.sentinel
    while sentinel.is_alive() and not cluster.told_to_stop:
        if Pulse.age() > STUCK:
            log.critical("no round of the sentinel for %d s", STUCK)
            sentinel.kill()
        sentinel.join(0.5)
    if cluster.told_to_stop and sentinel.is_alive():
        cluster.stop_event.set()
        sentinel.join(STOP_WITHIN)
        sentinel.kill()
        sentinel.join()
    return 0 if cluster.told_to_stop else BROKEN
