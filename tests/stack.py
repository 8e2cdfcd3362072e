"""The whole portal as processes, for tests that need the real thing: `make run` on free ports.

with running(tmp_path) as stack:
    stack.python("...")                 # code inside the portal, in a process of its own
    stack.sql("select ...")             # what the database says
    stack.simulator.counters()          # what the other side says
    stack.pids()["worker"]              # who runs, by role
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE

import psutil

from tests import ready_made
from tests.simulation import Simulator

ROOT = Path(__file__).resolve().parent.parent
ROLES = ("web", "conductor", "main", "sentinel", "pusher", "monitor", "worker")
SETUP = "import django; django.setup()\n"
START_WITHIN, STOP_WITHIN = 60.0, 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what: Callable[[], object], seconds: float, why: str) -> object:
    """Wait for `what()` to be true and return it."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if value := what():
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {why}")


class Stack:
    """One portal: its folder, database and ports; started and stopped any number of times.

    On SQLite it is migrated already, and the demo's people are there.
    """

    def __init__(self, folder: Path, database_url: str = "", redis_url: str = "") -> None:
        self.folder = folder
        self.database_url = database_url or f"sqlite:///{folder / 'portal.sqlite3'}"
        self.bind = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.bind}"
        self.simulator = Simulator(f"http://127.0.0.1:{free_port()}")
        self.log = folder / "log"
        self.process: subprocess.Popen | None = None
        key_id, secret = self.simulator.access_key
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ALIBABA_", "Q_"))}
        self.environment = kept | {
            "STATE_DIR": str(folder / f"state-{uuid.uuid4().hex}"),  # also marks its processes
            "DATABASE_URL": self.database_url,
            "REDIS_URL": redis_url,
            "ECS_ENDPOINT": self.simulator.endpoint,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret,
            "SECRET_KEY": ready_made.STACK_KEY,
            "PORTAL_MODE": "full",
            "DEBUG": "off",
            "SPT_NOENV": "1",  # a process that takes a title keeps its environment, and our mark
        }
        if database_url:
            self.manage("migrate", "-v0")
        else:
            ready_made.copy_to(folder / "portal.sqlite3", people=True)

    def manage(self, *arguments: str) -> str:
        """The output of one management command."""
        command = [sys.executable, "manage.py", *arguments]
        return self._run(command)

    def python(self, code: str) -> str:
        """The output of `code`, run inside the portal in a process of its own."""
        return self._run([sys.executable, "-c", SETUP + code])

    @contextlib.contextmanager
    def asking(self, code: str) -> Iterator[Callable[[str], str]]:
        """`code` inside the portal in one process: it answers each line it reads with a line."""
        command = [sys.executable, "-c", SETUP + code]
        with subprocess.Popen(
            command, cwd=ROOT, env=self._environment(), stdin=PIPE, stdout=PIPE, text=True
        ) as process:

            def ask(line: str) -> str:
                print(line, file=process.stdin, flush=True)
                answer = process.stdout.readline()
                assert answer, f"no answer to {line!r}"
                return answer.strip()

            yield ask

    def _run(self, command: list[str]) -> str:
        environment = self._environment()
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """For what the tests themselves start: not marked as a process of the portal."""
        folder = {"STATE_DIR": str(self.folder / "commands")}
        return self.environment | folder | {"DJANGO_SETTINGS_MODULE": "portal.settings"}

    def sql(self, query: str) -> list[tuple]:
        if self.database_url.startswith("sqlite"):
            with contextlib.closing(
                sqlite3.connect(self.folder / "portal.sqlite3", timeout=20)
            ) as connection:
                return connection.execute(query).fetchall()
        import psycopg

        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query).fetchall()

    def start(self, *arguments: str) -> None:
        """Start everything and wait until a page answers and every role is there."""
        command = [sys.executable, "manage.py", "supervise", "--bind", self.bind, *arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        until(self._serves, START_WITHIN, f"a page; {self.tail()}")
        until(self.complete, START_WITHIN, f"every role; {self.pids()} {self.tail()}")

    def complete(self) -> bool:
        """Whether every role runs, the clusters' for both queues."""
        pids = self.pids()
        return all(len(pids[role]) >= 2 for role in ROLES if role != "conductor") and bool(
            pids["conductor"]
        )

    def wait_for_mirror(self) -> None:
        """Until the conductor had every region read."""
        read = "select count(*), sum(state = 'current') from instances_region where configured"
        until(lambda: len(set(self.sql(read)[0])) == 1, 60, f"the mirror; {self.tail()}")

    def _serves(self) -> bool:
        assert self.process.poll() is None, self.tail()
        with contextlib.suppress(OSError):
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{self.url}/login/", timeout=10) as page:
                return page.status == 200
        return False

    def stop(self) -> int:
        """Stop it as Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(STOP_WITHIN)
        until(lambda: not self.processes(), 20, "an end of all it started")
        return code

    def kill(self) -> None:
        """Kill the parent, and only it, with -9."""
        self.process.kill()
        self.process.wait()

    def processes(self) -> list[psutil.Process]:
        """Everything alive that was started for this stack, orphans included."""
        mark, found = f"STATE_DIR={self.environment['STATE_DIR']}".encode(), []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                environment = Path(f"/proc/{process.pid}/environ").read_bytes()
                alive = process.status() != psutil.STATUS_ZOMBIE
                if alive and mark in environment.split(b"\0"):
                    found.append(process)
        return found

    def pids(self) -> dict[str, list[int]]:
        """Who runs, by role: ROLES, `simulator` and `supervisor`. Orphans are not among them."""
        found = defaultdict(list)
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(self.process.pid)
            for process in (parent, *parent.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    if role := _role(" ".join(process.cmdline())):
                        found[role].append(process.pid)
        return found

    def orphans(self) -> list[psutil.Process]:
        """What runs without belonging to the supervisor any more."""
        parent = psutil.Process(self.process.pid)
        ours = {parent.pid, *(child.pid for child in parent.children(recursive=True))}
        return [process for process in self.processes() if process.pid not in ours]

    def memory(self) -> int:
        """Proportional memory (PSS) of all its processes, in bytes."""
        return sum(process.memory_full_info().pss for process in self.processes())

    def tail(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-40:])

    def clean_up(self) -> None:
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()


def _role(title: str) -> str:
    if title.startswith("qcluster "):
        return title.split()[1].partition("-")[2]
    known = {
        "gunicorn:": "web",
        "portal-conductor": "conductor",
        "-m simulator": "simulator",
        " supervise ": "supervisor",
    }
    return next((role for words, role in known.items() if words in title), "")


@contextlib.contextmanager
def running(folder: Path, *, database_url: str = "", redis_url: str = "") -> Iterator[Stack]:
    """A started stack, stopped with the block; whatever is left of it is killed."""
    stack = Stack(folder, database_url, redis_url)
    try:
        stack.start()
        yield stack
        if stack.process.poll() is None:
            stack.stop()
    finally:
        stack.clean_up()


@contextlib.contextmanager
def postgres_database() -> Iterator[str]:
    """The URL of a fresh PostgreSQL database on this machine; skips (or fails) without one."""
    import psycopg

    from tests.conftest import requires

    name, server = f"stack_{uuid.uuid4().hex[:12]}", "postgres://root@127.0.0.1:5432"
    try:
        admin = psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        requires("postgres", False, f"none on 127.0.0.1:5432 ({error})".splitlines()[0])
        raise
    with admin:
        admin.execute(f"create database {name}")
        try:
            yield f"{server}/{name}"
        finally:
            admin.execute(f"drop database if exists {name} with (force)")


def redis_database(number: int) -> str:
    """The URL of an emptied Redis database on this machine; skips (or fails) without one."""
    import redis

    from tests.conftest import requires

    url = f"redis://127.0.0.1:6379/{number}"
    try:
        redis.from_url(url).flushdb()
    except redis.ConnectionError as error:
        requires("redis", False, f"none on 127.0.0.1:6379 ({error})")
    return url
