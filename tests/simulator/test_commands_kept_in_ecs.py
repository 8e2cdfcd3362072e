"""Commands that live in ECS are made, changed, listed, invoked and deleted as documented."""

import base64

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from Tea.exceptions import TeaException

from tests.simulator.conftest import REGION, healthy, run, settled


def encoded(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


def create(client, script: str = "echo hello", **fields) -> str:
    told = {"name": "greet", "type": "RunShellScript", "command_content": encoded(script)}
    request = models.CreateCommandRequest(region_id=REGION, **told | fields)
    return client.create_command(request).body.command_id


def listed(client, **fields) -> list:
    request = models.DescribeCommandsRequest(region_id=REGION, max_results=50, **fields)
    return client.describe_commands(request).body.commands.command


def invoke(client, command_id: str, machine: str, **fields) -> str:
    request = models.InvokeCommandRequest(
        region_id=REGION, command_id=command_id, instance_id=[machine], **fields
    )
    return client.invoke_command(request).body.invoke_id


@pytest.fixture
def machine(client) -> str:
    return healthy(client)[0].instance_id


def refusal(act) -> tuple[int, str]:
    with pytest.raises(ClientException) as refused:
        act()
    return refused.value.status_code, refused.value.code


def test_a_command_is_listed_as_it_was_made(client):
    made = create(client, timeout=90, working_dir="/opt", description="says hello")
    (row,) = listed(client, command_id=made)
    assert base64.b64decode(row.command_content) == b"echo hello"
    assert (row.timeout, row.working_dir, row.description) == (90, "/opt", "says hello")


def test_changing_its_content_is_ignored_and_its_name_is_not(client):
    made = create(client)
    client.modify_command(
        models.ModifyCommandRequest(
            region_id=REGION, command_id=made, name="wave", command_content=encoded("rm -rf /")
        )
    )
    (row,) = listed(client, command_id=made)
    assert row.name == "wave"
    assert base64.b64decode(row.command_content) == b"echo hello"


def test_public_commands_are_listed_only_when_asked_for(client):
    create(client)
    assert not [row for row in listed(client) if row.provider]
    public = listed(client, provider="AlibabaCloud")
    assert public and all(row.provider for row in public)


def test_a_deleted_command_is_gone_from_lists_and_for_invoking(client, machine):
    made = create(client)
    client.delete_command(models.DeleteCommandRequest(region_id=REGION, command_id=made))
    assert listed(client, command_id=made) == []
    assert refusal(lambda: invoke(client, made, machine)) == (404, "InvalidCmdId.NotFound")


@pytest.mark.usefixtures("sandbox_needed")
def test_invoking_runs_its_script_with_the_given_parameters(client, machine):
    made = create(client, "echo hello {{who}}", enable_parameter=True)
    invoke_id = invoke(client, made, machine, parameters={"who": "world"})
    (row,) = settled(client, invoke_id)
    assert base64.b64decode(row.output) == b"hello world\n"
    assert row.command_id == made


def test_a_token_invokes_once(client, machine):
    made = create(client)
    first = invoke(client, made, machine, client_token="once")
    assert invoke(client, made, machine, client_token="once") == first
    wrong = refusal(lambda: invoke(client, made, machine, client_token="once", timeout=30))
    assert wrong == (403, "IdempotentParameterMismatch")


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"name": "x" * 129}, (403, "CmdName.ExceedLimit")),
        ({"description": "x" * 513}, (403, "CmdDesc.ExceedLimit")),
        ({"type": "RunPythonScript"}, (404, "InvalidCmdType.NotFound")),
        ({"command_content": "not base64!"}, (400, "CmdContent.DecodeError")),
        ({"command_content": encoded("x" * 20_000)}, (403, "CmdContent.ExceedLimit")),
        ({"working_dir": "/" * 201}, (400, "InvalidParameter.WorkingDir")),
        ({"timeout": 100_000}, (403, "InvalidTimeout.ExceedLimit")),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_documented_code(client, fields, answer):
    assert refusal(lambda: create(client, **fields)) == answer


def test_a_missing_parameter_of_a_command_is_refused(client, machine):
    made = create(client, "echo {{who}}", enable_parameter=True)
    assert refusal(lambda: invoke(client, made, machine)) == (400, "Parameter.MissingValue")


def test_a_day_has_only_so_many_runs(client, simulator, machine):
    made, runs = create(client), simulator.cloud.runs
    before, runs.daily = runs.daily, 0
    try:
        answer = refusal(lambda: invoke(client, made, machine))
    finally:
        runs.daily = before
    assert answer == (403, "Invocation.ExceedQuota")


def test_the_quotas_are_told(client):
    asked = models.DescribeAccountAttributesRequest(
        region_id=REGION, attribute_name=["max-axt-invocation-daily"]
    )
    (item,) = client.describe_account_attributes(
        asked
    ).body.account_attribute_items.account_attribute_item
    assert item.attribute_values.value_item[0].value == "2000"


def test_installing_the_agent_is_counted_and_waits_for_the_next_start(client, simulator, machine):
    before = simulator.cloud.counters.get("installs", machine)
    client.install_cloud_assistant(
        models.InstallCloudAssistantRequest(region_id=REGION, instance_id=[machine])
    )
    assert simulator.cloud.counters.get("installs", machine) == before + 1


@pytest.mark.usefixtures("sandbox_needed")
def test_faults_tell_invoking_from_running(client, simulator, machine):
    simulator.faults({"kind": "output", "mode": "empty", "operation": "InvokeCommand"})
    (invoked,) = settled(client, invoke(client, create(client), machine))
    (ran,) = settled(client, run(client, [machine], "echo hello"))
    assert (invoked.output, base64.b64decode(ran.output)) == ("", b"hello\n")


def test_a_lost_answer_kept_the_command_all_the_same(client, simulator):
    simulator.faults({"kind": "lost", "operation": "CreateCommand", "count": 1})
    with pytest.raises(TeaException):
        create(client, name="lost", client_token="kept-once")
    again = create(client, name="lost", client_token="kept-once")
    assert [row.command_id for row in listed(client, name="lost")] == [again]
    assert simulator.counters()["tokens"]["kept-once"] == 1
