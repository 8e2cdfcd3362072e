"""Whoever is killed with -9 while a case runs: the case ends, once, within a minute."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.sizes import long_only
from tests.stack import ROLES, until

pytestmark = pytest.mark.stack
SEED = int(os.environ.get("PORTAL_KILL_SEED", random.SystemRandom().randrange(10**6)))
WITHIN = 60  # seconds
CRASHED = "i-bp1b8xtvjb4sqrz7hrbi"
OPEN = """
import sys
from django.contrib.auth.models import User
from diagnostics import cases
from instances.models import Instance
for line in sys.stdin:
    case = cases.open_case(
        instance=Instance.objects.get(instance_id=line.strip()),
        instance_text=line.strip(),
        opened_by=User.objects.get(username="support"),
        via="command",
    )
    print(case.pk, flush=True)
"""


@pytest.fixture(scope="module")
def open_case(portal) -> Iterator[Callable[[], int]]:
    """Opens a case of the crashed machine and tells its number."""
    with portal.asking(OPEN) as ask:
        yield lambda: int(ask(CRASHED))


def ended(portal, key: int) -> bool:
    asked = f"select count(*) from diagnostics_diagnosiscase where id={key} and state='concluded'"
    return portal.sql(asked) == [(1,)]


def check_it_ended_once(portal, key: int) -> None:
    kind = portal.sql(f"select kind from diagnostics_diagnosiscase where id = {key}")
    assert kind == [("kernel_panic",)], portal.tail()
    steps = portal.sql(
        f"select state, count(*) from diagnostics_step where case_id={key} group by 1"
    )
    assert steps == [("done", 10)]
    runs = portal.sql(f"select count(*) from commands_invocation where then_key = {key}")
    assert runs == [(1,)]
    guests = (
        f"select count(*) from diagnostics_evidence where case_id={key} and name='guest_output'"
    )
    assert portal.sql(guests) == [(1,)]


def kill_one(portal, open_case, role: str, chance: random.Random) -> tuple[int, float]:
    """A new case, and when one process of `role` died under it."""
    key = open_case()
    time.sleep(chance.uniform(0, 1.5))
    os.kill(chance.choice(portal.pids()[role]), signal.SIGKILL)
    killed = time.time()
    until(portal.complete, 30, f"every role again after {role}; {portal.tail()}")
    return key, killed


@long_only
def test_a_case_outlives_the_death_of_any_role(portal, open_case):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    before = portal.simulator.counters()["runs"].get(CRASHED, 0)
    killed = {
        role: kill_one(portal, open_case, role, chance) for role in chance.sample(ROLES, len(ROLES))
    }

    for role, (key, at) in killed.items():
        left = max(1.0, at + WITHIN - time.time())
        until(lambda key=key: ended(portal, key), left, f"an end of the case; {portal.tail()}")
        print(f"{role} killed: case {key} over within {time.time() - at:.0f} s")
        check_it_ended_once(portal, key)

    assert portal.simulator.counters()["runs"][CRASHED] - before == len(ROLES)


@long_only
def test_a_case_ends_after_everything_was_killed_and_started_again(portal, open_case):
    key = open_case()
    time.sleep(random.Random(SEED).uniform(0, 1.0))
    portal.kill()
    until(lambda: not portal.processes(), 5, f"an end of {portal.processes()}")

    portal.start()

    until(lambda: ended(portal, key), WITHIN, f"an end of the case; {portal.tail()}")
    kind = portal.sql(f"select kind from diagnostics_diagnosiscase where id = {key}")
    # The simulator died with the rest: a run that it forgot has no answer, and the case says so.
    assert kind[0][0] in {"kernel_panic", "undetermined"}


@long_only
def test_a_case_whose_run_the_cloud_forgot_says_that_there_was_no_answer(portal, open_case):
    portal.simulator.faults({"kind": "silent", "operation": "RunCommand", "seconds": 600})
    key = open_case()
    sent = (
        "select count(*) from commands_dispatch d join commands_invocation i"
        f" on d.invocation_id = i.id where i.then_key = {key} and d.state = 'sent'"
    )
    until(lambda: portal.sql(sent) == [(1,)], 30, f"the script sent; {portal.tail()}")
    for pid in portal.pids()["simulator"]:
        os.kill(pid, signal.SIGKILL)

    until(lambda: ended(portal, key), WITHIN, f"an end of the case; {portal.tail()}")
    guest = portal.sql(
        f"select state, reason from diagnostics_step where case_id = {key} and key = 'guest'"
    )
    assert guest[0][0] == "failed"
    assert portal.sql(
        "select t.status from commands_target t join commands_invocation i"
        f" on t.invocation_id = i.id where i.then_key = {key}"
    ) == [("no_answer",)]
