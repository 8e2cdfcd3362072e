"""The readiness of 10,000 instances on its page.

    python -m benchmarks.readiness_page [--size 10000]

Rows are made directly in the database (DATABASE_URL, else a fresh SQLite file); the page is asked
for over HTTP from a gunicorn of its own. First byte: from the request's last byte to the answer's
first, while the machine does nothing else. Promised: under 500 ms, however it is narrowed.
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
from benchmarks.results_page import SESSION
from tests.stack import Stack

ROUNDS = 15
PROMISED_MS = 500.0
LOOKS = {
    "all": "/readiness/",
    "without kdump": "/readiness/?check=kdump_service&ready=missing",
    "journal kept": "/readiness/?check=journal&ready=ok",
    "never checked": "/readiness/?ready=never",
    "by name": "/readiness/?sort=name",
}
FILL = """
from django.contrib.auth.models import Group, User
from django.utils import timezone
from diagnostics.models import Readiness
from diagnostics.readiness import linux
from diagnostics.readiness.models import listed
from diagnostics.wording import packed
from instances.models import CloudAccount, Instance, Scope
from tests.diagnostics.readiness import answers
account, now = CloudAccount.objects.get(name="default"), timezone.now()
Instance.objects.bulk_create([
    Instance(account=account, region="cn-hangzhou", instance_id=f"i-bench{{n:012}}",
             name=f"web-{{n:05}}", status="Running", os_type="linux") for n in range({size})
], batch_size=2000)
user = User.objects.create_user("bench", password="bench")
user.groups.add(Group.objects.get(name="operator"))
Scope.objects.create(user=user)
kinds = []
for changes in ({{}}, {{"kdump": {{"service": "none"}}}}, {{"readiness": {{"journal_place": ""}}}}):
    checks = linux.judge(linux.read(answers.linux(**changes)))
    states = ("missing", "unknown", "ok")
    named = {{s: listed(c.name for c in checks if c.state == s) for s in states}}
    kinds.append(dict(
        as_of=now, tried_at=now, family="rhel", checks=[packed(c) for c in checks],
        missing=named["missing"], unknown=named["unknown"], fine=named["ok"],
        lacks=len(named["missing"].split())))
Readiness.objects.bulk_create([
    Readiness(instance=machine, **kinds[n % 3])
    for n, machine in enumerate(Instance.objects.order_by("pk")) if n % 20
], batch_size=1000)
"""


def first_byte(stack: Stack, path: str, cookie: str) -> float:
    """Seconds until the answer begins; the whole answer is read, and must list our instances."""
    host, port = stack.bind.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.connect()
    begun = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": f"sessionid={cookie}"})
    answer = connection.getresponse()
    waited = time.perf_counter() - begun
    body = answer.read()
    # The demo fleet stands on the page, too.
    assert answer.status == 200 and body.count(b"i-bench") >= 20, answer.status
    connection.close()
    return waited


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=10_000)
    size = parser.parse_args().size
    with tempfile.TemporaryDirectory() as folder, recorded("readiness_page"):
        print(f"{size:,} instances, median first byte of {ROUNDS}, ms")
        stack = Stack(Path(folder), os.environ.get("DATABASE_URL", ""))
        try:
            stack.python(FILL.format(size=size))
            cookie = stack.python(SESSION).strip()
            stack.start()
            for name, path in LOOKS.items():
                waited = [first_byte(stack, path, cookie) for _turn in range(ROUNDS)]
                median = statistics.median(waited) * 1000
                kept = "kept" if median < PROMISED_MS else "NOT KEPT"
                print(f"{name:15} {median:5.0f}   {kept}")
        finally:
            if stack.process and stack.process.poll() is None:
                stack.stop()
            stack.clean_up()


if __name__ == "__main__":
    main()
