"""Ten thousand reboots under faults: no machine is asked for twice, no verdict is untrue.

    python -m benchmarks.reboot_storm [--model 9000] [--stack 1000] [--databases sqlite postgresql]
                                      [--seed N] [--processes 3]

The model: workers that die at every commit and call, people and time in any order, a cloud that
knows the truth (tests/reboots/test_crashing_anywhere.py). The stack: the real processes, killed
with -9 at random points, beside a simulator that loses answers, throttles, tells events twice and
late, and whose machines do not all come back (tests/work/reboot_storm.py).
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

from benchmarks.record import ROOT, recorded
from tests.stack import postgres_database, redis_database
from tests.work.reboot_storm import rage

MODEL = "tests/reboots/test_crashing_anywhere.py"
KILLS_EACH = 10  # a kill for so many machines of the stack


def model(whole: int, processes: int, databases: list[str], seed: int) -> None:
    """The model's reboots, shared among processes with seeds of their own, on each database in
    turn."""
    begun, running, reached = time.monotonic(), [], 0
    with ExitStack() as open_databases:
        for number, database in zip(range(processes), cycle(databases), strict=False):
            told = {
                "PORTAL_TEST_REBOOTS": str(-(-whole // processes)),
                "PORTAL_TEST_SEED": str(seed + number * 100_000),
                "PORTAL_TEST_LONG": "1",
            }
            if database == "postgresql":
                told["DATABASE_URL"] = open_databases.enter_context(postgres_database())
            running.append((database, a_walk(told)))
        for database, process in running:
            said = process.communicate()[0]
            assert process.returncode == 0, said[-6000:]
            (line,) = re.findall(r"^\.?(seed \d+: (\d+) items asked for .*)$", said, re.MULTILINE)
            print(f"  {database}: {line[0]}")
            reached += int(line[1])
    took = time.monotonic() - begun
    print(f"model: {reached} items asked for, each once at most, every verdict true; {took:.0f} s")


def a_walk(told: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:xdist", MODEL]
    environment = os.environ | told
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)


def stack(machines: int, database: str, seed: int) -> None:
    print(f"stack on {database}, {machines} machines:")
    told = {"machines": machines, "kills": machines // KILLS_EACH, "seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        if database == "sqlite":
            return rage(Path(folder), **told)
        redis = redis_database(7)
        with postgres_database() as url:
            rage(Path(folder), **told, database_url=url, redis_url=redis)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=int, default=9000)
    parser.add_argument("--stack", type=int, default=1000)
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=secrets.randbits(31))
    given = parser.parse_args()
    with recorded("reboot_storm"):
        print(f"seed {given.seed}")
        if given.model:
            model(given.model, given.processes, given.databases, given.seed)
        for database in given.databases if given.stack else ():
            stack(given.stack, database, given.seed)


if __name__ == "__main__":
    main()
