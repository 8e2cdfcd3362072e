"""A ClientToken makes RunCommand safe to repeat: the same answer, and the script runs once."""

import threading
import uuid

import pytest
from alibabacloud_ecs20140526 import models
from Tea.exceptions import TeaException

from tests.simulator.conftest import REGION, healthy, settled
from tests.simulator.wires import ask


def asked(client, token: str, **more) -> models.RunCommandRequest:
    wanted = {
        "region_id": REGION,
        "type": "RunShellScript",
        "command_content": "true",
        "instance_id": [healthy(client)[0].instance_id],
        "client_token": token,
    }
    return models.RunCommandRequest(**(wanted | more))


def runs_on(simulator, request) -> int:
    return simulator.counters()["runs"].get(request.instance_id[0], 0)


@pytest.mark.usefixtures("sandbox_needed")
def test_the_same_token_and_parameters_act_once(client, simulator):
    request = asked(client, uuid.uuid4().hex)
    before = runs_on(simulator, request)
    ids = {client.run_command(request).body.invoke_id for _ in range(5)}
    assert len(ids) == 1
    settled(client, ids.pop())
    assert runs_on(simulator, request) == before + 1


def test_other_parameters_with_the_same_token_are_refused(client):
    token = uuid.uuid4().hex
    client.run_command(asked(client, token))
    with pytest.raises(TeaException) as refusal:
        client.run_command(asked(client, token, timeout=61))
    assert refusal.value.code == "IdempotentParameterMismatch"


def test_a_refused_call_leaves_its_token_free(client):
    token = uuid.uuid4().hex
    with pytest.raises(TeaException):
        client.run_command(asked(client, token, instance_id=["i-unknown"]))
    assert client.run_command(asked(client, token)).body.invoke_id


def test_many_callers_with_one_token_get_one_run(client, sdk, simulator):
    request = asked(client, uuid.uuid4().hex)
    before = simulator.counters()["acts"]["invocations"]
    answers: list[str] = []

    def call() -> None:
        try:
            answers.append(sdk().run_command(request).body.invoke_id)
        except TeaException as error:
            answers.append(error.code)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers) - {"IdempotentProcessing"}) == 1
    assert simulator.counters()["acts"]["invocations"] == before + 1


def test_a_lost_answer_is_found_again_with_its_token(client, simulator):
    simulator.faults({"kind": "lost", "operation": "RunCommand", "count": 1})
    request = asked(client, uuid.uuid4().hex)
    before = simulator.counters()["acts"].get("invocations", 0)
    with pytest.raises(TeaException) as lost:
        client.run_command(request)
    assert lost.value.code is None
    invoke_id = client.run_command(request).body.invoke_id
    assert simulator.counters()["acts"]["invocations"] == before + 1
    told = ask(simulator, "DescribeInvocations", RegionId=REGION, InvokeId=invoke_id)
    assert len(told.body["Invocations"]["Invocation"]) == 1
