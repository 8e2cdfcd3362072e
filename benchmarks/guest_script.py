"""Time, memory and output of the Linux collection script on a machine with gigabytes of logs.

usage: python -m benchmarks.guest_script [--gigabytes 5] [--busy 0] [--kits gnu,bash] [--keep DIR]

Builds one file tree, then runs the script in a sandbox for a boot told by the current log, by a
rotated one, and by a packed one. Prints one JSON object a line; memory is the sum over all its
processes (USS, so that what they share counts once for none), looked at every 20 ms.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.record import recorded
from diagnostics.readers import bundle
from tests.diagnostics.guest.machines import Machine

DAY = 86400
LINE = b"STAMP web01 app[%d]: GET /orders/%d 200 in %d ms for 10.1.%d.%d, session 8f%x renewed\n"
CRASH = """\
kernel: BUG: kernel NULL pointer dereference, address: 0000000000000010
kernel: RIP: 0010:acs_stats_update+0x1b/0x40 [acmestor]
kernel: Call Trace:
kernel:  acs_irq+0x22/0x60 [acmestor]
kernel: Kernel panic - not syncing: Fatal exception in interrupt
kernel: ---[ end Kernel panic - not syncing: Fatal exception in interrupt ]---
"""


def main() -> None:
    asked = arguments()
    with (
        tempfile.TemporaryDirectory(dir=asked.keep) as folder,
        recorded("guest_script"),
    ):
        machine = Machine(Path(folder))
        boots = build(machine, asked.gigabytes)
        print(
            f"{asked.gigabytes:g} GB of logs, {asked.busy} processes beside it keep the CPUs busy"
        )
        with load(asked.busy):
            for kit in asked.kits.split(","):
                for where, boot in boots.items():
                    machine.kit, machine.booted_at = kit, boot
                    print(json.dumps({"kit": kit, "boot in": where} | measured(machine)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--busy", type=int, default=0, help="processes that keep the CPUs busy")
    parser.add_argument("--kits", default="gnu", help="gnu, bash, busybox, comma-separated")
    parser.add_argument("--keep", default=None, help="folder for the tree; default: the system's")
    return parser.parse_args()


def build(machine: Machine, gigabytes: float) -> dict[str, int]:
    """Three logs of a day each, each with a crash and a boot in its middle; -> those boots."""
    now = int(time.time())
    share = int(gigabytes * 1e9 / 3)
    logs = {"current log": 0, "rotated log": 1, "packed log": 2}
    boots = {}
    for where, age in logs.items():
        boots[where] = now - age * DAY - DAY // 2
        name = "var/log/messages" + ("" if not age else f"-{age}")
        file = machine.write(name + (".gz" if age == 2 else ""), b"")
        with gzip.open(file, "wb", 1) if age == 2 else file.open("wb") as log:
            for piece in day(boots[where], share):
                log.write(piece)
        stamp = now - age * DAY
        os.utime(file, (stamp, stamp))
    machine.write("etc/os-release", "ID=alinux\n")
    machine.write("proc/cmdline", "quiet\n")
    return boots


def day(boot: int, size: int) -> Iterator[bytes]:
    """A day of log, minute by minute, with the crash and the boot in its middle."""
    minute = b"".join(
        LINE % (n % 999, n * 7919, n % 400, n % 256, n % 251, n * 104729) for n in range(10000)
    )
    minute = minute[: minute.rfind(b"\n", 0, size // 1440) + 1]
    for number in range(1440):
        start = boot - DAY // 2 + number * 60
        yield minute.replace(b"STAMP", stamp(start))
        if number == 719:
            yield from lines(CRASH, boot - 2)
            yield from lines("kernel: Linux version 6.1.0 (build@host)\n", boot + 5)


def lines(text: str, at: int) -> Iterator[bytes]:
    for line in text.splitlines():
        yield stamp(at) + b" web01 " + line.encode() + b"\n"


def stamp(at: int) -> bytes:
    return time.strftime("%b %e %H:%M:%S", time.gmtime(at)).encode()


def measured(machine: Machine) -> dict[str, object]:
    forget(machine.root / "var/log")
    started, most = time.monotonic(), 0
    process = subprocess.Popen(machine.command(), stdout=subprocess.PIPE)
    while process.poll() is None:
        most = max(most, memory(process.pid))
        time.sleep(0.02)
    seconds = time.monotonic() - started
    output = process.stdout.read() if process.stdout else b""
    read = bundle.read(output)
    found = read.sections.get("messages", "")
    return {
        "seconds": round(seconds, 2),
        "memory_mb": round(most / 1e6, 1),
        "output_bytes": len(output),
        "complete": read.complete,
        "crash found": "Kernel panic" in found and "Linux version" in found,
        "notes": [
            n for n in read.sections.get("collection", "").splitlines() if "not inst" not in n
        ],
    }


def forget(folder: Path) -> None:
    """The logs are read from the disk again, as on a machine that nobody looked at."""
    for file in folder.iterdir():
        with file.open("rb") as log:
            os.fsync(log.fileno())
            os.posix_fadvise(log.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def memory(pid: int) -> int:
    total = 0
    try:
        everyone = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for one in everyone:
        try:
            total += one.memory_full_info().uss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


class load:
    """Keeps CPUs busy while it is open."""

    def __init__(self, processes: int) -> None:
        self.processes = [
            multiprocessing.Process(target=spin, daemon=True) for _ in range(processes)
        ]

    def __enter__(self) -> None:
        for process in self.processes:
            process.start()

    def __exit__(self, *exc: object) -> None:
        for process in self.processes:
            process.terminate()
            process.join()


def spin() -> None:
    while True:
        pass


if __name__ == "__main__":
    main()
