"""The sample of ECS's own documentation runs here, its functions word for word."""

import base64
import logging
import sys
import time

import pytest
from alibabacloud_ecs20140526.client import Client as Ecs20140526Client
from alibabacloud_ecs20140526.models import (
    DescribeInstancesRequest,
    DescribeInvocationResultsRequest,
    RunCommandRequest,
)
from alibabacloud_tea_openapi.models import Config

from tests.simulator.conftest import healthy

logger = logging.getLogger()
region_id = "cn-hangzhou"
client: Ecs20140526Client

# The functions below are the user's text: nothing in them is ours to tidy.
# fmt: off
# ruff: noqa: E501, UP031, UP036, C403, C405, C408, B007, F841


def base64_decode(content, code='utf-8'):
    if sys.version_info.major == 2:
        return base64.b64decode(content)
    else:
        return base64.b64decode(content).decode(code)


def get_invoke_result(invoke_id):
    request = DescribeInvocationResultsRequest(
        region_id=region_id,
        invoke_id=invoke_id
    )
    response = client.describe_invocation_results(request)
    response_details = response.body.invocation.invocation_results.invocation_result
    dict_res = {detail.instance_id: {"status": detail.invocation_status,
                                     "output": base64_decode(detail.output)} for detail in
                response_details}
    return dict_res


def get_instances_status(instance_ids):
    request = DescribeInstancesRequest(
        region_id=region_id,
        instance_ids=str(instance_ids)
    )
    response = client.describe_instances(request)
    response_details = response.body.instances.instance
    dict_res = {detail.instance_id: {"status": detail.status} for detail in response_details}
    return dict_res


def run_command(cmdtype, cmdcontent, instance_ids, timeout=60):
    """
    cmdtype: The command type. Valid values: RunBatScript, RunPowerShellScript, and RunShellScript.
    cmdcontent: The content of the command.
    instance_ids: A list of instance IDs.
    """
    try:
        request = RunCommandRequest(
            region_id=region_id,
            type=cmdtype,
            command_content=cmdcontent,
            instance_id=instance_ids,
            timeout=timeout  # The command execution timeout period in seconds. The default value is 60. Set an appropriate timeout period based on the command to be executed.
        )
        response = client.run_command(request)
        return response.body.invoke_id
    except Exception as e:
        logger.error("run command failed", exc_info=True)


def wait_invoke_finished_get_out(invoke_id, wait_count, wait_interval):
    for i in range(wait_count):
        result = get_invoke_result(invoke_id)
        if set([res['status'] for _, res in result.items()]) & set(["Running", "Pending", "Stopping"]):
            time.sleep(wait_interval)
        else:
            return result
    return result


def wait_instance_reboot_ready(ins_ids, wait_count, wait_interval):
    for i in range(wait_count):
        result = get_instances_status(ins_ids)
        if set([res['status'] for _, res in result.items()]) != set(["Running"]):
            time.sleep(wait_interval)
        else:
            return result
    return result


# fmt: on


@pytest.fixture(autouse=True)
def ids(simulator):
    """The sample's Config, but for the endpoint; and three machines."""
    global client
    access_key, access_key_secret = simulator.access_key
    ecs_config = Config(
        access_key_id=access_key,
        access_key_secret=access_key_secret,
        endpoint=simulator.host,
        protocol="http",
    )
    client = Ecs20140526Client(ecs_config)
    return [machine.instance_id for machine in healthy(client)[:3]]


@pytest.mark.usefixtures("sandbox_needed")
def test_its_script_says_hello_on_three_machines(ids):
    cmdtype = "RunShellScript"
    cmdcontent = """
          #!/bin/bash
          echo helloworld
          """
    invoke_id = run_command(cmdtype, cmdcontent, ids, 60)
    assert invoke_id is not None
    invoke_result = wait_invoke_finished_get_out(invoke_id, 200, 0.05)
    assert invoke_result == {
        machine: {"status": "Success", "output": "helloworld\n"} for machine in ids
    }


def test_its_polling_waits_while_a_script_is_on_its_way(ids, simulator):
    simulator.faults({"kind": "silent", "instance": ids[0], "seconds": 0.5})
    invoke_id = run_command("RunShellScript", "echo helloworld", ids)
    first = get_invoke_result(invoke_id)
    assert first[ids[0]] == {"status": "Pending", "output": ""}
    result = wait_invoke_finished_get_out(invoke_id, 200, 0.05)
    assert result[ids[0]] == {"status": "Aborted", "output": ""}


def test_its_status_question_with_a_python_list_is_understood(ids, simulator):
    assert wait_instance_reboot_ready(ids, 1, 0) == {i: {"status": "Running"} for i in ids}
    simulator.change(ids[1], status="Starting")
    assert get_instances_status(ids)[ids[1]] == {"status": "Starting"}


def test_its_failed_run_gives_none(ids, caplog):
    assert run_command("RunShellScript", "true", ["i-bp185fcs****"]) is None
    assert "InvalidInstance.NotFound" in caplog.text
