"""LookupEvents tells of every power call that was made here: whose, on what, from where."""

from datetime import UTC, datetime, timedelta

import pytest
from alibabacloud_actiontrail20200706 import models
from alibabacloud_actiontrail20200706.client import Client
from alibabacloud_ecs20140526 import models as ecs_models
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config

from tests.simulation import KEY, KEY_WITHOUT_RIGHTS
from tests.simulator.conftest import REGION, healthy


@pytest.fixture
def trail(simulator):
    return trail_of(simulator, KEY)


def trail_of(simulator, key):
    address = simulator.endpoint.removeprefix("http://")
    return Client(
        Config(
            access_key_id=key[0],
            access_key_secret=key[1],
            endpoint=address,
            protocol="http",
            region_id=REGION,
        )
    )


def looked_up(trail, key="ResourceName", value="", **more):
    condition = models.LookupEventsRequestLookupAttribute(key=key, value=value)
    request = models.LookupEventsRequest(lookup_attribute=[condition], **more)
    return trail.lookup_events(request).body


def test_a_reboot_stands_there_with_its_request_and_its_key(client, simulator, trail):
    simulator.cloud.power.seconds = (0, 0.05)
    machine = healthy(client)[3].instance_id
    request = ecs_models.RebootInstancesRequest(region_id=REGION, instance_id=[machine])
    answer = client.reboot_instances(request).body
    (event,) = [
        row
        for row in looked_up(trail, value=machine).events
        if row["requestId"] == answer.request_id
    ]
    assert event["eventName"] == "RebootInstances"
    assert event["userIdentity"]["accessKeyId"] == KEY[0]
    assert event["referencedResources"]["ACS::ECS::Instance"] == [machine]
    assert "errorCode" not in event


def test_a_refused_call_stands_there_with_its_code(client, simulator, trail):
    machine = healthy(client)[4].instance_id
    with pytest.raises(AlibabaCloudException):
        client.start_instance(ecs_models.StartInstanceRequest(instance_id=machine))
    event = looked_up(trail, value=machine).events[0]
    assert (event["eventName"], event["errorCode"]) == ("StartInstance", "IncorrectInstanceStatus")


def test_reads_leave_nothing(client, simulator, trail):
    before = len(looked_up(trail, key="EventRW", value="Write", max_results="50").events)
    healthy(client)
    assert len(looked_up(trail, key="EventRW", value="Write", max_results="50").events) == before


def test_it_comes_in_pages_newest_first(client, simulator, trail):
    machine = healthy(client)[5].instance_id
    for _ in range(3):
        with pytest.raises(AlibabaCloudException):
            client.start_instance(ecs_models.StartInstanceRequest(instance_id=machine))
    first = looked_up(trail, value=machine, max_results="2")
    second = looked_up(trail, value=machine, max_results="2", next_token=first.next_token)
    ids = [row["eventId"] for row in [*first.events, *second.events]]
    assert len(ids) == len(set(ids)) == 3 and second.next_token is None
    times = [row["eventTime"] for row in [*first.events, *second.events]]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "Nothing"},
        {"max_results": "51"},
        {"direction": "SIDEWAYS"},
        {"start_time": "2026-01-02T00:00:00Z", "end_time": "2026-01-01T00:00:00Z"},
    ],
)
def test_a_wrong_question_is_refused(simulator, trail, wrong):
    with pytest.raises(AlibabaCloudException) as refused:
        looked_up(trail, **{"value": "i-1", **wrong})
    assert refused.value.status_code == 400


def test_an_identity_without_the_right_is_told_which_one(simulator):
    with pytest.raises(AlibabaCloudException) as refused:
        looked_up(trail_of(simulator, KEY_WITHOUT_RIGHTS), value="i-1")
    assert refused.value.access_denied_detail["AuthAction"] == "actiontrail:LookupEvents"


def test_the_demo_fleet_has_a_reboot_by_somebody_elses_tool(simulator, trail):
    machine = next(m for m in simulator.cloud.world.machines if m.name == "edge-01")
    since = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    (event,) = looked_up(trail, value=machine.instance_id, start_time=since).events
    assert event["userIdentity"]["userName"] == "terraform-ci"
    assert event["eventName"] == "RebootInstance"
