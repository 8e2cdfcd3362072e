"""Whatever ECS's fields hold, the gateway gives values of its types or says that it got none."""

import dataclasses
import types
import typing
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instances import ecs, ecs_call, events, mirror
from instances.ecs_values import AgentInfo, EventInfo, InstanceInfo, Result
from instances.models import Instance
from instances.throttle import Throttle
from tests.factories import AccountFactory
from tests.instances.syncing import HANGZHOU
from tests.sizes import examples

HERE = ecs.Account()
ODD = [None, True, -1, 10**20, 1.5, float("nan"), "", "x", "\0", "\ud800", "i-1", "true", "é" * 300]
ODD += ["2026-01-01T00:00Z", "2026-01-01T00:00:00Z", "aGk=", "10.0.0.1", "Running", "Success"]
PLAIN = st.sampled_from(ODD)
JSON = PLAIN | st.lists(PLAIN, max_size=2) | st.dictionaries(PLAIN.map(str), PLAIN, max_size=2)
LISTS = {
    "instances": ("DescribeInstances", ("Instances", "Instance")),
    "agents": (
        "DescribeCloudAssistantStatus",
        ("InstanceCloudAssistantStatusSet", "InstanceCloudAssistantStatus"),
    ),
    "system_events": (
        "DescribeInstanceHistoryEvents",
        ("InstanceSystemEventSet", "InstanceSystemEventType"),
    ),
}
FIELDS = [
    *("InstanceId", "InstanceName", "HostName", "Status", "OSType", "Cpu", "Memory", "Tags"),
    *("VpcAttributes", "PublicIpAddress", "EipAddress", "OperationLocks", "CreationTime"),
    *("NetworkInterfaces", "CloudAssistantStatus", "LastHeartbeatTime", "EventId", "EventType"),
    *("EventCycleStatus", "ExtendedAttribute", "EventPublishTime", "Reason"),
    *("InvocationStatus", "ExitCode", "Output", "Dropped", "StartTime", "ErrorInfo"),
]
NESTED = {
    "Tags": st.fixed_dictionaries({"Tag": st.lists(JSON, max_size=2) | JSON}),
    "VpcAttributes": st.fixed_dictionaries(
        {"PrivateIpAddress": st.fixed_dictionaries({"IpAddress": JSON})}
    ),
    "EventType": st.fixed_dictionaries({"Name": JSON}),
    "EventCycleStatus": st.fixed_dictionaries({"Name": JSON}),
}
PART = st.sampled_from(FIELDS).flatmap(
    lambda name: st.tuples(st.just(name), JSON | NESTED.get(name, JSON))
)
ROW = st.lists(PART, max_size=4).map(lambda parts: {"InstanceId": "i-1", **dict(parts)})
BODY = st.lists(ROW, max_size=2) | st.lists(JSON, max_size=2) | JSON


def answer(operation, wrapped, monkeypatch):
    """Have the SDK's own models read this body, as they would from HTTP."""
    sdk = ecs.ecs_call.ecs_sdk.parts()
    response = getattr(sdk.models, f"{operation}Response")()
    sdk.core.from_map(response, {"body": {"RequestId": "R", **wrapped}, "statusCode": 200})

    def once(*_args):
        if not getattr(response.body, "request_id", None):
            raise ecs.NoAnswer("not in the form")
        return response.body

    monkeypatch.setattr(ecs.ecs_call.ecs_sdk, "once", once)
    monkeypatch.setattr(ecs_call, "ATTEMPTS", 1)
    monkeypatch.setattr(ecs_call, "_throttle", Throttle(rate=1e6))


def fits(value, wanted):
    origin = typing.get_origin(wanted)
    if origin in (types.UnionType, typing.Union):
        return any(fits(value, part) for part in typing.get_args(wanted))
    if origin is tuple:
        inner = typing.get_args(wanted)[0]
        return isinstance(value, tuple) and all(fits(part, inner) for part in value)
    return isinstance(value, origin or wanted)


def check(value):
    hints = typing.get_type_hints(type(value))
    for field in dataclasses.fields(value):
        held = getattr(value, field.name)
        if field.name == "tags":
            assert all(isinstance(key, str) and isinstance(text, str) for key, text in held)
        else:
            assert fits(held, hints[field.name]), (field.name, held)
        if isinstance(held, str):
            assert "\0" not in held
        if isinstance(held, datetime):
            assert held.tzinfo is not None


@settings(
    max_examples=examples(2000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(call=st.sampled_from([*LISTS, "results"]), rows=BODY)
def test_any_answer_is_read_or_refused(monkeypatch, call, rows):
    if call == "results":
        inner = {"InvocationResults": {"InvocationResult": rows}, "NextToken": ""}
        answer("DescribeInvocationResults", {"Invocation": inner}, monkeypatch)
        ask = lambda: ecs.results(HERE, HANGZHOU, "t-1")  # noqa: E731
    else:
        operation, (outer, inner) = LISTS[call]
        answer(operation, {outer: {inner: rows}, "NextToken": ""}, monkeypatch)
        ask = lambda: getattr(ecs, call)(HERE, HANGZHOU)  # noqa: E731
    try:
        told = ask().value
    except ecs.NoAnswer:
        return
    for value in told:
        assert isinstance(value, InstanceInfo | AgentInfo | EventInfo | Result)
        check(value)


@pytest.mark.django_db
@settings(
    max_examples=examples(600),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(call=st.sampled_from(["instances", "system_events"]), rows=st.lists(ROW, max_size=3))
def test_what_was_read_can_be_kept(monkeypatch, call, rows):
    operation, (outer, inner) = LISTS[call]
    answer(operation, {outer: {inner: rows}, "NextToken": ""}, monkeypatch)
    try:
        told = getattr(ecs, call)(HERE, HANGZHOU).value
    except ecs.NoAnswer:
        return
    account = AccountFactory()
    if call == "system_events":
        events.keep(account, HANGZHOU, told)
    else:
        kept = mirror.keep(account, HANGZHOU, told, None)
        assert set(kept) <= set(Instance.objects.all())
