"""The switchboard changes machines as the world could, takes it back, and names what is wrong."""

from datetime import timedelta

import pytest
from alibabacloud_ecs20140526 import models

from tests.simulator.conftest import REGION, every_instance, healthy
from tests.simulator.wires import send, signed


def agent(client, machine):
    request = models.DescribeCloudAssistantStatusRequest(region_id=REGION, instance_id=[machine])
    body = client.describe_cloud_assistant_status(request).body
    return body.instance_cloud_assistant_status_set.instance_cloud_assistant_status[0]


def test_an_agent_can_be_stopped_or_silent_for_a_while(client, simulator):
    machine = healthy(client)[0].instance_id
    simulator.change(machine, agent="stopped", for_seconds=600)
    assert agent(client, machine).cloud_assistant_status == "false"
    simulator.change(machine, agent="silent", for_seconds=600)
    told = agent(client, machine)
    assert told.cloud_assistant_status == "true"  # so says ECS; the heartbeat knows better
    stale = simulator.cloud.clock() - timedelta(seconds=600)
    assert told.last_heartbeat_time <= stale.strftime("%Y-%m-%dT%H:%M:%SZ")
    simulator.restore()
    assert agent(client, machine).last_heartbeat_time > stale.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_changes_are_taken_back(client, simulator):
    before = {row.instance_id: row.to_map() for row in every_instance(client)}
    one, other = list(before)[:2]
    simulator.change(one, status="Stopped", name="renamed")
    simulator.change(one, name="again")
    simulator.change(other, released=True)
    after = {row.instance_id: row.instance_name for row in every_instance(client)}
    assert after[one] == "again" and other not in after
    simulator.restore()
    assert {row.instance_id: row.to_map() for row in every_instance(client)} == before


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"instance": "i-none", "status": "Stopped"}, "no instance 'i-none'"),
        ({"mood": 1}, "unknown ['mood']"),
        ({"status": "Tired"}, "status is one of"),
        ({"agent": "lazy"}, "agent is one of"),
        ({"agent": "silent", "for_seconds": "long"}, "for_seconds is a number"),
    ],
)
def test_a_wrong_change_is_named(client, simulator, value, told):
    value = {"instance": every_instance(client)[0].instance_id} | value
    with pytest.raises(ValueError) as refusal:
        simulator.control("POST", "machines", value)
    assert told in str(refusal.value)


def test_it_is_no_part_of_the_api(simulator):
    assert send(simulator, signed("counters", {})).code == "InvalidApi.NotFound"
    with pytest.raises(ValueError, match="known are"):
        simulator.control("POST", "nothing")
