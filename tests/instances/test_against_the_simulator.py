"""The traps once more, with the whole simulated cloud at the other end; it is the witness."""

import uuid
from datetime import timedelta

import pytest

from instances import ecs
from tests.instances.syncing import HANGZHOU, SINGAPORE
from tests.simulation import in_a_thread

HERE = ecs.Account()


@pytest.fixture(scope="module")
def big():
    with in_a_thread("fleet:430") as simulator:
        yield simulator


@pytest.fixture
def large(big):
    ecs.configure(endpoint=big.endpoint, mode="full")
    return big


@pytest.fixture
def web(cloud):
    return next(m for m in cloud.cloud.world.machines_in(HANGZHOU) if m.name == "web-01")


def start(instance_id, token, script="true"):
    return ecs.run_script(
        HERE, HANGZHOU, [instance_id], script, type="RunShellScript", token=token, timeout=60
    )


def runs_started(cloud):
    return cloud.counters()["acts"].get("invocations", 0)


@pytest.mark.parametrize("region", [HANGZHOU, "cn-shanghai", SINGAPORE])
def test_every_machine_of_a_large_region_is_listed_once(large, region):
    there = [machine.instance_id for machine in large.cloud.world.machines_in(region)]
    told = [info.instance_id for info in ecs.instances(HERE, region).value]
    assert sorted(told) == sorted(there)


def test_every_agent_is_told_in_chunks_and_in_pages(large):
    region = max(
        (HANGZHOU, "cn-shanghai", SINGAPORE, "cn-beijing"),
        key=lambda name: len(large.cloud.world.machines_in(name)),
    )
    there = {machine.instance_id for machine in large.cloud.world.machines_in(region)}
    assert len(there) > 100
    assert {agent.instance_id for agent in ecs.agents(HERE, region, there).value} == there
    assert {agent.instance_id for agent in ecs.agents(HERE, region).value} == there


def test_one_instance_that_is_gone_does_not_hide_the_agents_of_the_others(large):
    there = [machine.instance_id for machine in large.cloud.world.machines_in(HANGZHOU)][:40]
    told = ecs.agents(HERE, HANGZHOU, [*there[:7], ecs.NOWHERE, *there[7:]]).value
    assert [agent.instance_id for agent in told] == there


def test_an_instance_is_found_by_either_kind_of_address(cloud, web):
    (private,) = ecs.instances(HERE, HANGZHOU, private_ips=web.private_ips[:1]).value
    (public,) = ecs.instances(HERE, HANGZHOU, public_ips=["203.0.113.11"]).value
    assert private.instance_id == public.instance_id == web.instance_id


def test_a_lost_answer_and_the_same_token_make_one_run(cloud, web):
    token, before = str(uuid.uuid4()), runs_started(cloud)
    cloud.faults({"kind": "lost", "operation": "RunCommand", "count": ecs.ATTEMPTS})
    with pytest.raises(ecs.NoAnswer):
        start(web.instance_id, token)
    found = start(web.instance_id, token).value.invoke_id
    assert start(web.instance_id, token).value.invoke_id == found
    assert runs_started(cloud) == before + 1
    assert ecs.invocations(HERE, HANGZHOU, invoke_id=found).value.keys() == {found}


def test_the_same_token_with_another_script_is_refused(cloud, web):
    token = str(uuid.uuid4())
    start(web.instance_id, token)
    with pytest.raises(ecs.Refused) as caught:
        start(web.instance_id, token, script="false")
    assert caught.value.code == "IdempotentParameterMismatch"


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ({"kind": "html"}, ecs.NoAnswer),
        ({"kind": "shape"}, ecs.NoAnswer),
        ({"kind": "reset"}, ecs.NoAnswer),
        ({"kind": "error"}, ecs.NoAnswer),
        ({"kind": "error", "status": 403, "code": "Forbidden.RAM"}, ecs.NotPermitted),
        ({"kind": "throttle", "retry_after": 60_000}, ecs.Throttled),
    ],
)
def test_each_fault_has_its_name(cloud, fault, failure):
    cloud.faults({"operation": "DescribeInstances", **fault})
    with pytest.raises(failure) as caught:
        ecs.instances(HERE, HANGZHOU)
    assert type(caught.value) is failure


def test_a_read_gets_past_a_few_faults(cloud):
    cloud.faults({"kind": "reset", "operation": "DescribeInstances", "count": 2})
    assert ecs.instances(HERE, HANGZHOU).value


def test_events_of_every_status_come_back(cloud):
    told = ecs.system_events(HERE, HANGZHOU).value + ecs.system_events(HERE, SINGAPORE).value
    there = [
        (event.event_id, event.cycle_status)
        for machine in cloud.cloud.world.machines
        for event in getattr(machine, "events", ())
    ]
    assert len(told) == len(there) > 0


def test_events_can_be_bounded_by_their_time(cloud):
    everything = ecs.system_events(HERE, HANGZHOU).value
    newest = max(event.published_at for event in everything)
    late = ecs.system_events(HERE, HANGZHOU, since=newest - timedelta(seconds=1)).value
    assert 0 < len(late) < len(everything)


def test_console_and_screen_can_be_looked_at(cloud, web):
    cloud.cloud.screenshots.clear()
    console = ecs.console_output(HERE, HANGZHOU, web.instance_id).value
    assert "Linux version" in console.text and console.updated_at
    assert ecs.screenshot(HERE, HANGZHOU, web.instance_id).value.startswith(b"\xff\xd8")


def test_an_unknown_run_has_no_rows(cloud):
    assert ecs.results(HERE, HANGZHOU, "t-00000000000000000000").value == []
