"""RunCommand carries a script to the machines, and each machine answers for itself."""

import base64

import pytest
from alibabacloud_ecs20140526 import models

from tests.simulator.conftest import REGION, healthy, run, settled

pytestmark = pytest.mark.usefixtures("sandbox_needed")


def test_each_machine_answers_with_its_own_name(client, simulator):
    machines = healthy(client)[:3]
    ids = [machine.instance_id for machine in machines]
    before = simulator.counters()["runs"]

    rows = settled(client, run(client, ids, "echo hello from $(hostname)"))

    told = {row.instance_id: base64.b64decode(row.output).decode() for row in rows}
    assert told == {m.instance_id: f"hello from {m.host_name}\n" for m in machines}
    assert {(row.invocation_status, row.exit_code) for row in rows} == {("Success", 0)}
    after = simulator.counters()
    assert [after["runs"][i] - before.get(i, 0) for i in ids] == [1, 1, 1]
    assert "recording" not in after["scripts"]["linux"]


@pytest.mark.parametrize(
    "script", ["\n\n   #!/bin/bash\n   echo helloworld\n   ", "\techo helloworld"]
)
def test_a_script_may_start_with_blank_or_indented_lines(client, script):
    [row] = settled(client, run(client, [healthy(client)[0].instance_id], script))
    assert base64.b64decode(row.output) == b"helloworld\n"
    assert row.invocation_status == "Success"


def test_output_is_there_even_when_nothing_was_printed(client):
    [row] = settled(client, run(client, [healthy(client)[0].instance_id], "true"))
    assert row.output == ""


def test_an_exit_code_other_than_zero_is_a_failure_with_its_output(client):
    [row] = settled(client, run(client, [healthy(client)[0].instance_id], "echo no; exit 3"))
    assert (row.invocation_status, row.invoke_record_status) == ("Failed", "Finished")
    assert (row.exit_code, row.error_code) == (3, "ExitCodeNonzero")
    assert base64.b64decode(row.output) == b"no\n"


def test_a_long_output_keeps_its_head_and_its_tail(client):
    script = "i=0; while [ $i -lt 6000 ]; do echo line-$i; i=$((i+1)); done"
    [row] = settled(client, run(client, [healthy(client)[0].instance_id], script))
    whole = b"".join(b"line-%d\n" % i for i in range(6000))
    output = base64.b64decode(row.output)
    assert len(output) == 24_576
    assert output == whole[:6_000] + whole[-18_576:]
    assert row.dropped == len(whole) - 24_576


def test_a_script_past_its_timeout_is_killed_and_keeps_what_it_said(client):
    request = models.RunCommandRequest(
        region_id=REGION,
        type="RunShellScript",
        command_content="echo begun; sleep 60; echo never",
        instance_id=[healthy(client)[0].instance_id],
        timeout=1,
    )
    [row] = settled(client, client.run_command(request).body.invoke_id)
    assert (row.invocation_status, row.error_code) == ("Timeout", "ExecutionTimeout")
    assert base64.b64decode(row.output) == b"begun\n"
    assert row.exit_code is None
