"""A simulator for tests: in a thread of this process, or as the real process."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from simulator import sandbox
from simulator.cloud import Cloud
from simulator.endpoint import Endpoint
from simulator.server import Server
from simulator.signature import AccessKey, Verifier
from simulator.world import World

REQUIRED = set(filter(None, os.environ.get("PORTAL_TEST_REQUIRE", "").split(",")))
ROOT = Path(__file__).resolve().parent.parent
KEY = ("simulator", "simulator-secret")
KEY_WITHOUT_RIGHTS = ("rightless", "rightless-secret")
KEY_WITHOUT_RUNS = ("observer", "observer-secret")
KEYS = (
    AccessKey(*KEY),
    AccessKey(*KEY_WITHOUT_RIGHTS, frozenset("*")),
    AccessKey(*KEY_WITHOUT_RUNS, frozenset({"RunCommand", "StopInvocation"})),
)


@dataclass
class Simulator:
    """A running simulator: where it is, how to sign, and its switchboard."""

    endpoint: str  # http://127.0.0.1:PORT
    access_key: tuple[str, str] = KEY
    process: subprocess.Popen | None = None
    cloud: Cloud | None = None  # only of one in a thread

    @property
    def host(self) -> str:
        """The endpoint as the SDK's Config wants it."""
        return self.endpoint.removeprefix("http://")

    def control(self, method: str, what: str, value: object = None) -> object:
        body = None if value is None else json.dumps(value).encode()
        url = f"{self.endpoint}/_simulator/{what}"
        request = urllib.request.Request(url, data=body, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(json.load(error)["error"]) from None

    def faults(self, *rules: dict) -> None:
        """Put fault rules in force until the test ends; see simulator/faults.py."""
        self.control("POST", "faults", list(rules))

    def change(self, instance: str, **changes: object) -> None:
        """Change a machine until the test ends: released=, status=, agent=, for_seconds=, name=."""
        self.control("POST", "machines", {"instance": instance, **changes})

    def counters(self) -> dict[str, dict]:
        """Every act performed since the start, nested; see simulator/counters.py."""
        return self.control("GET", "counters")

    def restore(self) -> None:
        """Take faults and changes back, and end what a test left running: its end would take
        the faults of the next one."""
        self.control("DELETE", "faults")
        if self.cloud:
            self._end_runs()
        self.control("DELETE", "machines")

    def _end_runs(self) -> None:
        runs, give_up = self.cloud.runs, time.monotonic() + 5
        for region in self.cloud.world.regions:
            for invocation in runs.listed(region.region_id):
                if going := [row for row in invocation.rows if not row.over]:
                    runs.stop(invocation, going)
                while not all(row.over for row in invocation.rows):
                    if time.monotonic() > give_up:
                        return
                    time.sleep(0.01)


def refuse_recordings(counters: dict[str, dict]) -> None:
    """Raise where a Linux script was answered from a recording though it could really have run."""
    linux = counters["scripts"].get("linux", {})
    if linux.get("recording") and ("sandbox" in REQUIRED or sandbox.offered()):
        raise AssertionError(f"Linux scripts were answered from a recording: {linux}")


@contextmanager
def in_a_thread(world: str = "demo", latency: float = 0.0) -> Iterator[Simulator]:
    now = datetime.now(UTC)
    cloud = Cloud(World.named(world, now))
    server = Server(Endpoint(cloud, Verifier({key.id: key for key in KEYS})), 0, latency)
    server.start()
    try:
        yield Simulator(server.url, cloud=cloud)
        refuse_recordings(cloud.counters.tree())
    finally:
        server.close()


@contextmanager
def as_a_process(*arguments: str) -> Iterator[Simulator]:
    """`python -m simulator` on a free port with these further arguments."""
    command = [sys.executable, "-m", "simulator", "--port", "0", *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on http://"), f"the simulator said {line!r}"
        simulator = Simulator(line.split()[-1], process=process)
        yield simulator
        if process.poll() is None:
            refuse_recordings(simulator.counters())
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
