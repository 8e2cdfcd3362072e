"""A run that ECS started and whose answer was lost is found again by its token."""

import uuid

import pytest

from instances import ecs, ecs_call
from tests.instances.endpoint import Raw, error

HERE = ecs.Account()


class Cloud:
    """Starts runs, once for each token, and loses its first answers."""

    def __init__(self, losing):
        self.losing, self.started, self.asked = losing, {}, []

    def __call__(self, request):
        token = request.parameters["ClientToken"]
        run = self.started.setdefault(token, f"t-{len(self.started)}")
        self.asked.append(request.parameters)
        if len(self.asked) <= self.losing:
            return Raw(hang_up=True)
        return {"InvokeId": run, "CommandId": "c-1"}


def start(token):
    return ecs.run_script(
        HERE, "cn-hangzhou", ["i-1"], "uptime", type="RunShellScript", token=token, timeout=60
    )


def test_a_lost_answer_is_asked_for_again_with_the_same_token(answering):
    cloud = Cloud(losing=1)
    with answering(cloud):
        assert start("one").value.invoke_id == "t-0"
    assert len(cloud.started) == 1
    assert cloud.asked[0] == cloud.asked[1]


def test_nobody_answering_says_that_it_may_have_happened_and_the_token_tells(answering):
    cloud, token = Cloud(losing=ecs.ATTEMPTS), str(uuid.uuid4())
    with answering(cloud):
        with pytest.raises(ecs.NoAnswer):
            start(token)
        assert start(token).value.invoke_id == "t-0"
    assert cloud.started == {token: "t-0"}


def test_a_run_still_being_started_is_no_answer_yet(answering):
    with answering(lambda request: error(403, "IdempotentProcessing")), pytest.raises(ecs.NoAnswer):
        start("one")


@pytest.mark.parametrize("token", ["", "x" * 65, "tökén"])
def test_a_run_without_a_usable_token_is_not_sent(answering, token):
    with answering(Cloud(0)) as endpoint, pytest.raises(ecs.Refused, match="token"):
        start(token)
    assert endpoint.requests == []


def test_an_act_without_a_token_is_tried_once(answering):
    asked = {"RegionId": "cn-hangzhou", "InstanceId": ["i-1"]}
    with (
        answering(lambda request: Raw(hang_up=True)) as endpoint,
        pytest.raises(ecs.NoAnswer),
    ):
        ecs_call.call(HERE, "cn-hangzhou", "RebootInstances", asked)
    assert len(endpoint.requests) == 1
