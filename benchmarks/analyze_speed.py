"""How fast `manage.py analyze` reads a big log, beside grep over the same file in the same run.

usage: python -m benchmarks.analyze_speed [--megabytes 100] [--big 1000] [--rounds 7] [--keep DIR]

grep is `LC_ALL=C.UTF-8 grep -E` with the 24 phrases below, into a pipe. The start-up of `analyze`
is what the same command takes over an empty file, measured in every round beside the others and
taken off. The first number of a round is wall time, the second the processor's. Memory is the peak
resident set of the whole process, of the small log and of one ten times as big.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.record import ROOT, recorded

PHRASES = (
    "Kernel panic - not syncing",
    "BUG: unable to handle",
    "BUG: kernel NULL pointer dereference",
    "Unable to handle kernel",
    "general protection fault",
    "kernel BUG at",
    "Oops: ",
    "Internal error: ",
    "invalid opcode: ",
    "divide error: ",
    "double fault",
    "soft lockup",
    "hard LOCKUP",
    "self-detected stall on CPU",
    "rcu_sched detected stalls",
    "blocked for more than",
    "Out of memory",
    "invoked oom-killer",
    "Machine Check Exception",
    "BUG: KASAN",
    "scheduling while atomic",
    "WARNING: CPU: ",
    "Restarting system",
    "Linux version",
)
EVIDENCE = ROOT / "tests" / "evidence"
BOOTS = 6
DIES = 325  # lines of a console before it tells of trouble
STAMP = re.compile(r"^\[ *[\d.]+\]")
ORDINARY = (
    ("systemd[1]", "Started Session {n} of User root."),
    ("systemd[1]", "session-{n}.scope: Deactivated successfully."),
    ("systemd[1]", "Starting Clean php session files..."),
    ("systemd[1]", "Finished Rotate log files."),
    ("systemd-logind[612]", "New session {n} of user deploy."),
    ("systemd-logind[612]", "Session {n} logged out. Waiting for processes to exit."),
    ("CRON[{p}]", "(root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)"),
    (
        "sshd[{p}]",
        "Accepted publickey for deploy from 10.1.{b}.{b} port {p} ssh2: ED25519 SHA256:x",
    ),
    ("sshd[{p}]", "Connection closed by authenticating user root 192.0.2.{b} port {p} [preauth]"),
    ("sshd[{p}]", "pam_unix(sshd:session): session opened for user deploy(uid=1001) by (uid=0)"),
    ("dhclient[801]", "DHCPREQUEST for 10.1.{b}.{b} on eth0 to 10.1.0.1 port 67"),
    ("chronyd[702]", "Selected source 100.100.61.{b} (ntp.cloud.example)"),
    (
        "nginx[1440]",
        '10.1.{b}.{b} - - "GET /api/orders/{n}?page={b} HTTP/1.1" 200 {p} "-" "curl/8"',
    ),
    (
        "nginx[1440]",
        '10.1.{b}.{b} - - "POST /api/login HTTP/2.0" 302 0 "-" "Mozilla/5.0 (X11; Linux)"',
    ),
    ("app[{p}]", "INFO  o.e.shop.OrderService - order {n} accepted in {b} ms, session 8f{n}"),
    ("app[{p}]", "DEBUG o.e.shop.Cache - evicted {b} entries, {n} left, hit ratio 0.{b}"),
    ("app[{p}]", "WARN  o.e.shop.Stock - slow query ({n} ms): select * from stock where sku = {p}"),
    ("uvicorn[1502]", 'INFO:     10.1.{b}.{b}:{p} - "GET /health HTTP/1.1" 200 OK'),
    ("app[{p}]", "订单 {n} 已支付，用时 {b} 毫秒"),
    ("dockerd[988]", 'time="2026-03-04T02:28:{b}Z" level=info msg="ignoring event" id={n}'),
    ("kubelet[1201]", 'I0304 02:28:{b} {p} reconciler.go:224] "operationExecutor.Verify" pod={n}'),
    (
        "kubelet[1201]",
        'E0304 02:28:{b} {p} pod_workers.go:951] "Error syncing pod" err="back-off {n}"',
    ),
    ("aliyun-service[1301]", "heartbeat sent, request {n}, took {b} ms"),
    ("postfix/smtpd[{p}]", "connect from unknown[192.0.2.{b}]"),
    ("rsyslogd", "imjournal: {n} messages lost due to rate-limiting (20000 allowed within 600 s)"),
    ("kernel", "[{s}] IPv6: ADDRCONF(NETDEV_CHANGE): veth{n}: link becomes ready"),
    ("kernel", "[{s}] docker0: port {b}(veth{n}) entered forwarding state"),
    ("kernel", "[{s}] [UFW BLOCK] IN=eth0 OUT= MAC=00:16:3e SRC=192.0.2.{b} DST=10.1.0.4 LEN=40"),
    ("kernel", '[{s}] audit: type=1400 audit({n}.1:{b}): apparmor="ALLOWED" profile="snap"'),
    ("kernel", "[{s}] TCP: request_sock_TCP: Possible SYN flooding on port {p}. Sending cookies."),
)
SHUTDOWN = (
    ("systemd[1]", "Stopping OpenBSD Secure Shell server..."),
    ("systemd[1]", "Reached target System Reboot."),
    ("systemd-journald[301]", "Journal stopped"),
    ("kernel", "[{s}] reboot: Restarting system"),
)
REPORTS = ("oom-kill", "hung-panic")  # in the middle of each boot, without the panic


@dataclass(frozen=True)
class Spent:
    wall: float
    cpu: float
    memory: float = 0  # MB at the peak
    output: bytes = b""


def main() -> None:
    asked = arguments()
    with (
        tempfile.TemporaryDirectory(dir=asked.keep) as folder,
        recorded("analyze_speed"),
    ):
        log, empty = Path(folder) / "messages", Path(folder) / "empty"
        lines = write(log, asked.megabytes)
        empty.write_bytes(b"")
        print(f"\n{log.stat().st_size / 1e6:.0f} MB, {lines} lines; 24 phrases for grep")
        ratios = [compared(log, empty) for _ in range(asked.rounds)]
        print(
            f"analyze / grep throughput, median of {asked.rounds}: "
            f"{statistics.median(ratios):.3f} (wanted: 0.100)"
        )
        if asked.big:
            write(log, asked.big)
            told = analyzed(log)
            print(
                f"{log.stat().st_size / 1e6:.0f} MB: {told.wall:.2f} s, {told.memory:.0f} MB "
                f"at the peak (wanted: 150), {verdict(told)}"
            )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--big", type=float, default=1000, help="MB for the memory; 0: leave out")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--keep", default=None, help="folder for the log; default: the system's")
    return parser.parse_args()


def compared(log: Path, empty: Path) -> float:
    started, grep, told = analyzed(empty), grepped(log), analyzed(log)
    reading = told.wall - started.wall
    print(
        f"grep {grep.wall:.3f} s ({grep.cpu:.3f}), analyze {reading:.3f} s "
        f"({told.cpu - started.cpu:.3f}) after {started.wall:.2f} s of start-up, "
        f"{told.memory:.0f} MB at the peak, {verdict(told)}: {grep.wall / reading:.3f}"
    )
    return grep.wall / reading


def grepped(log: Path) -> Spent:
    """Through a pipe, because grep stops at the first hit when it writes to /dev/null."""
    pattern = "|".join(PHRASES)
    return spent(
        ["sh", "-c", 'LC_ALL=C.UTF-8 grep -E "$1" "$2" | cat > /dev/null', "sh", pattern, str(log)]
    )


def analyzed(log: Path) -> Spent:
    return spent([sys.executable, str(ROOT / "manage.py"), "analyze", str(log)])


def spent(command: list[str]) -> Spent:
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=output)
        _pid, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command[0]} ended with {process.returncode}")
        output.seek(0)
        return Spent(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, output.read())


def verdict(told: Spent) -> str:
    answer = json.loads(told.output)
    return f"{answer['kind']} {answer['subkind']} in {answer['function']}"


def write(log: Path, megabytes: float) -> int:
    """A log of this size; -> its lines. The same for the same size."""
    size, count = int(megabytes * 1e6), 0
    with log.open("wb") as file:
        for line in story(random.Random(5), size):
            file.write(line)
            count += 1
    return count


def story(chance: random.Random, size: int) -> Iterator[bytes]:
    """Several boots, each with two reports on its way; the last of them ends in a panic."""
    at, written, share = datetime(2026, 3, 1, tzinfo=UTC), 0, size / BOOTS
    for boot in range(1, BOOTS + 1):
        begun, reports = at, list(REPORTS)
        yield from reported(console("healthy"), at, 0)
        while written < boot * share:
            at += timedelta(seconds=chance.random() * 4)
            up = (at - begun).total_seconds()
            yield (line := ordinary(chance, at, up))
            written += len(line)
            if reports and written > (boot - len(reports) / 3) * share:
                lines = console(reports.pop(0))[DIES:]
                yield from reported([x for x in lines if "Kernel panic" not in x], at, up)
        if boot == BOOTS:
            yield from reported(console("null-irq")[DIES:], at, up)
        else:
            yield from (stamped(at, who, what.format(s=f"{up:.6f}")) for who, what in SHUTDOWN)
        at += timedelta(seconds=40)
    yield from reported(console("healthy"), at, 0)
    for second in range(2000):
        yield ordinary(chance, at + timedelta(seconds=second), second)


def reported(lines: list[str], at: datetime, up: float) -> Iterator[bytes]:
    """What the kernel said, with its own stamps or, in the middle of a boot, with later ones."""
    stamp = f"[{up:12.6f}]"
    for line in lines:
        yield stamped(at, "kernel", STAMP.sub(stamp, line) if up else line)


def ordinary(chance: random.Random, at: datetime, up: float) -> bytes:
    program, text = ORDINARY[int(chance.random() ** 1.3 * len(ORDINARY))]
    number = int(chance.random() * 1e7)
    given = {"n": number, "b": number % 256, "p": number % 65536, "s": f"{up:12.6f}"}
    return stamped(at, program.format(**given), text.format(**given))


def console(name: str) -> list[str]:
    return (EVIDENCE / name / "console.log").read_text(errors="replace").splitlines()


def stamped(at: datetime, program: str, text: str) -> bytes:
    return f"{at:%b %e %H:%M:%S} web-07 {program}: {text}\n".encode()


if __name__ == "__main__":
    main()
