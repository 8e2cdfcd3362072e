"""Ten thousand machines of a few images: one real run per distinct script answers for all."""

import base64
import threading
import time
from collections import Counter

import pytest
from alibabacloud_ecs20140526 import models

from simulator.machine import Ran
from simulator.shared import SharedGuest
from tests.simulation import in_a_thread
from tests.simulator.conftest import REGION, client_of, run, settled


class Slow:
    """A system whose scripts end when they are let go."""

    def __init__(self):
        self.runs, self.go = 0, threading.Event()

    def run(self, machine, script, *, timeout, username, working_dir, stop):
        self.runs += 1
        while not self.go.is_set():
            if stop.wait(0.01):
                return Ran(None, b"", "sandbox", stopped=True)
        return Ran(0, script.encode(), "sandbox")


def started(guest, script="x", stop=None):
    told = []
    stop = stop or threading.Event()
    kinds = {"timeout": 9, "username": "", "working_dir": ""}
    thread = threading.Thread(
        target=lambda: told.append(guest.run(None, script, stop=stop, **kinds))
    )
    thread.start()
    return thread, told


def until(question):
    ends = time.monotonic() + 10
    while not question():
        assert time.monotonic() < ends
        time.sleep(0.005)


@pytest.mark.usefixtures("sandbox_needed")
def test_a_hundred_machines_answer_from_one_run_an_image():
    with in_a_thread("fleet:200") as simulator:
        client = client_of(simulator)
        machines = simulator.cloud.machines(REGION)
        images = {machine.image_id for machine in machines}
        invoke_id = run(client, [m.instance_id for m in machines], "cat /etc/os-release; exit 7")
        until(lambda: all(r.over for r in simulator.cloud.runs.find(REGION, invoke_id).rows))
        counted = simulator.counters()["scripts"]["linux"]
        systems = {id(machine.guest) for machine in machines}
        assert counted == {"sandbox": len(systems), "shared": 100 - len(systems)}
        rows = settled(client, invoke_id)
        assert {(row.invocation_status, row.exit_code) for row in rows} == {("Failed", 7)}
        assert len({row.output for row in rows}) == len(images) < 10
        again = run(client, [machines[0].instance_id], "cat /etc/os-release; exit 8")
        settled(client, again)
        assert simulator.counters()["scripts"]["linux"]["sandbox"] == len(systems) + 1


@pytest.mark.usefixtures("sandbox_needed")
def test_substituted_parameters_make_scripts_distinct():
    with in_a_thread("fleet:12") as simulator:
        client = client_of(simulator)
        ids = [m.instance_id for m in simulator.cloud.machines(REGION)]
        invoke_id = run(client, ids, "echo {{ACS::InstanceId}}", enable_parameter=True)
        told = {row.instance_id: base64.b64decode(row.output) for row in settled(client, invoke_id)}
        assert told == {machine: f"{machine}\n".encode() for machine in ids}
        assert simulator.counters()["scripts"]["linux"] == {"sandbox": len(ids)}


def test_those_who_wait_get_the_first_ones_answer():
    slow = Slow()
    guest = SharedGuest(slow)
    threads = [started(guest) for _ in range(5)]
    until(lambda: slow.runs == 1)
    slow.go.set()
    for thread, _ in threads:
        thread.join(10)
    assert slow.runs == 1
    assert sorted(told[0].source for _, told in threads) == ["sandbox"] + ["shared"] * 4
    assert {told[0].output for _, told in threads} == {b"x"}


def test_stopping_the_first_leaves_the_others_their_script():
    slow = Slow()
    guest = SharedGuest(slow)
    stop = threading.Event()
    first, first_told = started(guest, stop=stop)
    until(lambda: slow.runs == 1)
    second, second_told = started(guest)
    stop.set()
    first.join(10)
    assert first_told[0].stopped
    until(lambda: slow.runs == 2)
    slow.go.set()
    second.join(10)
    assert second_told[0].output == b"x" and not second_told[0].stopped


def test_one_who_waits_can_be_stopped_alone():
    slow = Slow()
    guest = SharedGuest(slow)
    first, first_told = started(guest)
    until(lambda: slow.runs == 1)
    stop = threading.Event()
    second, second_told = started(guest, stop=stop)
    stop.set()
    second.join(10)
    assert second_told[0].stopped
    slow.go.set()
    first.join(10)
    assert first_told[0].output == b"x"


def test_a_hundred_and_one_machines_are_too_many_for_one_call():
    with in_a_thread("fleet:250") as simulator:
        ids = [m.instance_id for m in simulator.cloud.machines(REGION)][:101]
        request = models.RunCommandRequest(
            region_id=REGION, type="RunShellScript", command_content="true", instance_id=ids
        )
        with pytest.raises(Exception, match="exceeds the limit 100"):
            client_of(simulator).run_command(request)
        assert simulator.counters()["runs"] == {}


@pytest.mark.usefixtures("sandbox_needed")
def test_a_few_machines_of_a_fleet_are_behind_and_a_few_broken():
    with in_a_thread("fleet:300") as simulator:
        client = client_of(simulator)
        ids = [m.instance_id for m in simulator.cloud.machines(REGION)][:100]
        invoke_id = run(client, ids, "cat /etc/app-release")
        until(lambda: all(r.over for r in simulator.cloud.runs.find(REGION, invoke_id).rows))
        said = Counter(
            (row.exit_code, row.output) for row in simulator.cloud.runs.find(REGION, invoke_id).rows
        )
    assert said[0, b"41.2\n"] > 95
    assert said[0, b"40.9\n"] == 2
