"""Versions and silence at a glance; an installation is asked once more and done by ECS."""

import pytest
from django.core.management import call_command
from django.utils import timezone

from commands import agents
from commands.models import AgentInstall
from instances.models import Instance
from portal.audit.models import AuditEntry
from tests.commands.conftest import HANGZHOU
from tests.factories import AccountFactory, InstanceFactory, a_person

pytestmark = pytest.mark.django_db
URL = "/agents/install/"


@pytest.fixture
def web(db) -> Instance:
    return InstanceFactory(name="web-01", instance_id=HANGZHOU["web-01"], account=AccountFactory())


def installed(cloud, instance: Instance) -> int:
    return cloud.counters().get("installs", {}).get(instance.instance_id, 0)


def test_versions_are_counted_and_old_ones_named(client):
    now = timezone.now()
    alive = {"agent_running": True, "agent_heartbeat_at": now, "agent_asked_at": now}
    InstanceFactory.create_batch(2, agent_version="2.2.3.857", **alive)
    InstanceFactory(agent_version="2.2.3.256", **alive)
    InstanceFactory(agent_running=False, agent_asked_at=now)
    InstanceFactory()
    client.force_login(a_person("viewer"))
    page = client.get("/agents/").text
    assert "2.2.3.857" in page
    assert "too old for the exit codes" in page
    found = agents.versions(Instance.objects.all())
    assert [(row.number, row.count, row.old) for row in found] == [
        ("2.2.3.857", 2, False),
        ("2.2.3.256", 1, True),
        ("", 2, False),
    ]
    assert agents.states(Instance.objects.all()) == {"alive": 3, "silent": 1, "unknown": 1}


def test_it_is_asked_once_more_and_then_done_by_ecs(client, cloud, web):
    client.force_login(a_person("operator"))
    before = installed(cloud, web)
    assert "Install on 1 instance" in client.post(URL, {"instance": [web.pk]}).text
    assert not AgentInstall.objects.exists()

    client.post(URL, {"instance": [web.pk], "sure": "1"})
    wish = AgentInstall.objects.get()
    agents.carry_on(wish.pk)

    wish.refresh_from_db()
    assert (wish.state, wish.due_at) == ("done", None)
    assert wish.request_id
    assert installed(cloud, web) == before + 1
    assert AuditEntry.objects.filter(act="agent.install_asked").count() == 1


def test_a_refusal_is_told_and_a_throttle_is_repeated(cloud, web):
    (wish,) = agents.install([web], by=None, via="command")
    cloud.faults({"kind": "throttle", "operation": "InstallCloudAssistant"})
    agents.carry_on(wish.pk)
    wish.refresh_from_db()
    assert wish.state == "waiting"
    assert wish.due_at > timezone.now()

    cloud.faults({"kind": "error", "operation": "InstallCloudAssistant", "status": 403})
    AgentInstall.objects.update(due_at=timezone.now())
    agents.carry_on(wish.pk)
    wish.refresh_from_db()
    assert wish.state in ("failed", "waiting")
    assert wish.error


def test_what_one_does_not_see_is_not_touched(client, web):
    client.force_login(a_person("operator", region="cn-beijing"))
    client.post(URL, {"instance": [web.pk], "sure": "1"})
    assert not AgentInstall.objects.exists()


def test_fifty_instances_make_a_call():
    account = AccountFactory()
    machines = InstanceFactory.create_batch(51, account=account)
    assert [w.instances.count() for w in agents.install(machines, by=None, via="x")] == [50, 1]


def test_the_demo_fleet_has_agents(cloud, client):
    call_command("sync_instances", "--region", "cn-hangzhou")
    assert agents.states(Instance.objects.all())["alive"] > 5


def test_without_a_running_one_the_list_keeps_its_filter(client):
    stopped = InstanceFactory(status="Stopped")
    client.force_login(a_person("operator"))
    answer = client.post(URL, {"instance": [stopped.pk], "filtered": "os=linux&tag=env%3Dprod"})
    assert answer.url == "/instances/?os=linux&tag=env%3Dprod"


def test_those_that_are_left_out_are_counted_before_it_is_done(client):
    running, stopped = InstanceFactory(), InstanceFactory(status="Stopped")
    client.force_login(a_person("operator"))
    page = client.post(URL, {"instance": [running.pk, stopped.pk]}).text
    assert "1 ticked instance is left out" in page
