"""Several conductors and clusters on one database get on: each run is started once."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.sizes import long_only
from tests.stack import ROOT, postgres_database, running, until
from tests.work.storm import MACHINES, OPEN, Storm

pytestmark = pytest.mark.stack
MORE = (("conductor",), ("cluster", "--queue", "default"), ("cluster", "--queue", "analyze"))


def at_work(process: subprocess.Popen) -> bool:
    """Whether it has taken its title: before that it does not know yet how to end in order."""
    words = " ".join(psutil.Process(process.pid).cmdline())
    return "manage.py" not in words


def share_the_work(stack) -> None:
    more = [
        subprocess.Popen([sys.executable, "manage.py", *role], cwd=ROOT, env=stack.environment)
        for role in MORE
    ]
    until(lambda: all(map(at_work, more)), 60, "the further processes at work")
    storm = Storm(stack, seed=0, points=0, runs=30)
    storm.rage()
    storm.calm()

    started = stack.simulator.counters()["runs"]
    assert sum(started[machine] for machine in MACHINES) == 30
    assert stack.sql(OPEN) == [(0,)]
    assert "database is locked" not in stack.log.read_text()
    for process in more:
        os.kill(process.pid, signal.SIGTERM)
    assert [process.wait(30) for process in more] == [0, 0, 0]


@long_only
def test_on_sqlite(tmp_path):
    with running(tmp_path) as stack:
        share_the_work(stack)


@long_only
def test_on_postgresql(tmp_path):
    with postgres_database() as database, running(tmp_path, database_url=database) as stack:
        share_the_work(stack)


@long_only
def test_a_sentinel_that_hangs_is_replaced(tmp_path):
    with running(tmp_path) as stack:
        before = stack.pids()["sentinel"]
        os.kill(before[0], signal.SIGSTOP)

        until(
            lambda: len(now := stack.pids()["sentinel"]) == 2 and before[0] not in now,
            45,
            f"a new sentinel; {stack.tail()}",
        )
        assert "no round of the sentinel" in stack.log.read_text()
