"""What goes beyond a documented limit is refused with the documented code, and nothing runs."""

import base64

import pytest

from tests.simulator.conftest import REGION, every_instance
from tests.simulator.wires import ask, send, signed

SHELL = {"Type": "RunShellScript", "CommandContent": "true"}


def listed(name: str, values: list[str]) -> dict[str, str]:
    return {f"{name}__{number}": value for number, value in enumerate(values, 1)}


ONE = listed("InstanceId", ["i-1"])
MANY = listed("InstanceId", [f"i-{n}" for n in range(101)])
SOME = listed("InstanceId", [f"i-{n}" for n in range(51)])
LONG = base64.b64encode(b"#" * 18_433).decode()  # one byte more than fits
REPLACED = SHELL | {"EnableParameter": "true", "CommandContent": "echo {{ Name }}"}

REFUSED = [
    ("RunCommand", SHELL, 400, "MissingParam.InstanceId"),
    ("RunCommand", SHELL | MANY, 403, "InstanceIds.ExceedLimit"),
    ("RunCommand", SHELL | ONE, 404, "InvalidInstance.NotFound"),
    ("RunCommand", SHELL | ONE | {"Type": "RunRuby"}, 404, "InvalidCmdType.NotFound"),
    ("RunCommand", ONE | {"Type": "RunShellScript"}, 400, "MissingParameter"),
    ("RunCommand", SHELL | ONE | {"CommandContent": "#" * 18_433}, 403, "CmdContent.ExceedLimit"),
    (
        "RunCommand",
        SHELL | ONE | {"CommandContent": LONG, "ContentEncoding": "base64"},
        403,
        "CmdContent.ExceedLimit",
    ),
    (
        "RunCommand",
        SHELL | ONE | {"CommandContent": "?", "ContentEncoding": "Base64"},
        400,
        "CmdContent.DecodeError",
    ),
    ("RunCommand", SHELL | ONE | {"Name": "n" * 129}, 403, "CmdName.ExceedLimit"),
    ("RunCommand", SHELL | ONE | {"Description": "n" * 513}, 403, "CmdDesc.ExceedLimit"),
    ("RunCommand", SHELL | ONE | {"Username": "n" * 256}, 403, "Username.ExceedLimit"),
    ("RunCommand", SHELL | ONE | {"WorkingDir": "/" * 201}, 400, "InvalidParameter.WorkingDir"),
    ("RunCommand", SHELL | ONE | {"Timeout": "86401"}, 403, "InvalidTimeout.ExceedLimit"),
    ("RunCommand", SHELL | ONE | {"Timeout": "soon"}, 400, "InvalidParameter.Timeout"),
    ("RunCommand", SHELL | ONE | {"Timeout": "0"}, 400, "InvalidParameter.Timeout"),
    ("RunCommand", SHELL | ONE | {"RepeatMode": "Twice"}, 404, "InvalidRepeatMode.NotFound"),
    ("RunCommand", SHELL | ONE | {"RepeatMode": "Period"}, 400, "MissingParam.Frequency"),
    ("RunCommand", SHELL | ONE | {"Timed": "True"}, 400, "MissingParam.Frequency"),
    ("RunCommand", SHELL | ONE | {"ClientToken": "t" * 65}, 400, "InvalidClientToken.Malformed"),
    ("RunCommand", SHELL | ONE | {"ClientToken": "é"}, 400, "InvalidClientToken.Malformed"),
    ("RunCommand", SHELL | ONE | {"Parameters": '{"a":"b"}'}, 400, "Parameter.Disabled"),
    ("RunCommand", REPLACED | ONE | {"Parameters": "[1]"}, 400, "InvalidParameter.Parameters"),
    ("RunCommand", REPLACED | ONE, 400, "Parameter.MissingValue"),
    ("RunCommand", REPLACED | ONE | {"Parameters": '{"x":""}'}, 403, "Parameter.NotMatched"),
    (
        "RunCommand",
        REPLACED | ONE | {"Parameters": '{"name":"1","Name":"2"}'},
        403,
        "ParameterKey.Duplicate",
    ),
    (
        "RunCommand",
        REPLACED | ONE | {"CommandContent": "{{a b}}"},
        400,
        "CmdParam.InvalidParamName",
    ),
    ("RunCommand", REPLACED | ONE | {"CommandContent": "{{}}"}, 400, "CmdParam.EmptyKey"),
    (
        "RunCommand",
        SHELL | ONE | {"ResourceTag__1__Key": "a"},
        400,
        "InvalidResourceTag.ConflictWithInstanceIds",
    ),
    (
        "RunCommand",
        SHELL | {"ResourceTag__1__Key": "no-such-tag"},
        400,
        "InvalidResourceTag.InstanceNotFound",
    ),
    (
        "RunCommand",
        SHELL | ONE | {"Tag__1__Key": "acs:x"},
        400,
        "InvalidTagKey.Malformed",
    ),
    (
        "RunCommand",
        SHELL | {"ResourceTag__1__Key": "a", "ResourceTag__2__Key": "a"},
        400,
        "Duplicate.ResourceTagKey",
    ),
    (
        "RunCommand",
        SHELL | {f"ResourceTag__{n}__Key": f"k{n}" for n in range(1, 22)},
        400,
        "NumberExceed.ResourceTags",
    ),
    (
        "RunCommand",
        ONE | {"Type": "RunPowerShellScript", "CommandContent": "x", "Username": "bob"},
        403,
        "WindowsPasswordName.Missed",
    ),
    ("StopInvocation", {"InvokeId": "t-none"}, 404, "InvalidInvokeId.NotFound"),
    ("DescribeCloudAssistantStatus", SOME, 403, "InstanceIds.ExceedLimit"),
    ("DescribeCloudAssistantStatus", ONE, 404, "InvalidInstance.NotFound"),
    ("DescribeCloudAssistantStatus", {"PageSize": "51"}, 403, "InvalidParam.PageSize"),
    ("DescribeInvocations", {"PageNumber": "0"}, 403, "InvalidParam.PageNumber"),
    ("DescribeInvocations", {"IncludeOutput": "true"}, 400, "InvalidParameter.IncludeOutput"),
    ("DescribeInvocationResults", {"MaxResults": "51"}, 400, "InvalidParameter.MaxResults"),
    ("DescribeInstances", {"Status": "Happy"}, 404, "InvalidStatus.NotFound"),
    ("DescribeInstances", {"LockReason": "mood"}, 404, "InvalidLockReason.NotFound"),
    ("DescribeInstances", {"Filter__1__Key": "Mood"}, 404, "InvalidFilterKey.NotFound"),
    ("DescribeInstances", {"InstanceIds": "not json"}, 400, "InvalidParameter.InstanceIds"),
    ("DescribeInstances", {"InstanceIds": str(["i"] * 101)}, 400, "InvalidParameter.InstanceIds"),
    ("DescribeInstances", {"DryRun": "true"}, 400, "DryRunOperation"),
    ("DescribeInstances", {"PageSize": "101"}, 400, "InvalidParameter.PageSize"),
    (
        "DescribeInstanceHistoryEvents",
        {
            "NotBefore__Start": "2026-01-02T00:00:00Z",
            "NotBefore__End": "2026-01-01T00:00:00Z",
        },
        403,
        "InvalidParameter.TimeEndBeforeStart",
    ),
    (
        "DescribeInstanceHistoryEvents",
        {"InstanceEventCycleStatus__1": "Over"},
        403,
        "InvalidParameter",
    ),
    (
        "DescribeInstanceHistoryEvents",
        listed("EventId", ["e"] * 101),
        403,
        "EventIdLimitExceeded",
    ),
    ("GetInstanceConsoleOutput", {}, 400, "MissingParameter"),
    ("GetInstanceConsoleOutput", {"InstanceId": "i-1"}, 404, "InvalidParameter"),
    ("RebootEverything", {}, 404, "InvalidApi.NotFound"),
]


@pytest.mark.parametrize(("operation", "params", "status", "code"), REFUSED)
def test_it_is_refused_with_the_documented_code(simulator, operation, params, status, code):
    before = simulator.counters()["acts"]
    told = ask(simulator, operation, RegionId=REGION, **params)
    assert (told.status, told.code) == (status, code), told.body
    assert told.body["Message"] and told.body["HostId"] == "ecs.example"
    assert simulator.counters()["acts"] == before


@pytest.mark.parametrize(
    "operation", ["DescribeInstances", "RunCommand", "DescribeInvocationResults"]
)
def test_a_region_must_exist(simulator, operation):
    assert ask(simulator, operation, RegionId="cn-atlantis").code == "InvalidRegionId.NotFound"
    assert ask(simulator, operation).code == "MissingParameter"


def test_another_version_is_refused(simulator):
    told = send(simulator, signed("DescribeRegions", {}, x_acs_version="2016-03-14"))
    assert (told.status, told.code) == (404, "InvalidVersion")


def test_one_machine_of_another_region_refuses_the_whole_run(simulator, client):
    here = every_instance(client)[0].instance_id
    there = every_instance(client, "ap-southeast-1")[0].instance_id
    before = simulator.counters()
    told = ask(
        simulator, "RunCommand", RegionId=REGION, **SHELL, **listed("InstanceId", [here, there])
    )
    assert told.code == "InvalidInstance.NotFound"
    assert there in told.body["Message"]
    assert simulator.counters()["runs"] == before["runs"]


def test_a_script_of_exactly_the_limit_is_taken(simulator, client):
    machine = every_instance(client)[0].instance_id
    script = "#" * 18_432  # 24,576 bytes in Base64
    told = ask(
        simulator,
        "RunCommand",
        RegionId=REGION,
        Type="RunShellScript",
        CommandContent=base64.b64encode(script.encode()).decode(),
        ContentEncoding="Base64",
        InstanceId__1=machine,
    )
    assert told.status == 200, told.body


def test_a_request_line_of_128_kilobytes_is_read(simulator):
    told = ask(simulator, "DescribeRegions", Filler="x" * 131_072)
    assert told.status == 200
