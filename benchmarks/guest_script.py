"""Time, memory and output of the Linux collection script on a machine with gigabytes of logs.

usage: python -m benchmarks.guest_script [--gigabytes 5] [--busy 0] [--kits gnu,bash] [--keep DIR]

Builds two file trees. In the first the script runs in a sandbox for a boot told by the current log,
by a rotated one, and by a packed one. The second is unkind: gigabytes of zeros, one line without an
end, packed logs that unpack to far more than can be read. Prints one JSON object a line; memory is
the sum over all its processes (USS, so that what they share counts once for none), looked at every
20 ms. It ends with code 1 where a run took 10 s, 50 MB or 24,000 bytes.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import multiprocessing
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    kits, rows = asked.kits.split(","), []
    with recorded("guest_script"), load(asked.busy):
        print(
            f"{asked.gigabytes:g} GB of logs, {asked.busy} processes beside it keep the CPUs busy"
        )
        for tree in (kind, unkind):
            with tempfile.TemporaryDirectory(dir=asked.keep) as folder:
                machine = Machine(Path(folder))
                for (where, boot), kit in itertools.product(
                    tree(machine, asked.gigabytes).items(), kits
                ):
                    machine.kit, machine.booted_at = kit, boot
                    rows.append({"kit": kit, "boot in": where} | measured(machine))
                    print(json.dumps(rows[-1]))
    if not all(within(row) for row in rows):
        raise SystemExit(1)


def within(row: dict[str, Any]) -> bool:
    return row["seconds"] < 10 and row["memory_mb"] < 50 and row["output_bytes"] < 24_000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--busy", type=int, default=0, help="processes that keep the CPUs busy")
    parser.add_argument("--kits", default="gnu", help="gnu, bash, busybox, comma-separated")
    parser.add_argument("--keep", default=None, help="folder for the tree; default: the system's")
    return parser.parse_args()


def kind(machine: Machine, gigabytes: float) -> dict[str, int]:
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


def unkind(machine: Machine, gigabytes: float) -> dict[str, int]:
    """A boot an hour ago, and everything that is read is as large or as strange as can be."""
    now, size = int(time.time()), int(gigabytes * 1e9)
    boot = now - 3600
    panic = b"".join(lines(CRASH, boot - 2))
    early = stamp(boot - DAY) + b" web01 app[1]: begun\n"
    bomb = gzip.compress(early) + gzip.compress(bytes(2**24), 9) * (size // 2**24)
    for name in ("messages.1.gz", "secure.1.gz", "cron.1.gz", "auth.log.1.gz"):
        machine.write(f"var/log/{name}", bomb, at=now - 60)
    for name in ("messages", "secure", "cron", "auth.log"):
        machine.write(f"var/log/{name}", stamp(now) + b" web01 app[1]: begun\n")
    endless = gzip.compress(early) + gzip.compress(b"x" * 2**24, 9) * (size // 2**24)
    machine.write("var/log/messages.2.gz", endless, at=now - 60)
    for name in ("var/log/audit/audit.log", "root/.bash_history", "var/crash/1/vmcore"):
        os.truncate(machine.write(name, b""), size)
    for name in ("var/crash/1/vmcore-dmesg.txt", "sys/fs/pstore/dmesg-1"):
        file = machine.write(name, b"")
        os.truncate(file, size)
        with file.open("ab") as log:
            log.write(panic)
    os.truncate(machine.write("var/log/messages-0", early), size)
    os.utime(machine.root / "var/log/messages-0", (now - 90, now - 90))
    return {"unkind tree": boot}


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


def measured(machine: Machine) -> dict[str, Any]:
    forget(machine.root / "var/log")
    started, most = time.monotonic(), 0
    process = subprocess.Popen(machine.command(), stdout=subprocess.PIPE)
    while process.poll() is None:
        most = max(most, memory(process.pid))
        time.sleep(0.02)
    seconds = time.monotonic() - started
    output = process.stdout.read() if process.stdout else b""
    read = bundle.read(output)
    found = read.sections.get("messages", "") + read.sections.get("vmcore_dmesg", "")
    return {
        "seconds": round(seconds, 2),
        "memory_mb": round(most / 1e6, 1),
        "output_bytes": len(output),
        "complete": read.complete,
        "crash found": "Kernel panic" in found,
        "notes": [
            n for n in read.sections.get("collection", "").splitlines() if "not inst" not in n
        ],
    }


def forget(folder: Path) -> None:
    """The logs are read from the disk again, as on a machine that nobody looked at."""
    for file in filter(Path.is_file, folder.rglob("*")):
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
