"""Runs that repeat stay Scheduled, remember their fires, and end only when they are stopped."""

import base64
import time
from datetime import timedelta

import pytest
from alibabacloud_ecs20140526 import models

from tests.simulation import in_a_thread
from tests.simulator.conftest import REGION, client_of, results, run, settled

pytestmark = pytest.mark.usefixtures("sandbox_needed")


class Hand:
    """A clock that a test moves by hand: keeps what is due, and does it when told."""

    def __init__(self):
        self.due = []

    def after(self, seconds, act):
        self.due.append((seconds, act))

    def move(self):
        _seconds, act = self.due.pop(0)
        act()


@pytest.fixture
def fleet():
    with in_a_thread("fleet:8") as simulator:
        simulator.cloud.power.seconds = (0.05, 0.1)
        yield simulator


@pytest.fixture
def hand(fleet):
    fleet.cloud.runs.repeating.later = hand = Hand()
    return hand


@pytest.fixture
def client(fleet):
    return client_of(fleet)


@pytest.fixture
def machine(fleet):
    return fleet.cloud.machines(REGION)[0]


def until(question, patience=10.0):
    ends = time.monotonic() + patience
    while not question():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.005)


def history(client, invoke_id):
    return results(client, invoke_id, include_history=True)


def fired(client, invoke_id, count):
    until(lambda: len(history(client, invoke_id)) == count)
    until(lambda: all(row.finished_time for row in history(client, invoke_id)))


def stop(client, invoke_id):
    client.stop_invocation(models.StopInvocationRequest(region_id=REGION, invoke_id=invoke_id))


def timed_ids(client, **asked):
    request = models.DescribeInvocationsRequest(region_id=REGION, **asked)
    rows = client.describe_invocations(request).body.invocations.invocation
    return {row.invoke_id: row for row in rows}


def test_each_fire_is_remembered_with_its_number(fleet, client, hand, machine):
    invoke_id = run(
        client, [machine.instance_id], "echo x >> log; wc -l < log", frequency="rate(5m)"
    )
    assert 299 < hand.due[0][0] <= 300
    [row] = results(client, invoke_id)
    assert (row.invocation_status, row.repeats) == ("Scheduled", 0)
    for count in (1, 2):
        hand.move()
        fired(client, invoke_id, count)
    told = [
        (r.repeats, base64.b64decode(r.output), r.invocation_status)
        for r in history(client, invoke_id)
    ]
    assert told == [(2, b"2\n", "Success"), (1, b"1\n", "Success")]
    [row] = results(client, invoke_id)
    assert (row.invocation_status, row.repeats, row.exit_code) == ("Scheduled", 2, 0)
    assert base64.b64decode(row.output) == b"2\n"
    assert fleet.counters()["runs"] == {machine.instance_id: 2}


def test_one_fires_timeout_does_not_touch_the_next(client, hand, machine):
    script = "test -e there && exit 0; touch there; sleep 9"
    invoke_id = run(client, [machine.instance_id], script, frequency="0 */20 * * * *", timeout=1)
    for count in (1, 2):
        hand.move()
        fired(client, invoke_id, count)
    assert [r.invocation_status for r in history(client, invoke_id)] == ["Success", "Timeout"]


def test_a_stopped_run_fires_no_more(fleet, client, hand, machine):
    invoke_id = run(client, [machine.instance_id], "true", frequency="rate(5m)")
    hand.move()
    fired(client, invoke_id, 1)
    stop(client, invoke_id)
    [row] = results(client, invoke_id)
    assert row.invocation_status == "Terminated"
    hand.move()
    assert hand.due == []
    assert fleet.counters()["runs"] == {machine.instance_id: 1}
    never = run(client, [machine.instance_id], "true", frequency="rate(5m)")
    stop(client, never)
    assert results(client, never)[0].invocation_status == "Cancelled"


def test_a_machine_that_is_stopped_misses_its_fire(fleet, client, hand, machine):
    invoke_id = run(client, [machine.instance_id], "true", frequency="rate(5m)")
    fleet.change(machine.instance_id, status="Stopped")
    hand.move()
    assert history(client, invoke_id) == []
    fleet.change(machine.instance_id, status="Running")
    hand.move()
    fired(client, invoke_id, 1)


def test_an_at_expression_runs_once_and_is_over(client, fleet, machine):
    soon = fleet.cloud.clock() + timedelta(seconds=1.5)
    invoke_id = run(
        client, [machine.instance_id], "exit 3", frequency=f"at({soon:%Y-%m-%d %H:%M:%S})"
    )
    [row] = settled(client, invoke_id)
    assert (row.invocation_status, row.exit_code, row.repeats) == ("Failed", 3, 1)


def test_runs_wait_for_reboots(fleet, client, machine):
    one = machine.instance_id
    next_only = run(client, [one], "echo next", repeat_mode="NextRebootOnly")
    every = run(client, [one], "echo every", repeat_mode="EveryReboot")
    for count in (1, 2):
        client.reboot_instances(models.RebootInstancesRequest(region_id=REGION, instance_id=[one]))
        until(lambda count=count: fleet.counters().get("boots") == {one: count})
        fired(client, every, count)
        [row] = settled(client, next_only)  # or the next reboot would cut it off
    assert (row.invocation_status, row.repeats) == ("Success", 1)
    assert results(client, every)[0].invocation_status == "Scheduled"


@pytest.mark.parametrize(
    ("frequency", "status", "code"),
    [("0 0 0", "Invalid", "BadCronExpression"), ("rate(5m)", "Aborted", "ClientNeedUpgrade")],
)
def test_what_the_agent_cannot_read_has_its_code(fleet, client, machine, frequency, status, code):
    fleet.change(machine.instance_id, agent_version="2.2.3.256")
    [row] = settled(client, run(client, [machine.instance_id], "true", frequency=frequency))
    assert (row.invocation_status, row.error_code) == (status, code)


def test_timed_as_the_older_calls_send_it(client, hand, machine):
    one = [machine.instance_id]
    invoke_id = run(client, one, "true", timed=True, frequency="0 */20 * * * *")
    plain = run(client, one, "true", timed=False)
    assert set(timed_ids(client, timed=True)) == {invoke_id}
    assert set(timed_ids(client, timed=False)) == {plain}
    row = timed_ids(client)[invoke_id]
    assert (row.timed, row.repeat_mode, row.frequency) == (True, "Period", "0 */20 * * * *")
    assert (row.invocation_status, row.invoke_status) == ("Scheduled", "Running")
