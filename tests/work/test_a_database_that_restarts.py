"""A PostgreSQL server of the test's own goes away in mid-wave and comes back: no machine is asked
for twice, every item ends, and what is said of it is what the simulator knows."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from tests.conftest import requires
from tests.simulation import as_a_process
from tests.sizes import long_only
from tests.stack import Stack, free_port, until
from tests.work.reboot_storm import APPROVE, ASK, ITEMS, OPEN, true

pytestmark = [
    pytest.mark.stack,
    long_only,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="has its turn on PostgreSQL"),
]
MACHINES = 24
DOWN = "select count(*) from commands_rebootitem where state = 'asked'"
USER = "postgres"  # the server refuses to run as root


def binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    requires("postgres", bool(found), "no initdb under /usr/lib/postgresql")
    return found[-1].parent


def as_owner(*command: str) -> None:
    prefix = ("runuser", "-u", USER, "--") if os.getuid() == 0 else ()
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr[-2000:]


@contextmanager
def a_server():
    """`restart()` and the URL of an empty database."""
    port, bin = free_port(), binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: sockets want short names
    if os.getuid() == 0:
        shutil.chown(folder, USER)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"

    def control(act: str) -> None:
        told = ("-o", options, "-l", f"{folder}/log", "-w", "-D", f"{folder}/data")
        as_owner(f"{bin}/pg_ctl", *told, "-m", "immediate", act)

    try:
        as_owner(f"{bin}/initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "portal", "-N")
        control("start")
        url = f"postgres://portal@127.0.0.1:{port}"
        import psycopg

        with psycopg.connect(f"{url}/postgres", autocommit=True) as admin:
            admin.execute("create database portal")
        try:
            yield (lambda: control("restart")), f"{url}/portal"
        finally:
            control("stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_every_item_ends_once_and_truly(tmp_path):
    told = ("--world", f"fleet:{MACHINES}", "--latency", "10", "--power-seconds", "3-6")
    with a_server() as (restart, url), as_a_process(*told) as simulator:
        stack = Stack(tmp_path, database_url=url)
        stack.simulator = simulator
        stack.environment |= {"ECS_ENDPOINT": simulator.endpoint, "SYNC_SECONDS": "3600"}
        try:
            stack.start("--no-simulator")
            stack.manage("sync_instances")
            stack.python(ASK.format(start=0, size=MACHINES, wave=MACHINES // 2))
            until(lambda: stack.python(APPROVE).strip() == "0", 60, "a yes")
            for _wave in (1, 2):
                until(lambda: stack.sql(DOWN) != [(0,)], 90, f"a wave; {stack.tail()}")
                restart()
            until(lambda: stack.sql(OPEN) == [(0,)], 180, f"an end; {stack.tail()}")
            counted = simulator.counters()
            reboots, items = counted["reboots"], stack.sql(ITEMS)
            assert set(reboots.values()) == {1}
            assert len(items) == MACHINES
            for row in items:
                assert true(row, "", reboots.get(row[0], 0), counted["boots"]), row
            assert stack.stop() == 0
        finally:
            stack.clean_up()
