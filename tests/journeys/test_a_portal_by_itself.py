"""What a portal does with nobody before it: it follows the fleet, stays alone, leaves nothing."""

import subprocess
import sys
import urllib.request

import pytest

from tests.sizes import long_only
from tests.stack import ROOT, Stack, until

pytestmark = [pytest.mark.stack, long_only]


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("portal"))
    stack.environment["SYNC_SECONDS"] = "2"
    try:
        stack.start()
        yield stack
    finally:
        stack.clean_up()


def holds(portal: Stack, query: str, why: str) -> list[tuple]:
    return until(lambda: portal.sql(query), 30, why)


def test_it_mirrors_the_fleet_and_follows_it(portal):
    query = "select instance_id from instances_instance where name = 'web-01'"
    ((instance_id,),) = holds(portal, query, "a mirrored instance")
    portal.simulator.change(instance_id, name="renamed-01")
    holds(portal, "select 1 from instances_instance where name = 'renamed-01'", "the new name")


def test_it_doubts_a_listing_that_is_empty_and_believes_the_next(portal):
    doubted = "select 1 from instances_region where state = 'doubted'"
    portal.simulator.faults({"kind": "empty", "operation": "DescribeInstances"})
    holds(portal, doubted, "a doubt")
    assert not portal.sql("select 1 from instances_instance where released_at is not null")
    portal.simulator.restore()
    until(lambda: not portal.sql(doubted), 30, "the end of the doubt")


def test_it_refuses_a_second_one_and_stops_cleanly(portal):
    with urllib.request.urlopen(f"{portal.url}/login/", timeout=10) as page:
        assert page.status == 200

    command = [sys.executable, "manage.py", "supervise", "--bind", "127.0.0.1:1"]
    told = {"env": portal.environment, "capture_output": True, "text": True, "timeout": 60}
    second = subprocess.run(command, cwd=ROOT, **told)
    assert second.returncode == 1
    assert f"already running: process {portal.process.pid}" in second.stderr

    assert portal.stop() == 0
    assert portal.processes() == []
    assert "does not stop" not in portal.tail()
