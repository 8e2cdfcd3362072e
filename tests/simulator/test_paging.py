"""Both ways to page reach every row once; a NextToken belongs to its query."""

import pytest
from alibabacloud_ecs20140526 import models

from tests.simulation import KEY_WITHOUT_RUNS, in_a_thread
from tests.simulator.conftest import REGION, client_of
from tests.simulator.wires import ask


@pytest.fixture(scope="module")
def fleet():
    with in_a_thread("fleet:250") as simulator:
        yield simulator


@pytest.fixture
def here(fleet):
    return [machine.instance_id for machine in fleet.cloud.machines(REGION)]


def every_page(call, request, rows_of):
    """The rows of all pages by NextToken, and how many pages there were."""
    rows, pages = [], 0
    while True:
        body = call(request).body
        rows += rows_of(body)
        pages += 1
        request.next_token = body.next_token
        if not body.next_token:
            return rows, pages


@pytest.mark.parametrize(("asked", "size"), [(1, 10), (10, 10), (50, 50), (100, 100), (999, 100)])
def test_instances_come_once_each_and_odd_sizes_are_clamped(fleet, here, asked, size):
    client = client_of(fleet)
    request = models.DescribeInstancesRequest(region_id=REGION, max_results=asked)
    rows, pages = every_page(client.describe_instances, request, lambda b: b.instances.instance)
    assert [row.instance_id for row in rows] == here
    assert pages == -(-len(here) // size)


def test_agents_are_paged_by_fifty(fleet, here):
    client = client_of(fleet)
    request = models.DescribeCloudAssistantStatusRequest(region_id=REGION, max_results=50)
    rows, pages = every_page(
        client.describe_cloud_assistant_status,
        request,
        lambda b: b.instance_cloud_assistant_status_set.instance_cloud_assistant_status,
    )
    assert [row.instance_id for row in rows] == here
    assert pages == 3


def test_page_numbers_reach_every_row_too(fleet, here):
    client = client_of(fleet)
    rows = []
    for number in (1, 2, 3):
        request = models.DescribeInstancesRequest(
            region_id=REGION, page_number=number, page_size=50
        )
        body = client.describe_instances(request).body
        assert (body.page_number, body.page_size, body.total_count) == (number, 50, len(here))
        rows += body.instances.instance
    assert [row.instance_id for row in rows] == here


def test_ten_rows_come_when_nothing_is_said_about_pages(fleet):
    client = client_of(fleet)
    body = client.describe_instances(models.DescribeInstancesRequest(region_id=REGION)).body
    assert len(body.instances.instance) == 10
    assert body.next_token


def test_a_run_on_a_hundred_machines_takes_two_pages_of_results(fleet, here):
    client = client_of(fleet)
    request = models.RunCommandRequest(
        region_id=REGION,
        type="RunShellScript",
        command_content="true",
        instance_id=here[:100],
        repeat_mode="DryRun",
    )
    invoke_id = client.run_command(request).body.invoke_id
    seen, token = [], None
    for rows_expected in (50, 50):
        asked = models.DescribeInvocationResultsRequest(
            region_id=REGION, invoke_id=invoke_id, max_results=50, next_token=token
        )
        invocation = client.describe_invocation_results(asked).body.invocation
        rows, token = invocation.invocation_results.invocation_result, invocation.next_token
        assert len(rows) == rows_expected
        seen += [row.instance_id for row in rows]
    assert not token
    assert seen == here[:100]


def test_a_token_belongs_to_its_query_and_its_identity(fleet):
    first = ask(fleet, "DescribeInstances", RegionId=REGION, MaxResults="10")
    token = first.body["NextToken"]
    again = {"RegionId": REGION, "MaxResults": "20", "NextToken": token}
    assert ask(fleet, "DescribeInstances", **again).status == 200
    for wrong in (
        again | {"Status": "Running"},
        again | {"RegionId": "ap-southeast-1"},
        again | {"NextToken": token[:-1] + ("A" if token[-1] != "A" else "B")},
        again | {"NextToken": "garbage"},
        again | {"NextToken": "é"},
    ):
        told = ask(fleet, "DescribeInstances", **wrong)
        assert (told.status, told.code) == (400, "InvalidParameter.NextToken"), wrong
    assert ask(fleet, "DescribeInstances", KEY_WITHOUT_RUNS, **again).status == 400
    assert ask(fleet, "DescribeCloudAssistantStatus", **again).status == 400


def test_rows_that_vanish_between_two_pages_lose_no_other_row(fleet, here):
    client = client_of(fleet)
    request = models.DescribeInstancesRequest(region_id=REGION, max_results=50)
    body = client.describe_instances(request).body
    fleet.change(here[3], released=True)
    request.next_token = body.next_token
    rows = client.describe_instances(request).body.instances.instance
    fleet.restore()
    assert rows[0].instance_id == here[50]
