"""Batches of reboots through the whole stack while every role is killed at random points, answers
are lost and calls are throttled; afterwards what each item says is held against the simulator."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

from tests.simulation import Simulator, as_a_process
from tests.stack import Stack, until
from tests.work.storm import Storm

FATES = ("same_boot", "no_return", "late_return", "lost_agent")
FAULTS = [
    {"kind": "throttle", "probability": 0.1, "seed": 1},
    {"kind": "lost", "operation": "RebootInstances", "probability": 0.2, "seed": 2},
    {"kind": "reset", "operation": "RebootInstances", "probability": 0.1, "seed": 3},
    {"kind": "lost", "operation": "RunCommand", "probability": 0.1, "seed": 4},
    {"kind": "error", "operation": "Describe*", "probability": 0.05, "seed": 5},
    {"kind": "html", "operation": "DescribeInstances", "probability": 0.02, "seed": 6},
    {"kind": "duplicate_events", "probability": 0.5, "seed": 7},
    {"kind": "late_events", "seconds": 3, "probability": 0.5, "seed": 8},
]
ASK = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from commands.models import RebootBatch
from commands.reboots import asking
from instances.models import Instance
now = timezone.now()
person, _made = User.objects.get_or_create(username="asks", is_superuser=True)
batch = RebootBatch(
    name="storm", reason="storm", opens_at=now, closes_at=now + timedelta(hours=12),
    sizes=["{wave}"], canary=0, max_errors="100%", may_shrink=100, linux_back_within=30,
)
rows = list(Instance.objects.order_by("pk")[{start}:{start} + {size}])
asking.ask(batch, rows, by=person, via="page", once=None)
"""
APPROVE = """
from django.contrib.auth.models import User
from commands import approvals
from commands.models import Approval
from commands.reboots.approving import TooOld
person, _made = User.objects.get_or_create(username="decides", is_superuser=True)
left = 0
for approval in Approval.objects.filter(state="waiting"):
    try:
        approvals.decide(approval, by=person, yes=True, comment="", via="page")
    except TooOld:
        left += 1
print(left)
"""
OPEN = "select count(*) from commands_rebootbatch where state <> 'finished'"
ITEMS = """
select i.instance_id, t.state, t.outcome, t.verdict, t.before_boot_id, t.after_boot_id,
       t.asked_at is not null, t.in_doubt, t.late_at is not null
from commands_rebootitem t join instances_instance i on i.id = t.instance_id
"""


class RebootStorm:
    def __init__(self, stack: Stack, seed: int, machines: int, kills: int) -> None:
        self.stack, self.seed, self.machines, self.kills = stack, seed, machines, kills
        self.dice = random.Random(seed)
        self.fates: dict[str, str] = {}

    def rage(self, patience: float = 600.0) -> None:
        self._choose_fates()
        size = max(self.machines // 2, 1)
        for start in range(0, self.machines, size):
            told = {"start": start, "size": size, "wave": max(size // 4, 1)}
            self.stack.python(ASK.format(**told))
        until(lambda: self.stack.python(APPROVE).strip() == "0", 120, "everybody's yes")
        self.stack.simulator.faults(*FAULTS)
        storm = Storm(self.stack, self.seed, points=self.kills, pause=0.8)
        while storm.killed.total() < self.kills and self.stack.sql(OPEN) != [(0,)]:
            time.sleep(self.dice.uniform(0, storm.pause))
            storm._kill_one(self.dice)
        print(f"seed {self.seed}: killed {dict(storm.killed)}", flush=True)
        begun = time.monotonic()
        until(lambda: self.stack.sql(OPEN) == [(0,)], patience, f"an end; {self._said()}")
        print(f"over {time.monotonic() - begun:.1f} s after the last kill: {self._said()}")

    def _choose_fates(self) -> None:
        names = [name for (name,) in self.stack.sql("select instance_id from instances_instance")]
        for name in sorted(names):
            if self.dice.random() < 0.12:
                self.fates[name] = self.dice.choice(FATES)
                self.stack.simulator.change(name, on_reboot=self.fates[name])

    def _said(self) -> dict:
        return dict(Counter(row[2] or row[1] for row in self.stack.sql(ITEMS)))

    def check(self) -> None:
        """At most one reboot for each item, a named end, and the verdict that is true."""
        counted = self.stack.simulator.counters()
        reboots, boots = counted.get("reboots", {}), counted.get("boots", {})
        assert max(reboots.values()) == 1, {k: v for k, v in reboots.items() if v > 1}
        items = self.stack.sql(ITEMS)
        assert len(items) == self.machines
        wrong = [
            (row, self.fates.get(row[0], ""), reboots.get(row[0], 0))
            for row in items
            if not true(row, self.fates.get(row[0], ""), reboots.get(row[0], 0), boots)
        ]
        assert not wrong, json.dumps(wrong[:10], default=str)
        kinds = Counter(row[2] for row in items)
        print(f"{len(items)} items, {sum(reboots.values())} reboots, {dict(kinds)}, all true")


def true(row: tuple, fate: str, reboots: int, boots: dict[str, int]) -> bool:
    """Whether what the item says is what the simulator knows."""
    name, state, outcome, verdict, before, after, asked, in_doubt, late = row
    if state != "over":
        return False
    if outcome in ("skipped", "not_started", "refused", "pre_failed"):
        return reboots == 0
    if not asked or (reboots == 0 and not in_doubt):
        return False
    if reboots == 0 or fate == "same_boot":
        return verdict == "same_boot" and after == before
    if fate in ("no_return", "lost_agent"):
        return verdict == "unverified" and not after
    if fate == "late_return":  # whoever looked late may have found it back
        return verdict == "not_back" or (verdict == "verified" and boots[name] == 1)
    return verdict == "verified" and after != before and boots[name] == 1


def rage(folder: Path, *, machines: int, kills: int, seed: int, **services: str) -> None:
    """One storm on a stack and a simulator of its own."""
    told = ("--world", f"fleet:{machines}", "--latency", "10", "--power-seconds", "1-3")
    with as_a_process(*told) as simulator:
        _on(simulator, folder, machines, kills, seed, services)


def _on(
    simulator: Simulator, folder: Path, machines: int, kills: int, seed: int, services: dict
) -> None:
    stack = Stack(folder, **services)
    stack.simulator = simulator
    stack.environment |= {"ECS_ENDPOINT": simulator.endpoint, "SYNC_SECONDS": "3600"}
    try:
        stack.start("--no-simulator")
        stack.manage("sync_instances")
        storm = RebootStorm(stack, seed, machines, kills)
        storm.rage()
        storm.check()
        assert stack.stop() == 0
    finally:
        stack.clean_up()
