"""A fifth of all calls throttled, answers lost after the act, 5xx, and processes killed with -9
while runs on hundreds of machines go on: every instance ends once, in the right state. One machine
is gone, so that ECS refuses each call that names it.

PORTAL_KILL_SEED repeats a run of this test; its seed is printed. Only the long form runs it.
"""

import random
import time

import pytest
from django.db import connection

from tests.simulation import as_a_process
from tests.sizes import long_only
from tests.stack import Stack, postgres_database, redis_database, until
from tests.work.storm import OPEN, Storm
from tests.work.test_killing_processes import SEED

pytestmark = pytest.mark.stack
MACHINES, RUNS, KILLS = 300, 8, 50
REDIS_NUMBER = 5
FAULTS = [
    {"kind": "throttle", "probability": 0.2, "seed": 1},
    {"kind": "lost", "operation": "RunCommand", "probability": 0.1, "seed": 2},
    {"kind": "error", "operation": "*Invocation*", "probability": 0.05, "seed": 3},
    {"kind": "error", "operation": "RunCommand", "probability": 0.1, "seed": 4},
    {"kind": "lost", "operation": "StopInvocation", "probability": 0.2, "seed": 5},
]
ASK = """
from commands import invocations
from instances.models import Instance
invocations.invoke(
    name="storm", script="# {number}\\nsleep 2; echo done\\n", type="RunShellScript", timeout=60,
    instances=Instance.objects.order_by("pk"), asked_by=None, concurrency={concurrency},
)
"""
ENDS = """
select r.id, t.outcome, count(*) from commands_target t
join commands_invocation r on r.id = t.invocation_id group by 1, 2 order by 1, 2
"""


def survive(stack: Stack) -> None:
    dice = random.Random(SEED)
    storm = Storm(stack, SEED, points=KILLS)
    for number in range(RUNS):
        pace = dice.choice(["None", "None", "150"])
        stack.python(ASK.format(number=number, concurrency=pace))
        while storm.killed.total() < KILLS * (number + 1) // RUNS:
            time.sleep(dice.uniform(0, storm.pause))
            storm._kill_one(dice)
    print(f"seed {SEED}: killed {dict(storm.killed)}")
    started = time.monotonic()
    until(lambda: stack.sql(OPEN) == [(0,)], 180, f"an end; {stack.sql(ENDS)} {stack.tail()}")
    print(f"over {time.monotonic() - started:.1f} s after the last kill")

    said = stack.sql(ENDS)
    assert [row[1:] for row in said] == [("ok", MACHINES - 1), ("unreached", 1)] * RUNS, said
    counted = stack.simulator.counters()
    assert set(counted["runs"].values()) == {RUNS}, "a script started twice, or never"
    assert len(counted["runs"]) == MACHINES - 1
    assert counted["faults"]["throttle"] > 0
    assert counted["faults"]["lost"] > 0


def rage(folder, **services: str) -> None:
    with as_a_process("--world", f"fleet:{MACHINES}", "--latency", "20") as simulator:
        stack = Stack(folder, **services)
        stack.simulator = simulator
        stack.environment |= {"ECS_ENDPOINT": simulator.endpoint, "SYNC_SECONDS": "3600"}
        try:
            stack.start("--no-simulator")
            stack.manage("sync_instances")
            gone = stack.sql("select min(instance_id) from instances_instance")[0][0]
            simulator.change(gone, released=True)  # ECS refuses every call that names it
            simulator.faults(*FAULTS)
            survive(stack)
            assert stack.stop() == 0
        finally:
            stack.clean_up()


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="has its turn when the suite is on SQLite"
)
@long_only
def test_every_instance_ends_once_on_sqlite(tmp_path):
    rage(tmp_path)


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="has its turn when the suite is on PostgreSQL"
)
@long_only
def test_every_instance_ends_once_on_postgresql_and_redis(tmp_path):
    redis = redis_database(REDIS_NUMBER)
    with postgres_database() as database:
        rage(tmp_path, database_url=database, redis_url=redis)
