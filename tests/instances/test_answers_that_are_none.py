"""Whatever does not come from ECS in ECS's own form is no answer: it may have happened."""

import time

import pytest

from instances import ecs
from tests.instances.endpoint import Raw, error, instance_page

HERE = ecs.Account()
HTML = b"<html><body>Bad Gateway</body></html>"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Raw(502, HTML, {"Content-Type": "text/html"}), "HTTP 502"),
        (Raw(200, HTML, {"Content-Type": "text/html"}), "HTTP 200"),
        (Raw(302, HTML, {"Location": "http://127.0.0.1:9/login"}), "HTTP 302"),
        (Raw(500, b""), "HTTP 500"),
        (Raw(200, b"null"), "not in the form"),
        (Raw(200, b"[]"), "not in the form"),
        (Raw(403, {"error": "blocked by the company's gateway"}), "HTTP 403"),
        (Raw(hang_up=True), "no answer"),
        (error(503, "ServiceUnavailable"), "HTTP 503"),
        (error(500, "InternalError", "try later"), "try later"),
        ({"Instances": [{"InstanceId": "i-1"}], "NextToken": ""}, "not in the form"),
        ({"Instances": {"Instance": {"InstanceId": "i-1"}}}, "not in the form"),
        ({"Instances": {"Instance": [{"Status": "Running"}]}}, "not in the form"),
        ({"Instances": {"Instance": [{"InstanceId": "i-1", "Tags": "no"}]}}, "not in the form"),
        ({}, "not in the form"),
        (Raw(200, {"Instances": {"Instance": []}}), "not in the form"),  # without RequestId
    ],
)
def test_such_an_answer_is_tried_again_and_then_named(answering, answer, words):
    with (
        answering(lambda request: answer) as endpoint,
        pytest.raises(ecs.NoAnswer, match=words) as caught,
    ):
        ecs.instances(HERE, "cn-hangzhou")
    assert caught.value.operation == "DescribeInstances"
    assert 1 <= len(endpoint.requests) <= ecs.ATTEMPTS


def test_the_sdk_itself_says_nothing_about_a_wrong_nesting(answering):
    wrong = {"Instances": [{"InstanceId": "i-1"}]}
    with answering(lambda request: wrong):
        request = ecs.ecs_call.ecs_sdk.parts().models.DescribeInstancesRequest(
            region_id="cn-hangzhou"
        )
        client = ecs.ecs_call.ecs_sdk.client(HERE, "cn-hangzhou")
        answer = client.describe_instances_with_options(
            request, ecs.ecs_call.ecs_sdk.parts().options()
        )
    assert answer.status_code == 200 and answer.body is None


def test_a_read_that_works_at_the_second_attempt_is_an_answer(answering):
    answers = iter([Raw(502, HTML), instance_page(["i-1"])])
    with answering(lambda request: next(answers)):
        answer = ecs.instances(HERE, "cn-hangzhou")
    assert [info.instance_id for info in answer.value] == ["i-1"]


def test_a_port_that_nobody_listens_on_is_no_answer():
    ecs.configure(endpoint="http://127.0.0.1:9", mode="full")
    with pytest.raises(ecs.NoAnswer, match="no answer"):
        ecs.instances(HERE, "cn-hangzhou")


def test_a_silent_endpoint_is_given_up(answering):
    def sleepy(_request):
        time.sleep(0.6)
        return instance_page([])

    with (
        answering(sleepy, read_seconds=0.1),
        pytest.raises(ecs.NoAnswer, match="timed out"),
    ):
        ecs.instances(HERE, "cn-hangzhou")


def test_a_screenshot_must_be_a_picture(answering):
    with (
        answering(lambda request: {"Screenshot": "PHNjcmlwdD4="}),
        pytest.raises(ecs.NoAnswer, match="JPEG"),
    ):
        ecs.screenshot(HERE, "cn-hangzhou", "i-1")
