"""The page of a run on 10,000 instances, beside that of a run on 100.

    python -m benchmarks.results_page [--size 10000]

Rows are made directly in the database (DATABASE_URL, else a fresh SQLite file); the page is asked
for over HTTP from a gunicorn of its own. First byte: from the request's last byte to the answer's
first. Promised: under 300 ms at 10,000, and at most 1.5 x that of 100 instances, in every world:
all answers alike, a hundred kinds, every answer different. The groups of a finished run are kept
after the first look, which is printed besides; a running one is counted anew each time.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.record import recorded
from tests.stack import Stack

ROUNDS = 25
PROMISED_MS, PROMISED_RATIO = 300.0, 1.5
WORLDS = {"all alike": 1, "a hundred kinds": 100, "all different": 0}
FILL = """
from django.contrib.auth.models import Group, User
from django.utils import timezone
from commands.models import Dispatch, Invocation, Output, Target, digest_of
from instances.models import CloudAccount, Instance, Scope
account, now = CloudAccount.objects.get(name="default"), timezone.now()
size = {size}
Instance.objects.bulk_create([
    Instance(account=account, region="cn-hangzhou", instance_id=f"i-bench{{n:012}}",
             name=f"web-{{n:05}}", status="Running", os_type="linux") for n in range(size)
], batch_size=2000)
machines = list(Instance.objects.order_by("pk"))
user = User.objects.create_user("bench", password="bench")
user.groups.add(Group.objects.get(name="operator"))
Scope.objects.create(user=user)
filler = b"the same line of an ordinary output, over and over again\\n" * 68
for kinds in {kinds}:
    for count in (100, size):
        run = Invocation.objects.create(
            name="bench", script="x", type="RunShellScript", size=count, state="running")
        dispatch = Dispatch.objects.create(invocation=run, account=account, region="cn-hangzhou",
            size=count, state="finished", finished_at=now)
        bodies = [filler + b"kind %d\\n" % (n % kinds if kinds else n) for n in range(count)]
        for start in range(0, count, 1000):
            Output.keep(bodies[start:start + 1000])
        Target.objects.bulk_create([
            Target(dispatch=dispatch, invocation=run, instance=machine, status="Success",
                   over=True, outcome="ok", exit_code=0, output_id=digest_of(body),
                   finished_at=now)
            for machine, body in zip(machines, bodies)
        ], batch_size=2000)
        run.end_if_over()
        print(run.pk)
"""
SESSION = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from importlib import import_module
from django.conf import settings
user = User.objects.get(username="bench")
store = import_module(settings.SESSION_ENGINE).SessionStore()
store[SESSION_KEY] = str(user.pk)
store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
store[HASH_SESSION_KEY] = user.get_session_auth_hash()
store.create()
print(store.session_key)
"""


def first_byte(stack: Stack, path: str, cookie: str) -> float:
    """Seconds until the answer begins; the whole answer is read, and must be a page."""
    host, port = stack.bind.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.connect()
    begun = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": f"sessionid={cookie}"})
    answer = connection.getresponse()
    waited = time.perf_counter() - begun
    body = answer.read()
    assert answer.status == 200 and b"answer" in body, answer.status
    connection.close()
    return waited


def measure(size: int) -> list[tuple[str, float, float]]:
    """World, median first byte of 100 instances, and of `size`, asked for in turns."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), os.environ.get("DATABASE_URL", ""))
        try:
            kinds = list(WORLDS.values())
            keys = stack.python(FILL.format(size=size, kinds=kinds)).split()
            cookie = stack.python(SESSION).strip()
            stack.start()
            return [
                _world(stack, cookie, name, keys[2 * place : 2 * place + 2])
                for place, name in enumerate(WORLDS)
            ]
        finally:
            if stack.process and stack.process.poll() is None:
                stack.stop()
            stack.clean_up()


def _world(stack: Stack, cookie: str, name: str, keys: list[str]) -> tuple[str, float, float]:
    waited: list[list[float]] = [[], []]
    for _turn in range(ROUNDS):
        for place, key in enumerate(keys):
            waited[place].append(first_byte(stack, f"/runs/{key}/", cookie))
    print(f"{name}: the very first look {waited[0][0] * 1000:.0f}, {waited[1][0] * 1000:.0f} ms")
    return name, statistics.median(waited[0]), statistics.median(waited[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=10_000)
    size = parser.parse_args().size
    with recorded("results_page"):
        print(f"{'world':18} {'100':>9} {size:>9,}   ratio   (median first byte of {ROUNDS}, ms)")
        for name, small, large in measure(size):
            ratio = large / small
            kept = large * 1000 < PROMISED_MS and ratio <= PROMISED_RATIO
            told = f"{small * 1000:9.0f} {large * 1000:9.0f}   {ratio:5.2f}"
            print(f"{name:18} {told}   {'kept' if kept else 'NOT KEPT'}")


if __name__ == "__main__":
    main()
