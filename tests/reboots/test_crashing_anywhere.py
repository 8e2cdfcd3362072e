"""A worker may die before and after every commit and every call, ECS may fail in every way and the
machines come back or not: none is asked for twice, every item ends, and its verdict is the truth.

PORTAL_TEST_REBOOTS says how many items have to reach their power call, PORTAL_TEST_SEED which ones;
benchmarks/reboot_storm.py asks for 9,000.
"""

import os
import random
import secrets
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from commands import answers, approvals
from commands.models import Approval, RebootBatch, RebootItem
from commands.reboots import steering, taking_down
from instances import ecs
from portal.transitions import WrongState
from portal.work import Claim
from tests.factories import InstanceFactory, a_person
from tests.reboots import driving
from tests.reboots.cloud import ACTS, Cloud, Crash, Machine
from tests.reboots.driving import KINDS, a_script, asked
from tests.sizes import long_only

REBOOTS = int(os.environ.get("PORTAL_TEST_REBOOTS") or 200)
SEED = int(os.environ.get("PORTAL_TEST_SEED") or secrets.randbits(32))
START = datetime(2026, 3, 1, tzinfo=UTC)
TOLD = (  # what batches are like
    {"max_errors": "50%"},
    {"sizes": ["3", "50%"], "canary": 2, "max_errors": "100%"},
    {"sizes": ["40%"], "max_errors": "100%", "post_script": a_script("echo well")},
    {"mode": "Concurrency", "sizes": ["60%"], "max_errors": "70%"},
    {"sizes": ["50%"], "max_errors": "100%", "pre_script": a_script("echo drain")},
)
LARGEST = 40 if REBOOTS < 1000 else 200  # instances of one batch
BACK_WITHIN = 240  # seconds
reached = 0  # power calls over all the examples


class World:
    """The gateway as the engine sees it now."""

    cloud: Cloud
    depth = 0  # of transactions


class Batches(RuleBasedStateMachine):
    """Workers, people and time in any order, over two batches that share some instances."""

    @initialize(number=st.integers(0, 2**32), size=st.integers(20, LARGEST))
    def begin(self, number, size):
        self.travel = time_machine.travel(START, tick=False)
        self.clock = self.travel.start()
        self.aside = transaction.atomic()  # undone with the example
        self.aside.__enter__()
        self.dice = random.Random(number)
        self.cloud = World.cloud = Cloud(number, size, timezone.now())
        alive = {"agent_running": True, "agent_asked_at": START, "agent_heartbeat_at": START}
        rows = [InstanceFactory(instance_id=i, **alive) for i in self.cloud.machines]
        self.operator, self.manager = a_person("operator"), a_person("manager")
        self.batches = [self._asked(rows)]
        if self.dice.random() < 0.5:
            self.batches.append(self._asked(self.dice.sample(rows, 5)))

    def _asked(self, rows):
        told = dict(self.dice.choice(TOLD))
        told |= {"closes_at": START + timedelta(days=5), "linux_back_within": BACK_WITHIN}
        return asked(rows, by=self.operator, **told)

    @rule(bells=st.integers(5, 40))
    def workers_work(self, bells):
        for _ in range(bells):
            self._bell()

    @rule(seconds=st.integers(1, 20))
    def time_passes(self, seconds):
        self.clock.shift(seconds)

    @rule()
    def a_person_says_yes(self):
        for batch in self.batches:
            self._approve(batch)

    @rule(act=st.sampled_from(["pause", "resume", "resume", "stop"]), rarely=st.integers(0, 3))
    def a_person_steers(self, act, rarely):
        if act != "stop" or rarely == 0:
            self._steer(self.dice.choice(self.batches), act)

    def _steer(self, batch, act):
        with suppress(WrongState):
            getattr(steering, act)(batch, by=self.operator, via="page")

    def _approve(self, batch):
        waiting = batch.approvals.filter(state="waiting").first()
        if waiting is None:
            return
        batch.refresh_from_db()
        canary = bool(batch.canary) and not batch.cleared and self.dice.random() < 0.5
        with suppress(WrongState):  # too old a look, or too late
            approvals.decide(
                waiting, by=self.manager, yes=True, comment="", via="page", canary_only=canary
            )

    def _bell(self) -> bool:
        """The conductor rings for something that is due and free; some workers die of it."""
        kinds = (*KINDS, Approval)  # what nobody answers in time expires
        due = [row for kind in kinds for row in kind.objects.exclude(due_at=None)]
        due = [row for row in due if getattr(row, "stage", "") != "late"]
        if not due:
            return False
        now = datetime.now(UTC)
        free = {row: max(row.due_at, row.lease_until or row.due_at, now) for row in due}
        first = min(free.values())
        row = self.dice.choice([row for row in due if free[row] <= first + timedelta(seconds=1)])
        self.clock.move_to(free[row] + timedelta(milliseconds=1))
        with dying(self.cloud):
            driving._job(row)(row.pk)
        return True

    def teardown(self):
        if not hasattr(self, "batches"):
            return
        try:
            self._carry_to_the_end()
            self._check()
        finally:
            transaction.set_rollback(True)
            self.aside.__exit__(None, None, None)
            self.travel.stop()

    def _carry_to_the_end(self):
        for _ in range(3000):
            if all(RebootBatch.objects.get(pk=batch.pk).over for batch in self.batches):
                return
            if not self._bell() or self.dice.random() < 0.05:
                self.clock.shift(1)
                for batch in self.batches:
                    self._approve(batch)
                    self._steer(batch, "resume")
        left = list(RebootItem.objects.values_list("state", "outcome"))
        raise AssertionError(f"it never ends: {left} {driving._troubles()}")

    def _check(self):
        global reached
        reached += self.cloud.asked.total()
        assert set(self.cloud.asked.values()) <= {1}, "a machine was asked for twice"
        for item in RebootItem.objects.select_related("instance"):
            assert item.state == "over"
            check(item, self.cloud.machines[item.instance.instance_id], self.cloud.done[item.pk])


UNTOUCHED = ("skipped", "not_started", "pre_failed", "refused")


def check(item: RebootItem, machine: Machine, reboots: int) -> None:
    """What the item says is what could be seen from outside when it was judged."""
    if item.outcome in UNTOUCHED:
        assert reboots == 0, f"{item.outcome} {item.reason}"
        return
    then = machine.at(item.judged_at)
    if item.verdict == "verified":
        assert reboots == 1
        assert then.boot_id == item.after_boot_id != item.before_boot_id
        assert then.booted_at >= item.asked_at
        assert item.outcome in ("proven", "check_failed")
    elif item.verdict == "same_boot":
        assert then.boot_id == item.before_boot_id
    elif item.verdict == "not_back":
        assert then.status != "Running"
    else:
        assert item.verdict == "unverified"
        answered_for = item.judged_at - then.since
        new = then.boot_id and then.boot_id != item.before_boot_id
        assert not new or answered_for < timedelta(seconds=200), "it could have been seen"
    if item.late_at:
        assert item.verdict != "verified"


@contextmanager
def dying(cloud: Cloud):
    cloud.deadly = True
    try:
        yield
    except Crash:
        pass
    finally:
        cloud.deadly = False


@pytest.fixture
def world(db, monkeypatch):
    """The gateway is the example's cloud, and every commit may be the worker's last."""
    for name in ACTS.split():
        monkeypatch.setattr(ecs, name, _now(name))
    for name in ("write", "_let_go"):
        monkeypatch.setattr(Claim, name, _fatal(getattr(Claim, name)))
    enter, leave = transaction.Atomic.__enter__, transaction.Atomic.__exit__

    def begins(atomic):
        World.depth += 1
        return enter(atomic)

    def commits(atomic, kind, error, trace):
        World.depth -= 1
        outermost = kind is None and World.depth == 1 and atomic.savepoint
        if outermost:
            try:
                World.cloud.point()
            except Crash as crash:
                leave(atomic, Crash, crash, None)
                raise
        leave(atomic, kind, error, trace)
        if outermost:
            World.cloud.point()

    monkeypatch.setattr(transaction.Atomic, "__enter__", begins)
    monkeypatch.setattr(transaction.Atomic, "__exit__", commits)
    monkeypatch.setattr(answers, "YOUNG_LOOKS", (0,))
    monkeypatch.setattr(ecs, "RUN_LIMIT", 20)
    monkeypatch.setattr(ecs, "POWER_LIMIT", 6)
    rest = SimpleNamespace(sleep=lambda seconds: None, monotonic=lambda: 0.0)
    monkeypatch.setattr(taking_down, "time", rest)


def _now(name):
    return lambda *args, **options: getattr(World.cloud, name)(*args, **options)


def _fatal(act):
    def around(*args, **options):
        World.cloud.point()
        act(*args, **options)
        World.cloud.point()

    return around


@long_only
def test_every_verdict_is_the_truth_and_no_machine_is_asked_for_twice(world):
    global reached
    reached, examples = 0, 0
    while reached < REBOOTS:
        run = settings(
            max_examples=max(1, min(50, (REBOOTS - reached) // LARGEST)),
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # an example takes too long to be made smaller
        )
        run_state_machine_as_test(seed(SEED + examples)(Batches), settings=run)
        examples += run.max_examples
    print(f"\nseed {SEED}: {reached} items asked for in {examples} examples")
