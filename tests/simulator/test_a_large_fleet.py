"""Ten thousand machines of a few images: one real run per distinct script answers for all."""

import base64
import time

import pytest
from alibabacloud_ecs20140526 import models

from simulator.scenarios.crowd import UNFIT
from tests.simulation import in_a_thread
from tests.simulator.conftest import REGION, client_of, run, settled


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
        systems = {machine.guest for machine in machines}
        invoke_id = run(client, [m.instance_id for m in machines], "cat /etc/os-release; exit 7")
        until(lambda: all(r.over for r in simulator.cloud.runs.find(REGION, invoke_id).rows))
        counted = simulator.counters()["scripts"]["linux"]
        assert counted == {"sandbox": len(systems), "shared": 100 - len(systems)}
        rows = settled(client, invoke_id)
        assert {(row.invocation_status, row.exit_code) for row in rows} == {("Failed", 7)}
        assert len({row.output for row in rows}) == 2
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
def test_a_known_few_of_three_hundred_differ_and_fail():
    with in_a_thread("fleet:300") as simulator:
        client, told = client_of(simulator), {}
        for region in ("cn-hangzhou", "ap-southeast-1"):
            ids = [m.instance_id for m in simulator.cloud.machines(region)]
            for part in (ids[:100], ids[100:]):
                invoke_id = run(client, part, "cat /etc/app-release", region_id=region)
                rows = simulator.cloud.runs.find(region, invoke_id).rows
                until(lambda rows=rows: all(row.over for row in rows))
                told |= {row.machine.name: (row.status, row.output) for row in rows}
        odd = {name for name, (status, said) in told.items() if b"40.9" in said}
        failed = {name for name, (status, said) in told.items() if status == "Failed"}
        assert {name[-3:] for name in odd} == {"042", "142", "242"}
        assert {name[-3:] for name in failed} == {"077", "227"}
        assert len({said for status, said in told.values() if status == "Success"}) == 2


@pytest.mark.usefixtures("sandbox_needed")
def test_each_machine_answers_with_its_own_name_and_boot():
    with in_a_thread("fleet:40") as simulator:
        machines = simulator.cloud.machines(REGION)
        script = "hostname; cat /etc/hostname /proc/sys/kernel/random/boot_id"
        invoke_id = run(client_of(simulator), [m.instance_id for m in machines], script)
        rows = settled(client_of(simulator), invoke_id)
        told = {row.instance_id: base64.b64decode(row.output).decode() for row in rows}
        own = {m.instance_id: f"{m.name}\n{m.name}\n{m.boot.boot_id}\n" for m in machines}
        assert told == own
        assert len({m.boot.boot_id for m in machines}) == 20


@pytest.mark.usefixtures("sandbox_needed")
def test_a_script_takes_its_time_on_each_machine_from_its_own_delivery():
    with in_a_thread("fleet:8") as simulator:
        client = client_of(simulator)
        alike = [m.instance_id for m in simulator.cloud.machines(REGION)[::2]]
        runs = []
        for machine in alike:
            runs.append(run(client, [machine], "sleep 0.4"))
            time.sleep(0.2)
        for invoke_id in runs:
            settled(client, invoke_id)
            [row] = simulator.cloud.runs.find(REGION, invoke_id).rows
            assert (row.finished_at - row.started_at).total_seconds() >= 0.4
        assert simulator.counters()["scripts"]["linux"] == {"sandbox": 1, "shared": 1}


def test_a_mixed_fleet_has_machines_that_cannot_run_scripts():
    with in_a_thread("fleet:100:mixed") as simulator:
        client, told = client_of(simulator), {}
        for region in ("cn-hangzhou", "ap-southeast-1"):
            unfit = [m for m in simulator.cloud.machines(region) if int(m.name[-5:]) % 50 in UNFIT]
            names = {m.instance_id: UNFIT[int(m.name[-5:]) % 50] for m in unfit}
            invoke_id = run(client, list(names), "true", region_id=region, repeat_mode="DryRun")
            for row in settled(client, invoke_id, region_id=region):
                told.setdefault(names[row.instance_id], set()).add(row.error_code)
        assert told == {
            "old_agent": {""},
            "silent_agent": {"ClientNotResponse"},
            "no_agent": {"ClientNotRunning"},
            "stopped": {"InstanceNotRunning"},
            "windows": {"CommandNotApplicable"},
            "classic_network": {"ClientNetworkBlocked"},
        }
