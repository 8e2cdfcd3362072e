"""Whatever signed parameters come, the answer is a result or a named refusal, never a breakdown."""

import json
import os
import random
from datetime import UTC, datetime

import pytest

from simulator.actions import OPERATIONS
from simulator.cloud import Cloud
from simulator.endpoint import Endpoint
from simulator.signature import AccessKey, Verifier
from simulator.world import World
from tests.simulation import KEY
from tests.simulator.conftest import REGION
from tests.simulator.wires import signed

CALLS = 2_500
NAMES = [
    "RegionId",
    "InstanceId",
    "InstanceId.1",
    "InstanceId.2",
    "InstanceId.x",
    "InstanceIds",
    "InstanceName",
    "Status",
    "Tag.1.Key",
    "Tag.1.Value",
    "Tag.2.Value",
    "Filter.1.Key",
    "Filter.1.Value",
    "MaxResults",
    "NextToken",
    "PageNumber",
    "PageSize",
    "PrivateIpAddresses",
    "EipAddresses",
    "OSType",
    "Type",
    "CommandContent",
    "ContentEncoding",
    "Timeout",
    "Parameters",
    "EnableParameter",
    "ClientToken",
    "RepeatMode",
    "Frequency",
    "ResourceTag.1.Key",
    "InvokeId",
    "DryRun",
    "InvokeStatus",
    "InvokeRecordStatus",
    "IncludeOutput",
    "IncludeHistory",
    "Timed",
    "EventId.1",
    "EventPublishTime.Start",
    "NotBefore.End",
    "InstanceEventCycleStatus.1",
    "ResourceType",
    "RemoveSymbols",
    "WakeUp",
    "Username",
    "WorkingDir",
    "AcceptLanguage",
    "TerminationMode",
    "CommandName",
    "Name",
]
VALUES = [
    *("", "0", "-1", "1", "10", "50", "101", "9" * 40, "1e3", "٣", "²", "true", "False", "maybe"),
    *("[]", "{}", "[1]", '["i-1"]', "['i-1']", "[" * 3000, '{"a":{"b":1}}', '{"a":"b"}', "null"),
    *("NaN", "\x00", "\udcff".encode("utf-8", "replace").decode(), "é" * 300, "*", "[!a]*", "{{}}"),
    *("{{a}}", "{{ACS::InstanceId}}", "{{ACS::Nothing}}", "echo hi", "####", "ZWNobyBoaQ=="),
    *("RunShellScript", "RunPowerShellScript", "Base64", "Once", "DryRun", "Running", "Executed"),
    *("2026-01-01T00:00Z", "2026-01-01T00:00:00Z", "2026-99-01T00:00Z", "0001-01-01T00:00:00Z"),
    *("Linux", "vpc", "instance", "CreationStartTime", "ExpiredEndTime", "zh-CN", "en-US"),
]


@pytest.fixture(scope="module")
def endpoint():
    world = World.fleet(30, datetime.now(UTC))
    endpoint = Endpoint(Cloud(world), Verifier({KEY[0]: AccessKey(*KEY)}))
    yield endpoint
    endpoint.cloud.close()


def test_hostile_parameters_never_break_it(endpoint, caplog):
    seed = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(10**6))
    print(f"FUZZ_SEED={seed}")
    dice = random.Random(seed)
    real = [machine.instance_id for machine in endpoint.cloud.machines(REGION)]
    # A rehearsal by default: this is about calls, and scripts would take the time.
    for _ in range(CALLS):
        operation = dice.choice(list(OPERATIONS))
        params = {"RegionId": REGION, "RepeatMode": "DryRun", "Type": "RunShellScript"}
        params |= {"CommandContent": "true", "InstanceId.1": dice.choice(real)}
        for _ in range(dice.randrange(6)):
            params[dice.choice(NAMES)] = dice.choice([*VALUES, dice.choice(real)])
        if params["RepeatMode"] in ("Once", ""):
            params["RepeatMode"] = "DryRun"
        reply = endpoint.answer(signed(operation, params))
        told = json.loads(reply.body)
        assert reply.status < 500, (seed, operation, params, caplog.text[-2000:])
        assert told["RequestId"]
        assert (reply.status == 200) == ("Code" not in told)
