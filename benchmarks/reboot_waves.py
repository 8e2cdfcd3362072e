"""A batch of reboots through the whole stack, beside the floor that its waves have by themselves.

    python -m benchmarks.reboot_waves [--size 1000] [--wave 100] [--latency MS] [--power 8-20]

The floor: each wave takes as long as its slowest machine is away, one wave after the other. Beyond
it goes whatever the portal does: the look at each wave, the boot read before, the power call, the
boot read after, and the step from a wave to the next. Promised: at most 1.3 x the floor.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.record import recorded
from tests.simulation import Simulator, as_a_process
from tests.stack import Stack, until

PROMISED = 1.3
ASK = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from commands.models import RebootBatch
from commands.reboots import asking
from instances.models import Instance
now = timezone.now()
batch = RebootBatch(
    name="waves", reason="measured", opens_at=now, closes_at=now + timedelta(hours=12),
    sizes=["{wave}"], canary=0, linux_back_within=300,
)
person = User.objects.create_superuser("asks")
asking.ask(batch, Instance.objects.order_by("pk")[:{size}], by=person, via="page", once=None)
print(batch.pk)
"""
APPROVE = """
from django.contrib.auth.models import User
from commands import approvals
from commands.models import Approval
approvals.decide(
    Approval.objects.get(), by=User.objects.create_superuser("decides"), yes=True, comment="",
    via="page",
)
"""
TIMES = """
import json
from commands.models import Approval, RebootBatch
batch, began = RebootBatch.objects.get(), Approval.objects.get().decisions.get().at
waves = [
    [w.started_at.timestamp(), w.ended_at.timestamp(), min(
        item.asked_at.timestamp() for item in w.items.all()),
     list(w.items.values_list("instance__instance_id", flat=True))]
    for w in batch.waves.order_by("number")
]
print(json.dumps([began.timestamp(), batch.finished_at.timestamp(), waves]))
"""
OUTCOMES = "select outcome, count(*) from commands_rebootitem group by 1"


def away(instance_id: str, bounds: tuple[float, float]) -> float:
    """How long this machine takes, as the simulator draws it (simulator/power.py)."""
    low, high = bounds
    return low + (high - low) * random.Random(instance_id).random()


def measure(stack: Stack, given: argparse.Namespace, bounds: tuple[float, float]) -> None:
    simulator = stack.simulator
    stack.manage("sync_instances")
    stack.python(ASK.format(size=given.size, wave=given.wave))
    looked = "select count(*) from commands_rebootbatch where look_at is null"
    until(lambda: stack.sql(looked) == [(1,)], 60, f"a look; {stack.tail()}")
    calls = Counter(simulator.counters()["calls"])
    stack.python(APPROVE)
    patience = given.size / given.wave * bounds[1] * 3 + 60
    ended = "select count(*) from commands_rebootbatch where state = 'finished'"
    until(lambda: stack.sql(ended) == [(1,)], patience, f"an end; {stack.sql(OUTCOMES)}")
    said = stack.sql(OUTCOMES)
    assert said == [("proven", given.size)], said
    reboots = simulator.counters()["reboots"]
    assert set(reboots.values()) == {1}, "a machine was rebooted twice"
    made = Counter(simulator.counters()["calls"])
    made.subtract(calls)
    report(json.loads(stack.python(TIMES)), bounds, +made, given.size)


def report(times: list, bounds: tuple[float, float], calls: Counter, size: int) -> None:
    began, finished, waves = times
    floors = [max(away(name, bounds) for name in members) for _, _, _, members in waves]
    print(f"\n{size} instances in {len(waves)} waves: every one proven, each rebooted once")
    for number, ((start, end, asked, members), floor) in enumerate(
        zip(waves, floors, strict=True), 1
    ):
        print(
            f"  wave {number}: {len(members)} instances, {end - start:.2f} s (asked after"
            f" {asked - start:.2f} s), slowest machine {floor:.2f} s"
        )
    wall, floor = finished - began, sum(floors)
    kept = "kept" if wall / floor <= PROMISED else "NOT KEPT"
    print(f"  approval to report {wall:.2f} s, floor {floor:.2f} s")
    print(f"  wall / floor {wall / floor:.3f} (promised {PROMISED}): {kept}")
    print(f"  calls: {', '.join(f'{name} {n}' for name, n in sorted(calls.items()))}")


def whole(simulator: Simulator, folder: Path, given: argparse.Namespace) -> None:
    stack = Stack(folder)
    stack.simulator = simulator
    stack.environment |= {"ECS_ENDPOINT": simulator.endpoint, "SYNC_SECONDS": "3600"}
    try:
        stack.start("--no-simulator")
        low, high = map(float, given.power.split("-"))
        measure(stack, given, (low, high))
    finally:
        stack.clean_up()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--wave", type=int, default=100)
    parser.add_argument("--latency", type=int, default=50, metavar="MS")
    parser.add_argument("--power", default="8-20", metavar="A-B")
    given = parser.parse_args()
    world = f"fleet:{given.size}"
    told = ("--world", world, "--latency", str(given.latency), "--power-seconds", given.power)
    with tempfile.TemporaryDirectory() as folder, recorded("reboot_waves"):
        print(f"{given.latency} ms latency, machines away for {given.power} s, SQLite")
        with as_a_process(*told) as simulator:
            whole(simulator, Path(folder), given)


if __name__ == "__main__":
    main()
