"""Who asked ECS for a reboot, by the account's audit trail; read with suspicion."""

from datetime import UTC, datetime, timedelta

import pytest

from instances import ecs
from tests.instances.endpoint import Raw, error
from tests.simulation import KEY, KEY_WITHOUT_RIGHTS

HERE, REGION, MACHINE = ecs.Account(), "cn-hangzhou", "i-bp1aaaaaaaaaaaaaaaaa"
UNTIL = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=1)


def row(**more):
    return {
        "eventId": "E1",
        "eventName": "RebootInstance",
        "eventTime": "2026-11-20T03:04:05Z",
        "requestId": "R1",
        "sourceIpAddress": "203.0.113.7",
        "referencedResources": {"ACS::ECS::Instance": [MACHINE]},
        "userIdentity": {"type": "ram-user", "userName": "wang", "accessKeyId": "K"},
        "requestParameters": {"InstanceId": MACHINE, "ForceStop": "true"},
        **more,
    }


def asked():
    return ecs.power_calls(HERE, REGION, MACHINE, since=SINCE, until=UNTIL).value


def test_it_asks_for_one_instance_in_one_span_newest_first(answering):
    with answering(lambda request: {"Events": [row()]}) as endpoint:
        (call,) = asked().calls
    assert (call.user, call.source_ip, call.request_id) == ("wang", "203.0.113.7", "R1")
    assert call.forced and call.at == datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)
    told = endpoint.requests[0].parameters
    assert told["LookupAttribute.1.Key"] == "ResourceName"
    assert told["LookupAttribute.1.Value"] == MACHINE
    assert (told["StartTime"], told["EndTime"]) == ("2026-11-19T12:00:00Z", "2026-11-20T12:00:00Z")
    assert told["Direction"] == "BACKWARD" and "RegionId" not in told


@pytest.mark.parametrize(
    "other",
    [
        {"eventName": "DescribeInstances"},
        {"eventTime": "yesterday"},
        {"referencedResources": {"ACS::ECS::Instance": ["i-other"]}, "requestParameters": {}},
    ],
)
def test_what_is_no_power_call_on_this_instance_is_left_out(answering, other):
    with answering(lambda request: {"Events": [row(**other)]}):
        assert asked().calls == ()


@pytest.mark.parametrize(
    "refusal",
    [
        {"errorCode": "IncorrectInstanceStatus"},
        {
            "responseElements": {
                "InstanceResponses": {
                    "InstanceResponse": [{"InstanceId": MACHINE, "Code": "IncorrectInstanceStatus"}]
                }
            }
        },
    ],
)
def test_a_call_that_ecs_did_not_take_says_so(answering, refusal):
    with answering(lambda request: {"Events": [row(**refusal)]}):
        assert [call.error for call in asked().calls] == ["IncorrectInstanceStatus"]


def test_all_pages_are_read_up_to_a_bound_and_the_rest_is_not_called_none(answering):
    def endless(request):
        number = int(request.parameters.get("NextToken", "0"))
        return {"Events": [row(eventId=f"E{number}")], "NextToken": str(number + 1)}

    with answering(endless) as endpoint:
        told = asked()
    assert len(told.calls) == len(endpoint.requests) == 4 and not told.whole


@pytest.mark.parametrize("strange", [{}, {"Events": "none"}, {"Events": [["x"]]}])
def test_a_page_without_its_list_is_no_answer(answering, strange):
    with answering(lambda request: strange), pytest.raises(ecs.NoAnswer):
        asked()


@pytest.mark.parametrize("part", ["userIdentity", "requestParameters", "responseElements"])
@pytest.mark.parametrize("value", [None, "text", [1], {"InstanceResponses": "x"}])
def test_odd_parts_of_an_event_break_nothing(answering, part, value):
    with answering(lambda request: {"Events": [row(**{part: value})]}):
        assert len(asked().calls) == 1


def test_a_missing_right_is_named_as_a_policy_names_it(answering):
    with (
        answering(lambda request: error(403, "NoPermission", "not authorized")),
        pytest.raises(ecs.NotPermitted) as caught,
    ):
        asked()
    assert caught.value.action == "actiontrail:LookupEvents"


def test_nobody_waits_twice_where_no_answer_comes(answering):
    with answering(lambda request: Raw(hang_up=True)) as endpoint, pytest.raises(ecs.NoAnswer):
        asked()
    assert len(endpoint.requests) == 1


def test_observing_is_enough(cloud):
    ecs.configure(endpoint=cloud.endpoint, mode="observe")
    now = datetime.now(UTC)
    assert ecs.power_calls(HERE, REGION, MACHINE, since=SINCE, until=now).value.calls == ()


def test_a_local_ecs_is_asked_for_the_trail_too_and_a_real_one_is_not():
    before = ecs.ecs_mode.setup()
    try:
        ecs.configure(endpoint="http://127.0.0.1:8181", mode="full")
        assert ecs.ecs_mode.setup().trail_endpoint == "http://127.0.0.1:8181"
        ecs.configure(endpoint="https://ecs.example.com", mode="observe")
        assert ecs.ecs_mode.setup().trail_endpoint == ""
        with pytest.raises(ValueError, match="ACTIONTRAIL_ENDPOINT"):
            ecs.configure(endpoint="", mode="observe", trail_endpoint="ftp://x")
    finally:
        ecs.ecs_mode._setup = before


def test_the_key_that_signs_is_known_by_its_id(cloud):
    assert ecs.key_id(HERE) == KEY[0] != KEY_WITHOUT_RIGHTS[0]
