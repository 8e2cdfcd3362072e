"""The real SDK, pointed at the simulator."""

import time
from collections.abc import Callable

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config

from tests.simulation import Simulator

REGION = "cn-hangzhou"
TERMINAL = {"Success", "Failed", "Error", "Timeout", "Invalid", "Aborted"} | {
    "Cancelled",
    "Terminated",
}


def client_of(simulator: Simulator, key: tuple[str, str] | None = None, **options) -> Client:
    key = key or simulator.access_key
    return Client(
        Config(
            access_key_id=key[0],
            access_key_secret=key[1],
            endpoint=simulator.host,
            protocol="http",
            region_id=REGION,
            **options,
        )
    )


@pytest.fixture
def sdk(simulator: Simulator) -> Callable[..., Client]:
    """`sdk()` or `sdk(key)`: a real client for this test's simulator."""
    return lambda key=None: client_of(simulator, key)


@pytest.fixture
def client(sdk: Callable[..., Client]) -> Client:
    return sdk()


def every_instance(client: Client, region: str = REGION) -> list:
    request = models.DescribeInstancesRequest(region_id=region, max_results=100)
    return client.describe_instances(request).body.instances.instance


def healthy(client: Client, region: str = REGION) -> list:
    """The running Linux machines whose agent is alive."""
    running = {
        i.instance_id: i
        for i in every_instance(client, region)
        if i.ostype == "linux" and i.status == "Running"
    }
    request = models.DescribeCloudAssistantStatusRequest(
        region_id=region, instance_id=list(running)
    )
    agents = client.describe_cloud_assistant_status(request).body
    rows = agents.instance_cloud_assistant_status_set.instance_cloud_assistant_status
    return [running[row.instance_id] for row in rows if row.cloud_assistant_status == "true"]


def run(client: Client, ids: list[str], script: str, **more) -> str:
    """The InvokeId of a shell script on these machines."""
    more = {"type": "RunShellScript", "region_id": REGION} | more
    request = models.RunCommandRequest(command_content=script, instance_id=ids, **more)
    return client.run_command(request).body.invoke_id


def results(client: Client, invoke_id: str, **more) -> list:
    more = {"region_id": REGION, "max_results": 50} | more
    request = models.DescribeInvocationResultsRequest(invoke_id=invoke_id, **more)
    body = client.describe_invocation_results(request).body
    return body.invocation.invocation_results.invocation_result


def settled(client: Client, invoke_id: str, patience: float = 30, **more) -> list:
    """The rows of a run when all of them (at most 50) are over."""
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        rows = results(client, invoke_id, **more)
        if rows and all(row.invocation_status in TERMINAL for row in rows):
            return rows
        time.sleep(0.02)
    raise AssertionError(f"{invoke_id} did not end: {[row.invocation_status for row in rows]}")
