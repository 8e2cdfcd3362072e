"""Killing processes at random points while runs go on, and what must be true afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.stack import ROLES, Stack, until

VICTIMS = (*ROLES, "worker", "worker")  # they hold the work, and there are three of them
WITHIN = 60.0  # seconds after the last kill in which everything must be over
MACHINES = ("i-bp1xo97dtvob918h9sdb", "i-bp1b8i97x19c8a21s2js", "i-bp1ywr6w3tc5op09stce")

# Runs become due one after the other; every second one takes longer than the first looks.
ASK = """
from datetime import timedelta
from django.utils import timezone
from commands import invocations
from commands.models import Dispatch
from instances.models import CloudAccount, Instance
from portal.models import Canary
account, _ = CloudAccount.objects.get_or_create(name="default")
machines = [
    Instance.objects.get_or_create(
        account=account, region="cn-hangzhou", instance_id=i, defaults={{"os_type": "linux"}}
    )[0]
    for i in {machines!r}
]
start = timezone.now()
for n in range({runs}):
    run = invocations.invoke(
        name=f"storm {{n}}", script=f"sleep {{n % 2 * 2}}; echo {{n}}", type="RunShellScript",
        instances=[machines[n % len(machines)]], timeout=60, asked_by=None,
    )
    due = start + timedelta(seconds={seconds} * n / {runs})
    Dispatch.objects.filter(invocation=run).update(due_at=due, rung_at=None)
"""
OPEN = "select count(*) from commands_invocation where state <> 'finished'"
STATUSES = "select status, count(*) from commands_target group by status"


@dataclass
class Storm:
    """`points` kills, of random roles at random moments."""

    stack: Stack
    seed: int
    points: int = 50
    pause: float = 0.6  # the longest time between two kills
    runs: int = 40
    killed: Counter[str] = field(default_factory=Counter)

    def rage(self) -> None:
        dice = random.Random(self.seed)
        seconds = self.points * self.pause
        self.stack.python(ASK.format(machines=MACHINES, runs=self.runs, seconds=seconds))
        while self.killed.total() < self.points:
            time.sleep(dice.uniform(0, self.pause))
            self._kill_one(dice)
        print(f"seed {self.seed}: killed {dict(self.killed)}")

    def _kill_one(self, dice: random.Random) -> None:
        role, give_up = dice.choice(VICTIMS), time.monotonic() + 2.0
        while not (pids := self.stack.pids()[role]):
            if time.monotonic() > give_up:
                return
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):  # gone with its parent a moment ago
            os.kill(dice.choice(pids), signal.SIGKILL)
            self.killed[role] += 1

    def calm(self) -> float:
        """Wait for the end of every run; the seconds it took since the last kill."""
        start = time.monotonic()
        until(
            lambda: self.stack.sql(OPEN) == [(0,)],
            WITHIN,
            f"an end of every run; {self.stack.sql(STATUSES)} {self.stack.tail()}",
        )
        return time.monotonic() - start

    def check(self) -> None:
        """Every run ended once: the database says how, the simulator how often it started one."""
        assert dict(self.stack.sql(STATUSES)) == {"Success": self.runs}
        started = self.stack.simulator.counters()["runs"]
        assert sum(started[machine] for machine in MACHINES) == self.runs
        until(self.stack.complete, 90, f"every role; {self.stack.pids()}")
        until(lambda: not self.stack.orphans(), 5, f"no orphans; {self.stack.orphans()}")
        pids = {role: len(found) for role, found in self.stack.pids().items() if role in ROLES}
        assert pids == {
            "web": 2,
            "conductor": 1,
            "main": 2,
            "sentinel": 2,
            "pusher": 2,
            "monitor": 2,
            "worker": 3,
        }
