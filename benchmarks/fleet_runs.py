"""A command of 5 s on whole fleets, beside the floor, in one run.

    python -m benchmarks.fleet_runs [--sizes 1000 10000] [--latency MS] [--seed-machines N]

The floor is what nobody can beat without asking less: the same RunCommands and the same pages of
results by a bare script through the SDK with 16 threads, one bulk insert of the same rows, and the
command's 5 s. Looking while the command runs is not part of the floor.
Promised: at most 1.5 x the floor; at most 0.04 calls an instance; the workers' memory at 10,000 at
most 1.3 x that at 1,000; CPU an instance at most 1.2 x; 10,000 identical outputs of 4 KB in less
than 1 MB. The first seed's way: one instance at a time, a look every 5 s.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config

from benchmarks.record import recorded
from instances import ecs
from tests.simulation import KEY, Simulator, as_a_process
from tests.stack import Stack, until

SLEEP = 5.0  # seconds that the command takes
PROMISED = {"wall": 1.5, "calls": 0.04, "memory": 1.3, "cpu": 1.2, "storage": 1.0}
THREADS = 16

SUBMIT = """
import json, time
from commands import invocations
from instances.models import Instance
machines = list(Instance.objects.order_by("pk")[:{size}])
begun = time.time()
run = invocations.invoke(
    name="fleet", script={script!r}, type="RunShellScript", timeout=60, instances=machines,
    asked_by=None,
)
print(json.dumps([run.pk, begun, time.time()]))
"""


Part = tuple[str, list[str]]  # region, instances


@dataclass
class Measured:
    """One run, from submit to the last result in the database."""

    size: int
    wall: float
    submit: float
    calls: Counter
    memory: int  # bytes: the workers' peaks together
    cpu: float  # seconds of all the portal's processes
    idle: float  # of these, what they take in that time with nothing to do

    @property
    def each(self) -> float:
        return self.calls.total() / self.size

    @property
    def worked(self) -> float:
        """CPU seconds that an instance took."""
        return (self.cpu - self.idle) / self.size


class Fleet:
    """The whole portal beside a simulator that holds so many machines."""

    def __init__(self, stack: Stack, simulator: Simulator) -> None:
        self.stack, self.simulator = stack, simulator
        self.serial = 0
        self.idle = 0.0  # CPU seconds in a second

    def rest(self, seconds: float = 8.0) -> None:
        """Learn what the processes take while nothing is to be done."""
        before = self._cpu()
        time.sleep(seconds)
        self.idle = (self._cpu() - before) / seconds

    def run(self, size: int, script: str = f"sleep {SLEEP:.0f}; echo done") -> Measured:
        """A new text each time: the fleet remembers what it answered a moment ago."""
        self.serial += 1
        code = SUBMIT.format(size=size, script=f"# {self.serial}\n{script}\n")
        calls, cpu = Counter(self.simulator.counters()["calls"]), self._cpu()
        key, begun, submitted = json.loads(self.stack.python(code))
        ended = f"select finished_at from commands_invocation where id={key} and state='finished'"
        until(lambda: self.stack.sql(ended), 180, f"an end of run {key}; {self.stack.tail()}")
        spent = self._cpu() - cpu
        wall = self.stack.python(
            "from commands.models import Invocation\n"
            f"print(Invocation.objects.get(pk={key}).finished_at.timestamp())"
        )
        said = self.stack.sql(
            f"select outcome, count(*) from commands_target where invocation_id={key} group by 1"
        )
        assert said == [("ok", size)], said
        made = Counter(self.simulator.counters()["calls"])
        made.subtract(calls)
        took = float(wall) - begun
        return Measured(
            size=size,
            wall=took,
            submit=submitted - begun,
            calls=+made,
            memory=self._memory(),
            cpu=spent,
            idle=self.idle * took,
        )

    def _processes(self) -> list[psutil.Process]:
        roles = self.stack.pids()
        names = ("conductor", "main", "sentinel", "pusher", "monitor", "worker")
        return [psutil.Process(pid) for name in names for pid in roles[name]]

    def _cpu(self) -> float:
        times = [process.cpu_times() for process in self._processes()]
        return sum(t.user + t.system for t in times)

    def _memory(self) -> int:
        """VmHWM of each worker: the most it ever held."""
        peaks = 0
        for pid in self.stack.pids()["worker"]:
            status = Path(f"/proc/{pid}/status").read_text()
            peaks += int(status.split("VmHWM:")[1].split()[0]) * 1024
        return peaks


class Bare:
    """What a person would write with nothing but the SDK."""

    def __init__(self, simulator: Simulator, machines: list[tuple[str, str]]) -> None:
        config = Config(access_key_id=KEY[0], access_key_secret=KEY[1], protocol="http")
        config.endpoint, config.region_id = simulator.host, machines[0][0]
        self.client, self.machines = Client(config), machines

    def parts(self) -> list[Part]:
        """As few calls as possible: a region and up to 100 of its instances each."""
        regions = defaultdict(list)
        for region, name in self.machines:
            regions[region].append(name)
        return [
            (region, ids[n : n + ecs.RUN_LIMIT])
            for region, ids in regions.items()
            for n in range(0, len(ids), ecs.RUN_LIMIT)
        ]

    def start(self, part: Part, script: str) -> tuple[str, str]:
        region, ids = part
        request = models.RunCommandRequest(
            region_id=region,
            instance_id=ids,
            type="RunShellScript",
            command_content=script,
            timeout=60,
        )
        return region, self.client.run_command(request).body.invoke_id

    def page(self, region: str, invoke_id: str, token: str | None):
        request = models.DescribeInvocationResultsRequest(
            region_id=region, invoke_id=invoke_id, max_results=50, next_token=token
        )
        return self.client.describe_invocation_results(request).body.invocation

    def rows(self, run: tuple[str, str]) -> list[tuple]:
        rows, token = [], None
        while True:
            page = self.page(*run, token)
            rows += page.invocation_results.invocation_result
            if not (token := page.next_token):
                return [(r.instance_id, r.invocation_status, r.exit_code, r.output) for r in rows]

    def floor(self, folder: Path) -> tuple[float, str]:
        """Seconds, and what they are made of."""
        script, parts = f"# {time.time()}\nsleep {SLEEP:.0f}; echo done\n", self.parts()
        with ThreadPoolExecutor(THREADS) as pool:
            begun = time.monotonic()
            runs = list(pool.map(lambda part: self.start(part, script), parts))
            sent = time.monotonic() - begun
            until(lambda: all(row[1] == "Success" for row in self.rows(runs[-1])), 60, "an end")
            until(lambda: all(row[1] == "Success" for row in self.rows(runs[0])), 60, "an end")
            begun = time.monotonic()
            rows = [row for found in pool.map(self.rows, runs) for row in found]
            read = time.monotonic() - begun
        assert len(rows) == len(self.machines)
        begun = time.monotonic()
        with closing(sqlite3.connect(folder / f"floor{len(rows)}.sqlite3")) as database:
            database.execute("create table result (instance, status, exit_code, output)")
            database.executemany("insert into result values (?, ?, ?, ?)", rows)
            database.commit()
        kept = time.monotonic() - begun
        words = f"send {sent:.2f} + command {SLEEP:.0f} + read {read:.2f} + insert {kept:.2f}"
        return sent + SLEEP + read + kept, words

    def one_at_a_time(self, count: int) -> float:
        """The first seed's way on so many instances: seconds."""
        begun = time.monotonic()
        for region, name in self.machines[:count]:
            script = f"# {time.time()}\nsleep {SLEEP:.0f}; echo done\n"
            run = self.start((region, [name]), script)
            while True:
                time.sleep(5)
                if self.rows(run)[0][1] not in ("Pending", "Running"):
                    break
        return time.monotonic() - begun


def measure(size: int, latency: int, folder: Path, seed_machines: int) -> Measured:
    with as_a_process("--world", f"fleet:{size}", "--latency", str(latency)) as simulator:
        stack = Stack(folder)
        stack.simulator = simulator
        stack.environment |= {"ECS_ENDPOINT": simulator.endpoint, "SYNC_SECONDS": "3600"}
        try:
            stack.start("--no-simulator")
            before = Counter(simulator.counters()["calls"])
            stack.manage("sync_instances")
            synced = Counter(simulator.counters()["calls"])
            synced.subtract(before)
            known = stack.sql("select region, instance_id from instances_instance order by id")
            assert len(known) == size, len(known)
            stack.stop()  # what the sync took is not the runs' memory
            stack.start("--no-simulator")
            fleet = Fleet(stack, simulator)
            fleet.run(min(size, 100), "echo warm")  # every process has loaded what it needs
            fleet.rest()
            done = fleet.run(size)
            bare = Bare(simulator, known)
            report(done, bare.floor(folder), synced)
            if size == 10_000:
                storage(fleet, size)
            if seed_machines:
                seed(fleet, bare, seed_machines)
            return done
        finally:
            stack.clean_up()


def report(done: Measured, floor: tuple[float, str], synced: Counter) -> None:
    seconds, words = floor
    print(f"\n{done.size} instances")
    print(f"  submit to all results stored {done.wall:.2f} s (submit itself {done.submit:.2f} s)")
    print(f"  floor {seconds:.2f} s: {words}")
    say("wall / floor", done.wall / seconds, PROMISED["wall"])
    calls = ", ".join(f"{name} {count}" for name, count in sorted(done.calls.items()))
    print(f"  calls: {calls}")
    say("calls per instance", done.each, PROMISED["calls"], digits=4)
    print(f"  sync before it, counted apart: {dict(+synced)}")
    print(f"  workers' peak memory {done.memory / 2**20:.0f} MiB")
    print(
        f"  CPU {done.cpu:.2f} s, at rest {done.idle:.2f} s in that time; "
        f"{done.worked * 1000:.3f} ms per instance"
    )


def say(what: str, value: float, promised: float, digits: int = 2) -> None:
    kept = "kept" if value <= promised else "NOT KEPT"
    print(f"  {what} {value:.{digits}f} (promised {promised}): {kept}")


def storage(fleet: Fleet, size: int) -> None:
    """10,000 identical outputs of 4 KB: what the output table grows by."""
    held = "select count(*), coalesce(sum(length(packed)), 0) from commands_output"
    pages = "select sum(pgsize) from dbstat where name like '%commands_output%'"

    def stored() -> tuple[int, int, int]:
        try:
            on_disk = fleet.stack.sql(pages)[0][0]
        except sqlite3.OperationalError:  # this SQLite was built without dbstat
            on_disk = 0
        return *fleet.stack.sql(held)[0], on_disk

    before = stored()
    fleet.run(size, "head -c 4096 /dev/zero | tr '\\0' x")
    rows, packed, on_disk = (b - a for a, b in zip(before, stored(), strict=True))
    print(f"\n{size} identical outputs of 4 KB: {rows} rows, {packed} bytes packed")
    say("megabytes beside the result rows", max(packed, on_disk) / 2**20, PROMISED["storage"], 4)


def seed(fleet: Fleet, bare: Bare, count: int) -> None:
    ours = fleet.run(100).wall
    theirs = bare.one_at_a_time(count)
    whole = theirs / count * 100
    measured = "" if count == 100 else f", from {count} measured in {theirs:.0f} s"
    print(f"\nfirst seed's way on 100 instances: {whole:.0f} s{measured}; the portal {ours:.2f} s")
    print(f"  ratio {whole / ours:.0f}")


def compare(small: Measured, large: Measured) -> None:
    print(f"\n{large.size} beside {small.size} instances")
    say("workers' memory", large.memory / small.memory, PROMISED["memory"])
    say("CPU per instance, without what rest costs", large.worked / small.worked, PROMISED["cpu"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--latency", type=int, default=50, metavar="MS")
    parser.add_argument(
        "--seed-machines", type=int, default=100, help="0 leaves the first seed's way out"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, recorded("fleet_runs"):
        print(f"{given.latency} ms latency, SQLite")
        done = []
        for size in given.sizes:
            home = Path(folder, str(size))
            home.mkdir()
            seeds = given.seed_machines if size == min(given.sizes) else 0
            done.append(measure(size, given.latency, home, seeds))
        if len(done) > 1:
            compare(done[0], done[-1])


if __name__ == "__main__":
    main()
