"""Throttling rests one operation of one region, longer each time, and nothing else."""

import pytest

from instances import ecs, ecs_call
from instances.throttle import MustRest, Throttle
from tests.instances.endpoint import error, instance_page

HERE = ecs.Account()
KEY, OTHER = ("default", "cn-hangzhou", "A"), ("default", "cn-hangzhou", "B")


class Clock:
    def __init__(self):
        self.now, self.slept = 1000.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(ecs_call, "_throttle", Throttle(clock=clock, sleep=clock.sleep))
    return clock


@pytest.mark.parametrize("code", ["Throttling", "Throttling.User", "Throttling.Api"])
def test_every_kind_of_throttling_is_waited_out(answering, clock, code):
    answers = iter([error(400, code), error(429, code), instance_page(["i-1"])])
    with answering(lambda request: next(answers)):
        assert ecs.instances(HERE, "cn-hangzhou").value
    assert clock.slept == [1.0, 2.0]


def test_ecs_may_say_how_long_to_rest(answering, clock):
    answers = iter([error(400, "Throttling.User", x_acs_retry_after="3500"), instance_page([])])
    with answering(lambda request: next(answers)):
        ecs.instances(HERE, "cn-hangzhou")
    assert clock.slept == [3.5]


def test_a_long_rest_is_handed_to_the_caller(answering, clock):
    answer = error(400, "Throttling.User", x_acs_retry_after="30000")
    with answering(lambda request: answer) as endpoint:
        with pytest.raises(ecs.Throttled) as caught:
            ecs.instances(HERE, "cn-hangzhou")
        with pytest.raises(ecs.Throttled, match="rests for 30 s"):
            ecs.instances(HERE, "cn-hangzhou")
    assert caught.value.retry_after == 30
    assert len(endpoint.requests) == 1 and clock.slept == []


def test_other_regions_and_operations_go_on(answering, clock):
    def behaviour(request):
        if request.action == "DescribeInstances" and request.parameters["RegionId"] == "cn-beijing":
            return error(400, "Throttling.User", x_acs_retry_after="60000")
        return instance_page(["i-1"]) | {"Regions": {"Region": [{"RegionId": "cn-beijing"}]}}

    with answering(behaviour):
        with pytest.raises(ecs.Throttled):
            ecs.instances(HERE, "cn-beijing")
        assert ecs.instances(HERE, "cn-hangzhou").value
        assert ecs.regions(HERE).value
    assert clock.slept == []


def test_after_a_rest_calls_are_tried_one_a_second_until_one_gets_through():
    clock = Clock()
    throttle = Throttle(rate=10, burst=5, clock=clock, sleep=clock.sleep)
    throttle.pause(KEY)
    throttle.wait(KEY, 60)
    throttle.wait(KEY, 60)
    throttle.passed(KEY)
    throttle.wait(KEY, 60)
    assert clock.slept == [1.0, 1.0]


def test_a_bucket_lets_a_burst_through_and_then_the_rate():
    clock = Clock()
    throttle = Throttle(rate=10, burst=5, clock=clock, sleep=clock.sleep)
    for _call in range(8):
        throttle.wait(KEY, 60)
    throttle.wait(OTHER, 60)
    assert clock.slept == [0.1, 0.1, 0.1]


def test_who_cannot_wait_takes_no_turn():
    clock = Clock()
    throttle = Throttle(rate=1, burst=1, clock=clock, sleep=clock.sleep)
    throttle.pause(KEY, 10)
    for _caller in range(3):
        with pytest.raises(MustRest) as caught:
            throttle.wait(KEY, 2)
        assert caught.value.seconds == 10


def test_rests_grow_to_a_minute():
    throttle = Throttle(clock=Clock())
    assert [throttle.pause(KEY) for _time in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
