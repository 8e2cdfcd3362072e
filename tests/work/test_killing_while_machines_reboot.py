"""Whatever is killed with -9 while machines reboot: each goes down once at most, and what is said
of it is what the simulator knows.

PORTAL_KILL_SEED repeats a run of this test; its seed is printed. Only the long form runs it.
"""

import pytest
from django.db import connection

from tests.sizes import long_only
from tests.stack import postgres_database, redis_database
from tests.work.reboot_storm import rage
from tests.work.test_killing_processes import SEED

pytestmark = [pytest.mark.stack, long_only]
MACHINES, KILLS = 200, 30
REDIS_NUMBER = 6


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="has its turn when the suite is on SQLite"
)
def test_every_verdict_is_the_truth_on_sqlite(tmp_path):
    rage(tmp_path, machines=MACHINES, kills=KILLS, seed=SEED)


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="has its turn when the suite is on PostgreSQL"
)
def test_every_verdict_is_the_truth_on_postgresql_and_redis(tmp_path):
    redis = redis_database(REDIS_NUMBER)
    with postgres_database() as database:
        rage(
            tmp_path,
            machines=MACHINES,
            kills=KILLS,
            seed=SEED,
            database_url=database,
            redis_url=redis,
        )
