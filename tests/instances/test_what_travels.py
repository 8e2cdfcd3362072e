"""What the gateway sends and how it reads what comes back."""

import base64
from datetime import UTC, datetime

import pytest

from instances import ecs, ecs_call
from instances import ecs_wire as wire
from tests.instances.endpoint import instance_page

HERE = ecs.Account()


def run(script, **changes):
    asked = {"ids": ["i-1"], "type": "RunShellScript", "token": "t", "timeout": 60} | changes
    return ecs.run_script(HERE, "cn-hangzhou", script=script, **asked)


def test_a_full_script_arrives_whole_in_a_long_request_line(answering):
    script = "echo " + "ä+/" * 4500 + "\n"
    with answering(lambda request: {"InvokeId": "t-1"}) as endpoint:
        run(script, ids=[f"i-{n:022}" for n in range(100)])
    sent = endpoint.requests[0]
    assert len(sent.target) > 30_000
    assert base64.b64decode(sent.parameters["CommandContent"]).decode() == script
    assert sent.parameters["ContentEncoding"] == "Base64"


def test_booleans_go_out_as_python_writes_them(answering):
    with answering(lambda request: {"InvokeId": "t-1"}) as endpoint:
        run("uptime")
    assert endpoint.requests[0].parameters["KeepCommand"] == "False"
    assert [wire.true(value) for value in (True, "True", "true", "false", "False", None)] == [
        *(True, True, True),
        *(False, False, False),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"script": "x" * 18_500}, "24576"),
        ({"script": " \n"}, "empty"),
        ({"ids": []}, "1 to 100"),
        ({"ids": [f"i-{n}" for n in range(101)]}, "1 to 100"),
        ({"ids": ["i-1", "i-1"]}, "different"),
    ],
)
def test_what_ecs_would_refuse_is_refused_at_home(answering, changes, words):
    with (
        answering(lambda request: {"InvokeId": "t-1"}) as endpoint,
        pytest.raises(ecs.Refused, match=words),
    ):
        run(**({"script": "uptime"} | changes))
    assert endpoint.requests == []


def test_a_region_cannot_smuggle_a_host(answering):
    with (
        answering(lambda request: instance_page([])) as endpoint,
        pytest.raises(ecs.Refused, match="is not a region"),
    ):
        ecs.instances(HERE, "x.example.org/")
    assert endpoint.requests == []


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2017-12-10T04:04Z", datetime(2017, 12, 10, 4, 4, tzinfo=UTC)),
        ("2019-12-20T06:15:56Z", datetime(2019, 12, 20, 6, 15, 56, tzinfo=UTC)),
        ("", None),
        (None, None),
        ("2017-12-10 04:04Z!", None),
        ("9999-99-99T99:99Z", None),
        (20171210, None),
    ],
)
def test_times_come_in_two_forms(value, moment):
    assert wire.time(value) == moment


def test_console_output_is_text_with_its_time_in_utc(answering):
    answer = {
        "InstanceId": "i-1",
        "ConsoleOutput": base64.b64encode("kernel: é\0".encode()).decode(),
        "LastUpdateTime": "2026-11-20 08:00:05",
    }
    with answering(lambda request: answer):
        console = ecs.console_output(HERE, "cn-hangzhou", "i-1").value
    assert console.text == "kernel: é�"
    assert console.updated_at == datetime(2026, 11, 20, 0, 0, 5, tzinfo=UTC)


def test_results_keep_output_that_is_not_base64_and_no_meaningless_exit_code(answering):
    rows = [
        {"InstanceId": "i-1", "InvocationStatus": "Failed", "ExitCode": 3, "Output": "aGk="},
        {"InstanceId": "i-2", "InvocationStatus": "Aborted", "ExitCode": 0, "Output": "*raw*"},
        {"InstanceId": "i-3", "InvocationStatus": "Running", "Dropped": "12", "Output": ""},
    ]
    answer = {"Invocation": {"InvocationResults": {"InvocationResult": rows}, "NextToken": ""}}
    with answering(lambda request: answer):
        failed, aborted, running = ecs.results(HERE, "cn-hangzhou", "t-1").value
    assert (failed.exit_code, failed.output) == (3, b"hi")
    assert (aborted.exit_code, aborted.output) == (None, b"*raw*")
    assert (running.exit_code, running.dropped) == (None, 12)


def test_events_are_asked_for_in_every_status(answering):
    answer = {"InstanceSystemEventSet": {"InstanceSystemEventType": []}, "NextToken": ""}
    with answering(lambda request: answer) as endpoint:
        ecs.system_events(HERE, "cn-hangzhou", since=datetime(2026, 11, 1, tzinfo=UTC))
    sent = endpoint.requests[0].parameters
    asked = {value for name, value in sent.items() if name.startswith("InstanceEventCycleStatus.")}
    assert asked == set(ecs.EVENT_STATUSES)
    assert sent["EventPublishTime.Start"] == "2026-11-01T00:00:00Z"


def test_an_instance_is_read_with_all_its_addresses_and_tags(answering):
    row = {
        "InstanceId": "i-1",
        "InstanceName": "web01",
        "HostName": "web01.example",
        "OSType": "linux",
        "OSName": "阿里云",
        "OSNameEn": "Alibaba Cloud Linux 3",
        "Cpu": 4,
        "Memory": 8192,
        "CreationTime": "2025-01-01T00:00Z",
        "VpcAttributes": {"VpcId": "vpc-1", "PrivateIpAddress": {"IpAddress": ["10.0.0.1"]}},
        "PublicIpAddress": {"IpAddress": ["47.1.1.1"]},
        "EipAddress": {"IpAddress": "47.2.2.2"},
        "Tags": {"Tag": [{"TagKey": "team", "TagValue": "shop"}]},
        "OperationLocks": {"LockReason": [{"LockReason": "financial"}]},
    }
    with answering(lambda request: {"Instances": {"Instance": [row]}, "NextToken": ""}):
        (info,) = ecs.instances(HERE, "cn-hangzhou").value
    assert info.os_name == "Alibaba Cloud Linux 3" and info.cpu == 4
    assert info.private_ips == ("10.0.0.1",) and info.public_ips == ("47.1.1.1", "47.2.2.2")
    assert info.tags == (("team", "shop"),) and info.lock_reasons == ("financial",)


def test_a_parameter_that_ecs_does_not_know_is_a_mistake_of_ours(answering):
    with (
        answering(lambda request: instance_page([])),
        pytest.raises(TypeError, match="InstanceIdz"),
    ):
        ecs_call.call(HERE, "cn-hangzhou", "DescribeInstances", {"InstanceIdz": "[]"})
