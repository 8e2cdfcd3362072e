"""What ECS repeats and was not made here is listed, and stopped by whoever may."""

from datetime import timedelta

import pytest
from django.utils import timezone

from commands import elsewhere, jobs
from commands.models import Dispatch, TimedLook, TimedRun
from instances import ecs
from instances.models import Instance
from portal.audit.models import AuditEntry
from tests.commands.conftest import HANGZHOU, ask
from tests.factories import InstanceFactory, RegionFactory, a_person

pytestmark = pytest.mark.django_db
REGION = "cn-hangzhou"
WEB = HANGZHOU["web-01"]


@pytest.fixture
def region(cloud, web):
    return RegionFactory(account=web.account, region_id=REGION, instance_count=1)


@pytest.fixture
def elsewhere_made(cloud, web, request) -> str:
    """The InvokeId of a run that somebody made in the console."""
    answer = ecs.run_script(
        web.account.signing(),
        REGION,
        [WEB],
        "echo from the console",
        type="RunShellScript",
        token=f"{request.node.name[:40]}-{timezone.now().timestamp()}",
        timeout=60,
        name="night job",
        repeat_mode="Period",
        frequency="0 0 2 * * ? Asia/Shanghai",
    )
    return answer.value.invoke_id


def look() -> TimedLook:
    elsewhere.hang_up()
    TimedLook.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    for row in TimedLook.objects.all():
        elsewhere.look(row.pk)
    return TimedLook.objects.get()


def carry_on(run: TimedRun) -> TimedRun:
    TimedRun.objects.filter(pk=run.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    elsewhere.carry_on(run.pk)
    run.refresh_from_db()
    return run


def mirrored(invoke_id: str) -> TimedRun:
    look()
    return TimedRun.objects.get(invoke_id=invoke_id)


def test_it_is_listed_with_what_ecs_tells(client, region, elsewhere_made):
    run = mirrored(elsewhere_made)
    assert (run.name, run.frequency, run.repeat_mode, run.size) == (
        "night job",
        "0 0 2 * * ? Asia/Shanghai",
        "Period",
        1,
    )
    assert [row.instance_id for row in run.instances.all()] == [WEB]
    client.force_login(a_person("viewer"))
    page = client.get("/schedules/").text
    assert elsewhere_made in page
    assert "echo from the console" in page
    assert "/stop/" not in page


def test_who_does_not_see_its_instances_does_not_see_it(client, region, elsewhere_made):
    run = mirrored(elsewhere_made)
    client.force_login(a_person("manager", region="cn-beijing"))
    assert elsewhere_made not in client.get("/schedules/").text
    assert client.get(f"/schedules/elsewhere/{run.pk}/stop/").status_code == 404


def test_one_look_costs_one_call_and_what_is_ours_is_not_listed(client, cloud, region, web):
    ours = ask(web, repeat_mode="EveryReboot")
    jobs.carry_on(ours.dispatches.get().pk)
    before = cloud.counters()["calls"].get("DescribeInvocations", 0)
    look()
    assert cloud.counters()["calls"]["DescribeInvocations"] - before == 1
    invoke_id = Dispatch.objects.get().invoke_id
    assert invoke_id
    assert not TimedRun.objects.filter(invoke_id=invoke_id).exists()


def test_stopping_is_asked_then_confirmed(client, cloud, region, elsewhere_made):
    run = mirrored(elsewhere_made)
    person = a_person("operator")
    client.force_login(person)
    url = f"/schedules/elsewhere/{run.pk}/stop/"
    assert "not made here" in client.get(url).text
    before = cloud.counters()["acts"].get("stops", 0)
    client.post(url)
    run.refresh_from_db()
    assert run.stop == "wanted"
    assert AuditEntry.objects.get(act="timed_run.stopped").actor == person
    run = carry_on(run)
    while run.stop == "asked":
        run = carry_on(run)
    assert (run.stop, run.gone_at is not None) == ("confirmed", True)
    assert cloud.counters()["acts"]["stops"] - before == 1
    assert "confirmed" in client.get("/schedules/").text


def test_a_wish_whose_answer_was_lost_is_asked_again(cloud, region, elsewhere_made):
    run = mirrored(elsewhere_made)
    elsewhere.stop(run, None, via="command")
    cloud.faults({"kind": "lost", "operation": "StopInvocation", "count": 3})
    assert carry_on(run).stop == "wanted"
    assert run.error
    for _look in range(5):
        run = carry_on(run)
    assert run.stop in ("confirmed", "ended")


def test_without_a_last_word_it_is_called_lost(cloud, region, elsewhere_made):
    run = mirrored(elsewhere_made)
    elsewhere.stop(run, None, via="command")
    TimedRun.objects.update(deadline=timezone.now())
    cloud.faults({"kind": "lost", "operation": "*"})
    assert carry_on(run).stop == "lost"


def test_a_refusal_is_told(cloud, region, elsewhere_made):
    run = mirrored(elsewhere_made)
    TimedRun.objects.update(invoke_id="t-unknown")
    run.refresh_from_db()
    elsewhere.stop(run, None, via="command")
    assert carry_on(run).stop == "refused"
    assert "does not exist" in run.error


def test_a_mode_without_runs_ends_nobody_elses(cloud, region, elsewhere_made):
    run = mirrored(elsewhere_made)
    ecs.configure(endpoint=cloud.endpoint, mode="diagnose")
    before = cloud.counters()["acts"].get("stops", 0)
    elsewhere.stop(run, None, via="command")
    assert carry_on(run).stop == "refused"
    assert "PORTAL_MODE" in run.error
    assert cloud.counters()["acts"].get("stops", 0) == before


def test_what_ended_is_no_longer_listed(client, region, elsewhere_made, web):
    run = mirrored(elsewhere_made)
    ecs.stop(web.account.signing(), REGION, elsewhere_made)
    look()
    run.refresh_from_db()
    assert run.gone_at is not None
    client.force_login(a_person("manager"))
    assert elsewhere_made not in client.get("/schedules/").text


def test_a_region_that_refuses_says_so_and_keeps_what_is_known(
    client, cloud, region, elsewhere_made
):
    run = mirrored(elsewhere_made)
    fault = {"kind": "error", "operation": "DescribeInvocations", "status": 403}
    cloud.faults({**fault, "code": "Forbidden.RAM", "message": "not you"})
    assert "not you" in look().problem
    run.refresh_from_db()
    assert run.gone_at is None
    client.force_login(a_person("manager"))
    assert "not you" in client.get("/schedules/").text


def test_nobody_stops_it_on_instances_that_they_do_not_see(client, cloud, region, elsewhere_made):
    run = mirrored(elsewhere_made)
    other = InstanceFactory(region="cn-beijing")
    run.instances.add(other)
    TimedRun.objects.update(size=2)
    client.force_login(a_person("operator", region=REGION))
    client.post(f"/schedules/elsewhere/{run.pk}/stop/")
    run.refresh_from_db()
    assert run.stop == ""
    assert Instance.objects.count() == 2
