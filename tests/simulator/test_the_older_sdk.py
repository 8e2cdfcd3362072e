"""The flow of ECS's older documentation, with the SDK of its time: create, invoke, follow, read.

That SDK signs by RPC version 1 (HMAC-SHA1) and sends `Timed` and `Frequency` as text.
"""

import base64
import json
import time

import pytest
from alibabacloud_ecs20140526 import models
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.profile import region_provider
from aliyunsdkecs.request.v20140526.CreateCommandRequest import CreateCommandRequest
from aliyunsdkecs.request.v20140526.DescribeInvocationResultsRequest import (
    DescribeInvocationResultsRequest,
)
from aliyunsdkecs.request.v20140526.DescribeInvocationsRequest import DescribeInvocationsRequest
from aliyunsdkecs.request.v20140526.InvokeCommandRequest import InvokeCommandRequest

from tests.simulation import KEY
from tests.simulator.conftest import REGION, healthy

pytestmark = pytest.mark.usefixtures("sandbox_needed")


@pytest.fixture
def older(simulator) -> AcsClient:
    address = simulator.endpoint.removeprefix("http://")
    region_provider.modify_point("Ecs", REGION, address)
    return AcsClient(*KEY, REGION)


def send(client: AcsClient, request) -> dict:
    request.set_accept_format("json")
    request.set_protocol_type("http")
    return json.loads(client.do_action_with_exception(request))


def create_command(client, content: bytes, kind: str, name: str, description: str) -> str:
    request = CreateCommandRequest()
    request.set_CommandContent(content)
    request.set_Type(kind)
    request.set_Name(name)
    request.set_Description(description)
    return send(client, request)["CommandId"]


def invoke_command(client, instance_id: str, command_id: str, timed: str, cronat: str) -> str:
    request = InvokeCommandRequest()
    request.set_Timed(timed)
    request.set_InstanceIds([instance_id])
    request.set_CommandId(command_id)
    request.set_Frequency(cronat)
    return send(client, request)["InvokeId"]


def output_of(client, instance_id: str, invoke_id: str) -> bytes:
    request = DescribeInvocationResultsRequest()
    request.set_InstanceId(instance_id)
    request.set_InvokeId(invoke_id)
    (row,) = send(client, request)["Invocation"]["InvocationResults"]["InvocationResult"]
    return base64.b64decode(row["Output"])


def status_of(client, instance_id: str, invoke_id: str) -> str:
    request = DescribeInvocationsRequest()
    request.set_InstanceId(instance_id)
    request.set_InvokeId(invoke_id)
    (run,) = send(client, request)["Invocations"]["Invocation"]
    return run["InvokeStatus"]


def test_create_invoke_follow_and_read(client, older):
    machine = healthy(client)[0].instance_id
    content = base64.b64encode(b"echo 123")
    command_id = create_command(older, content, "RunShellScript", "test", "test")

    invoke_id = invoke_command(older, machine, command_id, "false", "")

    for _look in range(100):
        if status_of(older, machine, invoke_id) == "Finished":
            break
        time.sleep(0.1)
    assert output_of(older, machine, invoke_id) == b"123\n"


def test_a_timed_run_is_kept_until_it_is_stopped(client, older):
    machine = healthy(client)[0].instance_id
    content = base64.b64encode(b"echo 123")
    command_id = create_command(older, content, "RunShellScript", "test", "test")

    invoke_id = invoke_command(older, machine, command_id, "true", "0 */20 * * * *")

    assert status_of(older, machine, invoke_id) == "Running"
    client.stop_invocation(models.StopInvocationRequest(region_id=REGION, invoke_id=invoke_id))
    assert status_of(older, machine, invoke_id) == "Stopped"
