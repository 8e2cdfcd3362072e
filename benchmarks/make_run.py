"""A newcomer's `make run`: time to the first page, then memory and CPU of all processes at rest.

    python -m benchmarks.make_run [--rest SECONDS]

Clones the repository into an empty folder and runs nothing but `make run`. Promised: first page
within 60 s (warm package cache), under 600 MB proportional memory, under 5 % of one core idle.
The ratios are measured / promised: 1.0 or less keeps the promise.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

from benchmarks.record import ROOT, recorded

FIRST_PAGE, MEMORY, IDLE = 60.0, 600.0, 5.0  # seconds, MB, percent of one core
SETTLE = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as page:
        return page.status == 200
    return False


def family(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def processor_seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def proportional_mb(processes: list[psutil.Process]) -> float:
    return sum(process.memory_full_info().pss for process in processes) / 1e6


def measure(folder: Path, rest: float) -> None:
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    web, cloud = free_port(), free_port()
    begun = time.monotonic()
    command = ["make", "run", f"PORT={web}", f"ECS_ENDPOINT=http://127.0.0.1:{cloud}"]
    log = (folder / "run.log").open("wb")
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL")
    }
    started = subprocess.Popen(
        command, cwd=folder, stdout=log, stderr=log, env=clean, start_new_session=True
    )
    try:
        while not answers(f"http://127.0.0.1:{web}/login/"):
            if started.poll() is not None or time.monotonic() - begun > 300:
                raise SystemExit((folder / "run.log").read_text()[-2000:])
            time.sleep(0.2)
        first = time.monotonic() - begun
        print(
            f"first page    {first:8.1f} s    ratio {first / FIRST_PAGE:.2f} of {FIRST_PAGE:.0f} s"
        )
        time.sleep(SETTLE)
        at_rest(psutil.Process(started.pid), rest)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGINT)
        started.wait(30)


def at_rest(root: psutil.Process, rest: float) -> None:
    before, begun = processor_seconds(family(root)), time.monotonic()
    time.sleep(rest)
    processes = family(root)
    used = 100 * (processor_seconds(processes) - before) / (time.monotonic() - begun)
    memory = proportional_mb(processes)
    print(f"processes     {len(processes):8}")
    print(f"memory (PSS)  {memory:8.0f} MB   ratio {memory / MEMORY:.2f} of {MEMORY:.0f} MB")
    print(f"idle          {used:8.1f} %    ratio {used / IDLE:.2f} of {IDLE:.0f} % of one core")
    for process in processes:
        with contextlib.suppress(psutil.Error):
            title = " ".join(process.cmdline())[-60:]
            pss = process.memory_full_info().pss / 1e6
            print(f"  {pss:6.0f} MB {sum(process.cpu_times()[:2]):7.1f} s cpu  {title}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rest", type=float, default=60.0, help="seconds to watch at rest")
    rest = parser.parse_args().rest
    with tempfile.TemporaryDirectory() as folder, recorded("make_run"):
        measure(Path(folder) / "portal", rest)


if __name__ == "__main__":
    main()
