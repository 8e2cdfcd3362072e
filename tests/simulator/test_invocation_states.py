"""How rows go from Pending to their end, and what both views say meanwhile."""

import base64
import time

import pytest
from alibabacloud_ecs20140526 import models
from Tea.exceptions import TeaException

from simulator.invocations import Invocation, Order, Row
from simulator.outputs import clipped
from tests.simulator.conftest import (
    REGION,
    every_instance,
    healthy,
    results,
    run,
    settled,
)


def overview(client, invoke_id, **more):
    request = models.DescribeInvocationsRequest(region_id=REGION, invoke_id=invoke_id, **more)
    return client.describe_invocations(request).body.invocations.invocation


def stop(client, invoke_id, ids=None):
    request = models.StopInvocationRequest(region_id=REGION, invoke_id=invoke_id, instance_id=ids)
    return client.stop_invocation(request)


def until(question, patience=20.0):
    ends = time.monotonic() + patience
    while not question():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.02)


@pytest.mark.usefixtures("sandbox_needed")
def test_a_running_row_is_stopped_and_keeps_what_it_said(client, simulator):
    machine = healthy(client)[0].instance_id
    invoke_id = run(client, [machine], "echo begun; touch /root/begun; sleep 30; echo never")
    guest = simulator.cloud.machine(REGION, machine).guest
    until(lambda: guest.root and (guest.root / "root/begun").exists())
    stop(client, invoke_id)
    assert results(client, invoke_id)[0].invocation_status in ("Stopping", "Terminated")
    [row] = settled(client, invoke_id)
    assert (row.invocation_status, row.invoke_record_status) == ("Terminated", "Stopped")
    assert row.exit_code is None and row.stop_time
    assert base64.b64decode(row.output) == b"begun\n"
    [whole] = overview(client, invoke_id)
    assert (whole.invocation_status, whole.invoke_status) == ("Stopped", "Stopped")


def test_a_row_that_never_started_is_cancelled(client, simulator):
    machine = healthy(client)[0].instance_id
    before = simulator.counters()["faults"].get("silent", 0)
    simulator.faults({"kind": "silent", "instance": machine})
    invoke_id = run(client, [machine], "true")
    until(lambda: simulator.counters()["faults"].get("silent", 0) > before)
    stop(client, invoke_id, [machine])
    [row] = results(client, invoke_id)
    assert (row.invocation_status, row.start_time) == ("Cancelled", "")


def test_stopping_what_is_over_changes_nothing(client):
    machine = healthy(client)[0].instance_id
    invoke_id = run(client, [machine], "exit 4")
    [before] = settled(client, invoke_id)
    stop(client, invoke_id)
    [after] = results(client, invoke_id)
    assert after.to_map() == before.to_map()


def test_only_machines_of_the_run_can_be_stopped(client):
    one, other = (m.instance_id for m in healthy(client)[:2])
    invoke_id = run(client, [one], "true")
    with pytest.raises(TeaException) as refusal:
        stop(client, invoke_id, [other])
    assert refusal.value.code == "InvalidInstanceId.NotFound"
    settled(client, invoke_id)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"status": "Stopped"}, "Aborted", "InstanceNotRunning"),
        ({"agent": "stopped", "for_seconds": 600}, "Aborted", "ClientNotRunning"),
        ({"agent": "silent"}, "Aborted", "ClientNotResponse"),
    ],
)
def test_a_machine_that_cannot_be_reached_has_its_row_and_reason(
    client, simulator, change, status, code
):
    machine = healthy(client)[0].instance_id
    simulator.change(machine, **change)
    [row] = settled(client, run(client, [machine], "true"))
    assert (row.invocation_status, row.error_code) == (status, code)
    assert row.error_info and row.exit_code is None and row.output == ""
    assert (row.invoke_record_status, row.start_time) == ("Failed", "")


def test_the_wrong_kind_of_script_is_invalid(client):
    machine = healthy(client)[0].instance_id
    invoke_id = run(client, [machine], "Get-Date", type="RunPowerShellScript")
    [row] = settled(client, invoke_id)
    assert (row.invocation_status, row.error_code) == ("Invalid", "CommandNotApplicable")


@pytest.mark.usefixtures("sandbox_needed")
def test_parameters_take_their_values_for_each_machine(client):
    machines = healthy(client)[:2]
    script = "echo {{ greeting }} {{ACS::InstanceId}} {{acs::RegionId}}"
    invoke_id = run(
        client,
        [m.instance_id for m in machines],
        script,
        enable_parameter=True,
        parameters={"Greeting": "hello"},
    )
    told = {r.instance_id: base64.b64decode(r.output) for r in settled(client, invoke_id)}
    assert told == {m.instance_id: f"hello {m.instance_id} {REGION}\n".encode() for m in machines}


@pytest.mark.usefixtures("sandbox_needed")
def test_braces_stay_when_parameters_are_off(client):
    [row] = settled(client, run(client, [healthy(client)[0].instance_id], "echo '{{x}}'"))
    assert base64.b64decode(row.output) == b"{{x}}\n"


@pytest.mark.usefixtures("sandbox_needed")
def test_base64_content_and_plain_answers(client):
    machine = healthy(client)[0].instance_id
    content = base64.b64encode("echo 中文".encode()).decode()
    invoke_id = run(client, [machine], content, content_encoding="BASE64")
    settled(client, invoke_id)
    [row] = results(client, invoke_id, content_encoding="PlainText")
    assert row.output == "中文\n"
    [whole] = overview(client, invoke_id)
    assert base64.b64decode(whole.command_content).decode() == "echo 中文"
    assert whole.invoke_instances.invoke_instance[0].output == ""


def test_a_rehearsal_runs_nothing(client, simulator):
    machine = healthy(client)[0].instance_id
    before = simulator.counters()["runs"].get(machine, 0)
    [row] = settled(client, run(client, [machine], "touch /x", repeat_mode="DryRun"))
    assert row.invocation_status == "Success"
    assert simulator.counters()["runs"].get(machine, 0) == before


def test_an_unknown_run_is_an_empty_list(client):
    assert results(client, "t-none") == []
    assert overview(client, "t-none") == []


def test_a_run_is_known_only_in_its_region(client):
    invoke_id = run(client, [healthy(client)[0].instance_id], "true")
    settled(client, invoke_id)
    assert results(client, invoke_id, region_id="ap-southeast-1") == []


def test_runs_are_found_by_machine_name_and_status(client):
    one, other = (m.instance_id for m in healthy(client)[:2])
    invoke_id = run(client, [one, other], "exit 1", name="nightly-check")
    settled(client, invoke_id)

    def found(**asked):
        request = models.DescribeInvocationsRequest(region_id=REGION, max_results=50, **asked)
        rows = client.describe_invocations(request).body.invocations.invocation
        return {row.invoke_id: row for row in rows}

    assert invoke_id in found(command_name="nightly-*")
    assert invoke_id in found(invoke_status="Failed") or invoke_id in found(
        invoke_status="Finished"
    )
    assert invoke_id not in found(invoke_status="Running")
    only = found(instance_id=one, include_output=True)[invoke_id]
    assert [row.instance_id for row in only.invoke_instances.invoke_instance] == [one]


def test_the_agent_counts_its_work(client, simulator):
    machine = healthy(client)[0].instance_id

    def agent():
        request = models.DescribeCloudAssistantStatusRequest(
            region_id=REGION, instance_id=[machine]
        )
        body = client.describe_cloud_assistant_status(request).body
        return body.instance_cloud_assistant_status_set.instance_cloud_assistant_status[0]

    before = agent()
    simulator.faults({"kind": "silent", "instance": machine, "seconds": 0.2})
    invoke_id = run(client, [machine], "true")
    assert agent().active_task_count == before.active_task_count + 1
    settled(client, invoke_id)
    assert agent().active_task_count == before.active_task_count
    assert agent().invocation_count == before.invocation_count + 1
    assert agent().last_invoked_time


@pytest.mark.parametrize(
    ("statuses", "overall", "old"),
    [
        (["Success", "Pending"], "Pending", "Running"),
        (["Success", "Running"], "Running", "Running"),
        (["Success", "Stopping"], "Stopping", "Stopping"),
        (["Cancelled", "Terminated"], "Stopped", "Stopped"),
        (["Success", "Success"], "Success", "Finished"),
        (["Success", "Cancelled"], "Success", "Finished"),
        (["Failed", "Timeout"], "Failed", "PartialFailed"),
        (["Timeout", "Cancelled"], "Failed", "Failed"),
        (["Success", "Aborted"], "PartialFailed", "PartialFailed"),
    ],
)
def test_the_whole_follows_from_its_rows(simulator, statuses, overall, old):
    machine, now = simulator.cloud.world.machines[0], simulator.cloud.clock()
    rows = [Row(machine, "", now, status=status) for status in statuses]
    invocation = Invocation("t", "c", REGION, Order("RunShellScript", ""), now, rows)
    assert (invocation.status, invocation.old_status) == (overall, old)


@pytest.mark.parametrize("size", [0, 1, 24_575, 24_576, 24_577, 100_000])
def test_output_is_cut_in_the_middle(size):
    output = bytes(n % 251 for n in range(size))
    kept, dropped = clipped(output)
    assert len(kept) + dropped == size
    assert len(kept) <= 24_576
    assert output.startswith(kept[:6_000])
    assert output.endswith(kept[-18_576:])


def test_instances_list_is_taken_as_python_prints_it(client):
    ids = [m.instance_id for m in every_instance(client)[:3]]
    request = models.DescribeInstancesRequest(region_id=REGION, instance_ids=str(ids))
    rows = client.describe_instances(request).body.instances.instance
    assert [row.instance_id for row in rows] == ids
