"""Every served operation, called by the real SDK, answers in the exact nesting."""

import base64
import json
import time
from pathlib import Path

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526 import models as m

from simulator.actions import OPERATIONS
from tests.simulator.conftest import REGION, healthy, run, settled
from tests.simulator.wires import ask

# What the SDK's response models say of each body: generated facts, one tree an operation.
NESTING = json.loads(Path(__file__).with_name("nesting.json").read_text())
TYPES = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def faults_of(value, shape, path=""):
    """Everything in a wire body that does not fit its shape."""
    if isinstance(shape, dict):
        yield from _faults_of_object(value, shape, path)
    elif isinstance(shape, list) or shape == "List[str]":
        inner = shape[0] if isinstance(shape, list) else "str"
        if not isinstance(value, list):
            yield f"{path}: a list is needed, not {value!r}"
            return
        for number, row in enumerate(value):
            yield from faults_of(row, inner, f"{path}[{number}]")
    elif not isinstance(value, TYPES[shape]) or (shape == "int" and isinstance(value, bool)):
        yield f"{path}: {shape} is needed, not {value!r}"


def _faults_of_object(value, shape, path):
    if not isinstance(value, dict):
        yield f"{path}: an object is needed, not {value!r}"
        return
    for name in value.keys() - shape.keys():
        yield f"{path}.{name}: unknown to the SDK"
    for name, inner in shape.items():
        if name in value:
            yield from faults_of(value[name], inner, f"{path}.{name}")
        elif _holds_a_list(inner):
            yield f"{path}.{name}: missing, and it holds a list"


def _holds_a_list(shape):
    if isinstance(shape, dict):
        return any(isinstance(v, list) or v == "List[str]" for v in shape.values())
    return isinstance(shape, list) or shape == "List[str]"


def own_command(client) -> str:
    listed = client.describe_commands(
        models.DescribeCommandsRequest(region_id=REGION, max_results=50)
    )
    return listed.body.commands.command[0].command_id


# Power operations, in an order that leaves the machine running, and the status each needs.
POWER = {
    "RebootInstance": "Running",
    "RebootInstances": "Running",
    "StopInstance": "Running",
    "StartInstance": "Stopped",
    "StopInstances": "Running",
    "StartInstances": "Stopped",
}


def wait_for(simulator, machine, operation):
    """Until the machine is as this operation needs it."""
    cloud = simulator.cloud
    found = cloud.anywhere(machine)
    for _look in range(500):
        if found.status == POWER.get(operation, found.status) and not cloud.power.moving(found):
            return
        time.sleep(0.02)
    raise AssertionError(f"{machine} stays {found.status}")


@pytest.fixture(scope="module")
def calls():
    """How the SDK calls each operation, given a run and a machine."""
    return {
        "DescribeRegions": lambda c, i, r: c.describe_regions(m.DescribeRegionsRequest()),
        "DescribeInstances": lambda c, i, r: c.describe_instances(
            m.DescribeInstancesRequest(region_id=REGION, max_results=100)
        ),
        "DescribeInstanceHistoryEvents": lambda c, i, r: c.describe_instance_history_events(
            m.DescribeInstanceHistoryEventsRequest(region_id=REGION, max_results=100)
        ),
        "DescribeCloudAssistantStatus": lambda c, i, r: c.describe_cloud_assistant_status(
            m.DescribeCloudAssistantStatusRequest(region_id=REGION, instance_id=[i])
        ),
        "RunCommand": lambda c, i, r: c.run_command(
            m.RunCommandRequest(
                region_id=REGION, type="RunShellScript", command_content="id", instance_id=[i]
            )
        ),
        "CreateCommand": lambda c, i, r: c.create_command(
            m.CreateCommandRequest(
                region_id=REGION,
                name="contract",
                type="RunShellScript",
                command_content=base64.b64encode(b"echo {{word}}").decode(),
                enable_parameter=True,
            )
        ),
        "DescribeCommands": lambda c, i, r: c.describe_commands(
            m.DescribeCommandsRequest(region_id=REGION, max_results=50)
        ),
        "ModifyCommand": lambda c, i, r: c.modify_command(
            m.ModifyCommandRequest(region_id=REGION, command_id=own_command(c), name="renamed")
        ),
        "InvokeCommand": lambda c, i, r: c.invoke_command(
            m.InvokeCommandRequest(
                region_id=REGION,
                command_id=own_command(c),
                instance_id=[i],
                parameters={"word": "hi"},
            )
        ),
        "DeleteCommand": lambda c, i, r: c.delete_command(
            m.DeleteCommandRequest(region_id=REGION, command_id=own_command(c))
        ),
        "InstallCloudAssistant": lambda c, i, r: c.install_cloud_assistant(
            m.InstallCloudAssistantRequest(region_id=REGION, instance_id=[i])
        ),
        "DescribeAccountAttributes": lambda c, i, r: c.describe_account_attributes(
            m.DescribeAccountAttributesRequest(region_id=REGION)
        ),
        "StopInvocation": lambda c, i, r: c.stop_invocation(
            m.StopInvocationRequest(region_id=REGION, invoke_id=r)
        ),
        "DescribeInvocations": lambda c, i, r: c.describe_invocations(
            m.DescribeInvocationsRequest(region_id=REGION, invoke_id=r, include_output=True)
        ),
        "DescribeInvocationResults": lambda c, i, r: c.describe_invocation_results(
            m.DescribeInvocationResultsRequest(region_id=REGION, invoke_id=r)
        ),
        "RebootInstance": lambda c, i, r: c.reboot_instance(m.RebootInstanceRequest(instance_id=i)),
        "RebootInstances": lambda c, i, r: c.reboot_instances(
            m.RebootInstancesRequest(region_id=REGION, instance_id=[i])
        ),
        "StopInstance": lambda c, i, r: c.stop_instance(m.StopInstanceRequest(instance_id=i)),
        "StartInstance": lambda c, i, r: c.start_instance(m.StartInstanceRequest(instance_id=i)),
        "StopInstances": lambda c, i, r: c.stop_instances(
            m.StopInstancesRequest(region_id=REGION, instance_id=[i])
        ),
        "StartInstances": lambda c, i, r: c.start_instances(
            m.StartInstancesRequest(region_id=REGION, instance_id=[i])
        ),
        "GetInstanceConsoleOutput": lambda c, i, r: c.get_instance_console_output(
            m.GetInstanceConsoleOutputRequest(region_id=REGION, instance_id=i)
        ),
        "GetInstanceScreenshot": lambda c, i, r: c.get_instance_screenshot(
            m.GetInstanceScreenshotRequest(region_id=REGION, instance_id=i)
        ),
    }


def test_every_served_operation_is_in_this_contract(calls):
    assert set(OPERATIONS) == set(NESTING) == set(calls)


@pytest.mark.usefixtures("sandbox_needed")
def test_each_operation_answers_the_sdk_in_the_exact_nesting(client, simulator, calls):
    machine = healthy(client)[1].instance_id
    tag = [models.RunCommandRequestTag(key="team", value="ops")]
    invoke_id = run(client, [machine], "echo out", tag=tag)
    settled(client, invoke_id)
    simulator.cloud.screenshots.clear()
    simulator.cloud.power.seconds = (0, 0.05)
    for operation, call in calls.items():
        wait_for(simulator, machine, operation)
        response = call(client, machine, invoke_id)
        assert response.status_code == 200
        assert response.body is not None, operation
        told = response.body.to_map()
        assert list(faults_of(told, NESTING[operation])) == [], operation
        assert told["RequestId"] == told["RequestId"].upper()
        assert len(told["RequestId"]) == 36


@pytest.mark.usefixtures("sandbox_needed")
def test_the_wire_holds_nothing_that_the_sdk_would_silently_ignore(client, simulator):
    machine = healthy(client)[2].instance_id
    invoke_id = run(client, [machine], "echo out")
    settled(client, invoke_id)
    simulator.cloud.screenshots.clear()
    questions = {
        "DescribeRegions": {},
        "DescribeInstances": {"MaxResults": "100"},
        "DescribeInstanceHistoryEvents": {"MaxResults": "100"},
        "DescribeCloudAssistantStatus": {"MaxResults": "50"},
        "RunCommand": {
            "Type": "RunShellScript",
            "CommandContent": "id",
            "InstanceId__1": machine,
        },
        "CreateCommand": {"Type": "RunShellScript", "CommandContent": "aWQ=", "Name": "wire"},
        "DescribeCommands": {"MaxResults": "50"},
        "ModifyCommand": {"CommandId": "own", "Name": "other"},
        "InvokeCommand": {"CommandId": "own", "InstanceId__1": machine},
        "DeleteCommand": {"CommandId": "own"},
        "InstallCloudAssistant": {"InstanceId__1": machine},
        "DescribeAccountAttributes": {},
        "StopInvocation": {"InvokeId": invoke_id},
        "DescribeInvocations": {"InvokeId": invoke_id, "IncludeOutput": "true"},
        "DescribeInvocationResults": {"InvokeId": invoke_id},
        **{one: {"InstanceId": machine} for one in POWER if one.endswith("e")},
        **{many: {"InstanceId__1": machine} for many in POWER if many.endswith("s")},
        "GetInstanceConsoleOutput": {"InstanceId": machine},
        "GetInstanceScreenshot": {"InstanceId": machine},
    }
    assert set(questions) == set(OPERATIONS)
    simulator.cloud.power.seconds = (0, 0.05)
    for operation in sorted(
        questions, key=lambda name: [*POWER].index(name) if name in POWER else -1
    ):
        params = questions[operation]
        wait_for(simulator, machine, operation)
        if params.get("CommandId"):
            params["CommandId"] = own_command(client)
        told = ask(simulator, operation, RegionId=REGION, **params)
        assert told.status == 200, told.raw
        assert told.headers["content-type"] == "application/json;charset=utf-8"
        assert list(faults_of(told.body, NESTING[operation])) == [], operation


def test_both_regions_of_the_demo_fit_the_contract(client):
    for region in ("cn-hangzhou", "ap-southeast-1"):
        asked = models.DescribeInstancesRequest(region_id=region, max_results=100)
        rows = client.describe_instances(asked).body.instances.instance
        assert rows
        for row in rows:
            assert row.region_id == region
            assert row.ostype in ("linux", "windows")
            assert row.vpc_attributes.private_ip_address.ip_address
            assert row.start_time.endswith("Z") and len(row.start_time) == 17  # no seconds


def test_the_console_is_base64_with_a_time_in_china(client, simulator):
    machine = healthy(client)[0].instance_id
    asked = models.GetInstanceConsoleOutputRequest(region_id=REGION, instance_id=machine)
    body = client.get_instance_console_output(asked).body
    assert b"Linux version" in base64.b64decode(body.console_output)
    updated = simulator.cloud.machine(REGION, machine).console(simulator.cloud.clock())[1]
    hour = (updated.hour + 8) % 24
    assert body.last_update_time[11:13] == f"{hour:02}"
    assert len(body.last_update_time) == len("2026-01-31 10:30:00")


def test_the_screenshot_is_a_jpeg_once_in_ten_seconds(client, simulator):
    simulator.cloud.screenshots.clear()
    machine = healthy(client)[0].instance_id
    asked = models.GetInstanceScreenshotRequest(region_id=REGION, instance_id=machine)
    image = base64.b64decode(client.get_instance_screenshot(asked).body.screenshot)
    assert image[:3] == b"\xff\xd8\xff"
    told = ask(simulator, "GetInstanceScreenshot", RegionId=REGION, InstanceId=machine)
    assert (told.status, told.code) == (429, "Throttling")


def test_a_windows_machine_has_no_console(client, simulator):
    windows = simulator.cloud.world.machines
    machine = next(m for m in windows if m.os_type == "windows" and m.status == "Running")
    told = ask(
        simulator,
        "GetInstanceConsoleOutput",
        RegionId=machine.region,
        InstanceId=machine.instance_id,
    )
    assert (told.status, told.code) == (405, "NotSupported")
