"""DescribeInstances narrows by every filter, all of them at once, and hides from strangers."""

import json

import pytest
from alibabacloud_ecs20140526 import models
from Tea.exceptions import TeaException

from tests.simulation import KEY_WITHOUT_RIGHTS, KEY_WITHOUT_RUNS
from tests.simulator.conftest import REGION, every_instance
from tests.simulator.wires import ask


def found(client, region=REGION, **asked):
    request = models.DescribeInstancesRequest(region_id=region, max_results=100, **asked)
    return client.describe_instances(request).body.instances.instance


def ids(rows):
    return {row.instance_id for row in rows}


def test_by_ids_addresses_and_name(client):
    machine = every_instance(client)[4]
    only = {machine.instance_id}
    address = machine.vpc_attributes.private_ip_address.ip_address[0]
    assert ids(found(client, instance_ids=json.dumps([machine.instance_id, "i-x"]))) == only
    assert ids(found(client, private_ip_addresses=json.dumps([address]))) == only
    assert ids(found(client, instance_name=machine.instance_name)) == only
    start = machine.instance_name.partition("-")[0]
    assert only <= ids(found(client, instance_name=f"{start}*"))
    assert found(client, instance_name=start) == []
    assert found(client, instance_ids="[]") == []
    assert found(client, instance_ids=json.dumps(["i-unknown"])) == []


def test_by_public_address_and_elastic_address(client, simulator):
    machine = simulator.cloud.machines(REGION)[0]
    kept = machine.public_ips, machine.eip
    machine.public_ips, machine.eip = ["203.0.113.77"], "203.0.113.78"
    try:
        only = {machine.instance_id}
        assert ids(found(client, public_ip_addresses='["203.0.113.77"]')) == only
        [row] = found(client, eip_addresses='["203.0.113.78"]')
        assert row.eip_address.ip_address == "203.0.113.78"
    finally:
        machine.public_ips, machine.eip = kept


def test_by_status_zone_and_tags_at_once(client, simulator):
    machine = every_instance(client)[0]
    simulator.change(machine.instance_id, status="Stopped")
    assert machine.instance_id in ids(found(client, status="Stopped"))
    assert machine.instance_id not in ids(found(client, status="Running"))
    assert found(client, status="Stopped", zone_id="cn-hangzhou-z") == []
    tag = machine.tags.tag[0]
    by_tag = models.DescribeInstancesRequestTag
    assert machine.instance_id in ids(found(client, tag=[by_tag(key=tag.tag_key)]))
    both = found(client, tag=[by_tag(key=tag.tag_key, value=tag.tag_value)], status="Stopped")
    assert machine.instance_id in ids(both)
    assert found(client, tag=[by_tag(key=tag.tag_key, value="no such value")]) == []


def test_by_time_of_creation(client):
    filtered = models.DescribeInstancesRequestFilter
    every = ids(every_instance(client))
    after = filtered(key="CreationStartTime", value="2000-01-01T00:00Z")
    before = filtered(key="CreationEndTime", value="2000-01-01T00:00Z")
    assert ids(found(client, filter=[after])) == every
    assert found(client, filter=[before]) == []


def test_released_machines_are_gone(client, simulator):
    machine = every_instance(client)[0].instance_id
    simulator.change(machine, released=True)
    assert machine not in ids(every_instance(client))
    told = ask(simulator, "DescribeCloudAssistantStatus", RegionId=REGION, InstanceId__1=machine)
    assert told.code == "InvalidInstance.NotFound"
    simulator.restore()
    assert machine in ids(every_instance(client))


def test_an_identity_without_rights_sees_an_empty_list(sdk, simulator):
    stranger = sdk(KEY_WITHOUT_RIGHTS)
    assert every_instance(stranger) == []
    assert stranger.describe_regions(models.DescribeRegionsRequest()).body.regions.region
    with pytest.raises(TeaException) as refusal:
        found(stranger, dry_run=True)
    assert refusal.value.code == "Forbidden.RAM"


def test_other_calls_name_the_missing_right(sdk, simulator):
    observer = sdk(KEY_WITHOUT_RUNS)
    machine = every_instance(observer)[0].instance_id
    before = simulator.counters()["runs"]
    with pytest.raises(TeaException) as refusal:
        observer.run_command(
            models.RunCommandRequest(
                region_id=REGION,
                type="RunShellScript",
                command_content="true",
                instance_id=[machine],
            )
        )
    assert (refusal.value.code, refusal.value.status_code) == ("Forbidden.RAM", 403)
    assert refusal.value.access_denied_detail["AuthAction"] == "ecs:RunCommand"
    assert simulator.counters()["runs"] == before
