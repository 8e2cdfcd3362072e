"""Faults on demand: each kind shows itself to the real SDK, is limited, and is counted."""

import base64
import json
import time

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import (
    ClientException,
    ServerException,
    ThrottlingException,
)
from darabonba.exceptions import UnretryableException

from simulator.faults import Faults, Rule
from tests.simulator.conftest import REGION, every_instance, healthy, results, run, settled


def regions(client):
    return client.describe_regions(models.DescribeRegionsRequest())


def test_throttling_comes_with_and_without_a_time_to_wait(client, simulator):
    simulator.faults(
        {"kind": "throttle", "operation": "DescribeRegions", "count": 1, "retry_after": 700},
        {"kind": "throttle", "operation": "DescribeRegions", "count": 1},
    )
    with pytest.raises(ThrottlingException) as waiting:
        regions(client)
    assert (waiting.value.code, waiting.value.retry_after) == ("Throttling.User", 700)
    with pytest.raises(ClientException) as plain:
        regions(client)
    assert (plain.value.code, plain.value.status_code) == ("Throttling.User", 400)
    assert regions(client).body.regions.region


def test_an_error_of_the_server_is_json_with_its_status(client, simulator):
    simulator.faults({"kind": "error", "operation": "Describe*", "count": 1})
    with pytest.raises(ServerException) as broken:
        regions(client)
    assert (broken.value.code, broken.value.status_code) == ("ServiceUnavailable", 503)


def test_a_gateway_answers_html(client, simulator):
    simulator.faults({"kind": "html", "count": 1})
    with pytest.raises(UnretryableException) as html:
        regions(client)
    assert html.value.code is None


def test_a_reset_connection_did_nothing(client, simulator):
    before = simulator.counters()["calls"].get("DescribeRegions", 0)
    simulator.faults({"kind": "reset", "count": 1})
    with pytest.raises(UnretryableException):
        regions(client)
    assert simulator.counters()["calls"].get("DescribeRegions", 0) == before


def test_a_slow_answer_comes_late(client, simulator):
    simulator.faults({"kind": "slow", "seconds": 0.3, "count": 1})
    began = time.monotonic()
    regions(client)
    assert time.monotonic() - began >= 0.3


def test_a_wrong_nesting_leaves_the_sdk_without_a_body(client, simulator):
    simulator.faults({"kind": "shape", "operation": "DescribeRegions", "count": 1})
    assert regions(client).body is None


def test_a_listing_can_be_empty_in_one_region_only(client, simulator):
    simulator.faults({"kind": "empty", "operation": "DescribeInstances", "region": REGION})
    assert every_instance(client) == []
    assert every_instance(client, "ap-southeast-1")


@pytest.mark.parametrize("mode", ["truncate", "corrupt", "empty", "dropped"])
@pytest.mark.usefixtures("sandbox_needed")
def test_the_guests_output_can_be_bent(client, simulator, mode):
    machine = healthy(client)[0].instance_id
    simulator.faults({"kind": "output", "mode": mode, "instance": machine, "count": 1, "seed": 7})
    script = "i=0; while [ $i -lt 200 ]; do echo row-$i; i=$((i+1)); done"
    whole = b"".join(b"row-%d\n" % i for i in range(200))
    [row] = settled(client, run(client, [machine], script))
    output = base64.b64decode(row.output)
    assert output != whole
    assert row.invocation_status == "Success"
    expected = {
        "truncate": whole[: len(whole) // 2],
        "empty": b"",
        "corrupt": output,
        "dropped": output,
    }
    assert output == expected[mode]
    assert (len(output) + row.dropped == len(whole)) == (mode in ("corrupt", "dropped"))
    [row] = settled(client, run(client, [machine], script))
    assert base64.b64decode(row.output) == whole


def test_a_silent_agent_never_answers_and_the_row_gives_up(client, simulator):
    machine, other = (m.instance_id for m in healthy(client)[:2])
    simulator.faults({"kind": "silent", "instance": machine, "seconds": 0.4})
    before = simulator.counters()["runs"].get(machine, 0)
    invoke_id = run(client, [machine, other], "true")
    early = {row.instance_id: row.invocation_status for row in results(client, invoke_id)}
    assert early[machine] == "Pending"
    rows = {row.instance_id: row for row in settled(client, invoke_id)}
    assert rows[machine].invocation_status == "Aborted"
    assert rows[machine].error_code == "ClientNotResponse"
    assert rows[other].error_code != "ClientNotResponse"
    assert simulator.counters()["runs"].get(machine, 0) == before


def test_rules_are_limited_by_count_order_and_seeded_chance():
    rule = Rule.read({"kind": "reset", "after": 2, "count": 3})
    assert [rule.strikes() for _ in range(8)] == [False, False, True, True, True] + [False] * 3
    strikes = [Rule.read({"kind": "reset", "probability": 0.3, "seed": 5}) for _ in range(2)]
    told = [[rule.strikes() for _ in range(1000)] for rule in strikes]
    assert told[0] == told[1]
    assert 200 < sum(told[0]) < 400


def test_the_faults_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "faults.json"
    faults = Faults(path)
    assert faults.strike("reset", "RunCommand") is None
    path.write_text(json.dumps([{"kind": "reset", "operation": "Run*"}]))
    assert faults.strike("reset", "RunCommand")
    assert faults.strike("reset", "DescribeRegions") is None
    path.write_text('[{"kind": "reset", ')  # half written: the old rules stay
    assert faults.strike("reset", "RunCommand")
    path.write_text("[]")
    assert faults.strike("reset", "RunCommand") is None


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"kind": "earthquake"}, "kind must be one of"),
        ({"kind": "reset", "when": "now"}, "when='now' is not valid"),
        ({"kind": "slow", "seconds": "long"}, "seconds='long' is not valid"),
        ({"kind": "output", "mode": "louder"}, "mode must be one of"),
        ([], "kind must be one of"),
    ],
)
def test_a_wrong_rule_is_named_and_not_half_taken(simulator, rule, told):
    with pytest.raises(ValueError) as refusal:
        simulator.faults({"kind": "reset"}, rule)
    assert told in str(refusal.value)
    assert simulator.control("GET", "faults") == []
