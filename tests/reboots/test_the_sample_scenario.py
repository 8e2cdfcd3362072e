"""Three instances: say helloworld, reboot, wait until they are back."""

import time

import pytest
from alibabacloud_ecs20140526 import models

from commands.models import Target
from tests.reboots.driving import a_script, approved, asked, outcomes, over
from tests.simulator.conftest import REGION, client_of, run, settled

pytestmark = pytest.mark.usefixtures("sandbox_needed")


def test_as_one_request_all_three_are_proven_to_be_back(fleet):
    rows = fleet.rows[:3]
    batch = over(approved(asked(rows, pre_script=a_script("echo helloworld"))))
    assert outcomes(batch) == ["proven"] * 3
    for item in batch.items.all():
        said = Target.objects.get(pk=item.pre_target_id)
        assert said.output.body() == b"helloworld\n"
    assert [fleet.counted("reboots", row) for row in rows] == [1, 1, 1]
    assert {fleet.machine(row).status for row in rows} == {"Running"}


def test_by_the_calls_of_the_sdk_as_the_sample_sends_them(fleet):
    client = client_of(fleet.simulator)
    rows = [row for row in fleet.rows if row.region == REGION][:3]
    ids = [row.instance_id for row in rows]
    boots = {fleet.machine(row).boot.boot_id for row in rows}
    said = settled(client, run(client, ids, "echo helloworld"))
    assert [row.invocation_status for row in said] == ["Success"] * 3

    client.reboot_instances(
        models.RebootInstancesRequest(region_id=REGION, instance_id=ids, force_reboot=False)
    )
    give_up = time.monotonic() + 10
    while statuses(client, ids) != {"Running"} or boots & {
        fleet.machine(row).boot.boot_id for row in rows
    }:
        assert time.monotonic() < give_up
        time.sleep(0.02)
    assert [fleet.counted("reboots", row) for row in rows] == [1, 1, 1]


def statuses(client, ids: list[str]) -> set[str]:
    """The ids as Python prints a list, in single quotes."""
    asked_for = models.DescribeInstancesRequest(region_id=REGION, instance_ids=str(ids))
    return {row.status for row in client.describe_instances(asked_for).body.instances.instance}
