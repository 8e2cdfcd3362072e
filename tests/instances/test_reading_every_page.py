"""The API's first page holds ten rows; the gateway gives all of them."""

import pytest

from instances import ecs
from tests.instances.endpoint import instance_page

HERE = ecs.Account()


def paged(size):
    ids = [f"i-{number:04}" for number in range(size)]

    def behaviour(request):
        assert request.parameters["MaxResults"] == "100"
        start = int(request.parameters.get("NextToken", 0))
        rest = start + 100 < size
        return instance_page(ids[start : start + 100], str(start + 100) if rest else "")

    return ids, behaviour


def test_instances_of_every_page_come_back(answering):
    ids, behaviour = paged(250)
    with answering(behaviour) as endpoint:
        answer = ecs.instances(HERE, "cn-hangzhou")
    assert [info.instance_id for info in answer.value] == ids
    assert len(endpoint.requests) == len(set(answer.request_ids)) == 3


def test_an_instance_that_moved_between_pages_comes_once(answering):
    pages = {"": instance_page(["i-1", "i-2"], "b"), "b": instance_page(["i-2", "i-3"])}
    with answering(lambda request: pages[request.parameters.get("NextToken", "")]):
        answer = ecs.instances(HERE, "cn-hangzhou")
    assert [info.instance_id for info in answer.value] == ["i-1", "i-2", "i-3"]


def test_a_page_token_that_comes_again_ends_the_reading(answering):
    with (
        answering(lambda request: instance_page(["i-1"], "again")) as endpoint,
        pytest.raises(ecs.NoAnswer, match="same page twice"),
    ):
        ecs.instances(HERE, "cn-hangzhou")
    assert len(endpoint.requests) == 2


def test_agents_are_asked_for_fifty_at_a_time(answering):
    def behaviour(request):
        rows = [
            {"InstanceId": name, "CloudAssistantStatus": "true", "OSType": "Linux"}
            for name in request.ids()
        ]
        wrapped = {"InstanceCloudAssistantStatus": rows}
        return {"InstanceCloudAssistantStatusSet": wrapped, "NextToken": ""}

    ids = [f"i-{number:04}" for number in range(120)]
    with answering(behaviour) as endpoint:
        answer = ecs.agents(HERE, "cn-hangzhou", ids)
    assert [info.instance_id for info in answer.value] == ids
    assert sorted(len(request.ids()) for request in endpoint.requests) == [20, 50, 50]


def test_results_page_inside_their_invocation(answering):
    def behaviour(request):
        start = int(request.parameters.get("NextToken", 0))
        rows = [{"InstanceId": f"i-{start + n}", "InvocationStatus": "Success"} for n in range(50)]
        token = "" if start else "50"
        return {"Invocation": {"InvocationResults": {"InvocationResult": rows}, "NextToken": token}}

    with answering(behaviour):
        answer = ecs.results(HERE, "cn-hangzhou", "t-1")
    assert [row.instance_id for row in answer.value] == [f"i-{n}" for n in range(100)]


def test_named_instances_travel_as_one_json_string(answering):
    with answering(lambda request: instance_page(["i-1"])) as endpoint:
        ecs.instances(HERE, "cn-hangzhou", ids=["i-1", "i-2"])
    assert endpoint.requests[0].parameters["InstanceIds"] == '["i-1", "i-2"]'
    assert "InstanceIds.1" not in endpoint.requests[0].parameters


def test_no_names_no_question(answering):
    with answering(lambda request: instance_page(["i-1"])) as endpoint:
        assert ecs.instances(HERE, "cn-hangzhou", ids=[]).value == []
    assert endpoint.requests == []


def test_finding_runs_stops_paging_when_all_were_seen(answering):
    def behaviour(request):
        start = int(request.parameters.get("NextToken", 0))
        rows = [{"InvokeId": f"t-{start}", "InvocationStatus": "Running"}]
        return {"Invocations": {"Invocation": rows}, "NextToken": str(start + 1)}

    with answering(behaviour) as endpoint:
        answer = ecs.invocations(HERE, "cn-hangzhou", wanted={"t-0", "t-2"})
    assert answer.value.keys() == {"t-0", "t-1", "t-2"}
    assert len(endpoint.requests) == 3
