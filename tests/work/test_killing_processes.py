"""Whatever is killed with -9 at whatever moment: every run ends, once, and no orphan stays.

PORTAL_KILL_SEED repeats a run of this test; its seed is printed. Each database has its storm when
the suite runs on it.
"""

import os
import random
import signal
import time

import pytest
from django.db import connection

from tests.sizes import long_only, points
from tests.stack import postgres_database, redis_database, running, until
from tests.work.storm import MACHINES, OPEN, STATUSES, Storm

pytestmark = pytest.mark.stack
SEED = int(os.environ.get("PORTAL_KILL_SEED", random.SystemRandom().randrange(10**6)))
REDIS_NUMBER = 3


def survive(stack, points: int) -> None:
    storm = Storm(stack, SEED, points)
    storm.rage()
    print(f"over {storm.calm():.1f} s after the last kill")
    storm.check()
    assert stack.stop() == 0


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="has its turn when the suite is on SQLite"
)
@long_only
def test_every_run_ends_once_on_sqlite(tmp_path):
    with running(tmp_path) as stack:
        survive(stack, points=points(50))


@long_only
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="has its turn when the suite is on PostgreSQL"
)
def test_every_run_ends_once_on_postgresql_and_redis(tmp_path):
    redis = redis_database(REDIS_NUMBER)
    with (
        postgres_database() as database,
        running(tmp_path, database_url=database, redis_url=redis) as stack,
    ):
        survive(stack, points=points(50))


@long_only  # a case goes through the same in tests/journeys
def test_killing_the_parent_stops_everything_and_the_next_start_finishes_the_work(tmp_path):
    with running(tmp_path) as stack:
        storm = Storm(stack, SEED, points=1, runs=12, pause=4)
        storm.rage()
        stack.kill()
        until(lambda: not stack.processes(), 5, f"an end of {stack.processes()}")

        stack.start()
        storm.calm()

        said = dict(stack.sql(STATUSES))
        assert sum(said.values()) == storm.runs
        # The simulator died too: what it had taken and forgot is named so, the rest was run.
        assert set(said) <= {"Success", "no_answer"}
        started = stack.simulator.counters()["runs"]
        assert sum(started.get(machine, 0) for machine in MACHINES) <= storm.runs


@long_only  # a case tells the same in tests/journeys
def test_a_run_that_the_killed_simulator_forgot_ends_as_no_answer(tmp_path):
    with running(tmp_path) as stack:
        storm = Storm(stack, SEED, runs=2)
        stack.python(
            "from tests.work import storm\n"
            "exec(storm.ASK.format(machines=storm.MACHINES, runs=2, seconds=0)"
            ".replace('sleep', 'sleep 30; :'))"
        )
        sent = "select count(*) from commands_dispatch where state = 'sent'"
        until(lambda: stack.sql(sent) == [(2,)], 20, f"both sent; {stack.tail()}")

        for pid in stack.pids()["simulator"]:
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        storm.calm()

        assert time.monotonic() - killed < 60
        assert dict(stack.sql(STATUSES)) == {"no_answer": 2}
        reasons = stack.sql("select distinct error_code from commands_target")
        assert reasons == [("RunForgotten",)]
        assert stack.sql(OPEN) == [(0,)]
