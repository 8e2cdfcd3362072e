"""One parent for every role: starts them, starts again what dies, stops all of it cleanly."""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from portal.leash import die_with

GRACE = 12.0  # seconds from SIGTERM to SIGKILL
FIRST_REST, LONGEST_REST = 0.2, 5.0  # seconds before a role is started again
SETTLED = 5.0  # seconds after which a role that dies counts as a first death again
GLANCE = 0.25  # seconds between two looks at the children


class AlreadyRunning(Exception):
    """Another supervisor holds this folder; the message is fit for a person."""


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    first: Callable[[], bool] = lambda: True  # what must hold before the first start


class Child:
    """One role's process and what it says."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.start_at = 0.0
        self.rest = FIRST_REST
        self.unfinished = b""

    def may_start(self) -> bool:
        return time.monotonic() >= self.start_at and (bool(self.started) or self.role.first())

    def start(self) -> None:
        parent = os.getpid()
        self.process = subprocess.Popen(
            self.role.command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.role.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own: Ctrl-C reaches us alone
            preexec_fn=lambda: die_with(parent),
        )
        os.set_blocking(self.process.stdout.fileno(), False)
        self.started = time.monotonic()

    def signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def ended(self) -> bool:
        """Whether it ended; then its group is gone too, and the next start is planned."""
        # Seen, but not yet reaped: its number cannot be somebody else's while we kill the group.
        seen = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if seen is None:
            return False
        self.signal_group(signal.SIGKILL)
        self.process.wait()
        now = time.monotonic()
        self.rest = FIRST_REST if now - self.started > SETTLED else self.rest * 2
        self.start_at = now + min(self.rest, LONGEST_REST)
        return True


class Supervisor:
    def __init__(self, roles: Sequence[Role]) -> None:
        self.children = [Child(role) for role in roles]
        self.ears = selectors.DefaultSelector()
        self.stopping = False
        self.why = "an error"

    def run(self, ready: Callable[[], bool], when_ready: Callable[[], None]) -> None:
        """Keep every role running until SIGTERM or SIGINT, then stop them all.

        `when_ready` is called once, as soon as `ready()`.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        told = False
        try:
            while not self.stopping:
                self._keep_running()
                self._listen(GLANCE)
                if not told and ready():
                    told = True
                    when_ready()
        finally:
            self._stop_all()

    def tell(self, text: str, who: str = "supervisor") -> None:
        for line in text.splitlines():
            print(f"{who:<10}| {line}", flush=True)

    def _stop(self, number: int, _frame: object) -> None:
        self.stopping = True
        self.why = signal.Signals(number).name

    def _keep_running(self) -> None:
        for child in self.children:
            if child.process is None and child.may_start():
                child.start()
                self.ears.register(child.process.stdout, selectors.EVENT_READ, child)
            elif child.process is not None and child.ended():
                self._close(child)
                rest = child.start_at - time.monotonic()
                self.tell(f"{child.role.name} ended; starting it again in {rest:.1f} s")

    def _close(self, child: Child) -> None:
        self._hear(child)
        self.ears.unregister(child.process.stdout)
        child.process.stdout.close()
        child.process = None

    def _listen(self, patience: float) -> None:
        for key, _events in self.ears.select(patience):
            if not self._hear(key.data):
                time.sleep(0.05)  # closed, but not ended yet

    def _hear(self, child: Child) -> bool:
        try:
            heard = os.read(child.process.stdout.fileno(), 1 << 16)
        except BlockingIOError:
            return True
        *lines, child.unfinished = (child.unfinished + heard).split(b"\n")
        for line in lines:
            self.tell(line.decode(errors="replace"), child.role.name)
        return bool(heard)

    def _stop_all(self) -> None:
        """SIGTERM to each main process, SIGKILL to the groups of those that do not go."""
        self.tell(f"stopping ({self.why})")
        going = [child for child in self.children if child.process]
        for child in going:
            child.process.terminate()
        give_up = time.monotonic() + GRACE
        while going and time.monotonic() < give_up:
            self._listen(0.05)
            going = [child for child in going if not child.ended()]
        for child in going:
            self.tell(f"{child.role.name} does not stop: killed")
            child.signal_group(signal.SIGKILL)
            child.process.wait()
        self.tell("stopped")


@contextlib.contextmanager
def only_one(folder: Path):
    """Hold `folder` for this process; raise AlreadyRunning if another does."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(f"already running: {lock.read().strip()}") from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, started with {' '.join(sys.argv)}\n")
        lock.flush()
        yield
