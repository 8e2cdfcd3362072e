"""What burns stands on the front page; what a person may not see does not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from diagnostics.models import DiagnosisCase
from tests.factories import (
    CaseFactory,
    EventFactory,
    InstanceFactory,
    RegionFactory,
    UserFactory,
    a_person,
)

pytestmark = pytest.mark.django_db
CONCLUDED = DiagnosisCase.State.CONCLUDED


def page(client) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def support(client):
    person = a_person("support")
    client.force_login(person)
    return person


def test_what_burns_is_named(client, support):
    crashed = InstanceFactory(name="crashed-1")
    CaseFactory(instance=crashed, state=CONCLUDED, crashed=True, kind="kernel_panic")
    EventFactory(instance=InstanceFactory(name="failed-1"), type="SystemFailure.Reboot")
    due = timezone.now() + timedelta(hours=30)
    EventFactory(instance=InstanceFactory(name="due-1"), not_before=due)
    InstanceFactory(name="silent-1", agent_running=False)
    RegionFactory(state="doubted", problem="9 of 10 gone")
    CaseFactory(instance=InstanceFactory(name="mine-1"), opened_by=support)
    shown = page(client)
    for words in ("crashed-1", "failed-1", "due-1", "in 29 h", "silent-1", "9 of 10", "mine-1"):
        assert words in shown


def test_an_empty_portal_says_so_without_a_fault(client, support):
    RegionFactory(synced_at=timezone.now())
    shown = page(client)
    assert "No case found a crash." in shown and "Nothing is scheduled" in shown
    assert "Every running instance can be reached." in shown


def test_before_ecs_was_read_nothing_is_said_to_be_well(client, support):
    RegionFactory(synced_at=None, state="failed", problem="no usable credentials")
    shown = page(client)
    assert shown.count("ECS has not been read yet.") == 3
    for words in ("Nothing is scheduled", "reported no failure", "can be reached"):
        assert words not in shown


def test_the_trend_has_its_numbers_in_words(client, support):
    for _ in range(3):
        CaseFactory(state=CONCLUDED, crashed=True, kind="kernel_panic")
    bar = client.get("/").context["trend"][-1]
    assert (bar.crashes, bar.failures) == (3, 0)
    assert f'<td>{timezone.localdate():%Y-%m-%d}</td><td class="number">3</td>' in page(client)


def test_another_region_stays_out_of_the_news(client):
    there = InstanceFactory(name="elsewhere", region="cn-beijing", agent_running=False)
    CaseFactory(instance=there, state=CONCLUDED, crashed=True, kind="kernel_panic")
    EventFactory(instance=there, type="SystemFailure.Reboot")
    RegionFactory(region_id="cn-beijing", state="doubted", problem="secret")
    client.force_login(a_person("support", region="cn-hangzhou"))
    shown = page(client)
    assert "elsewhere" not in shown and "secret" not in shown


def test_a_person_without_a_role_sees_the_frame_only(client):
    client.force_login(UserFactory())
    assert "Crashes of the last" not in page(client)


def test_many_rows_cost_no_more_queries(client, support, django_assert_max_num_queries):
    for _ in range(20):
        machine = InstanceFactory(agent_running=False)
        CaseFactory(instance=machine, state=CONCLUDED, crashed=True, opened_by=support)
        EventFactory(instance=machine, type="SystemFailure.Reboot")
    page(client)
    with django_assert_max_num_queries(30):
        page(client)


@pytest.mark.parametrize("asked", ["web-1", "i-one", "10.9.8.7", "host-1", " web-1 "])
def test_a_name_leads_to_its_instance(client, support, asked):
    one = InstanceFactory(name="web-1", instance_id="i-one", hostname="host-1")
    one.addresses.create(address="10.9.8.7")
    answer = client.get("/search/", {"q": asked})
    assert answer.url == one.get_absolute_url()


def test_a_name_of_two_leads_to_both(client, support):
    InstanceFactory.create_batch(2, name="twin")
    answer = client.get("/search/", {"q": "twin"}, follow=True)
    assert len(answer.context["page"]) == 2


@pytest.mark.parametrize("asked", ["", "\x00", "nobody", "%", "x" * 9000, "<b>"])
def test_a_name_of_nobody_leads_to_an_empty_list_or_all(client, support, asked):
    assert client.get("/search/", {"q": asked}, follow=True).status_code == 200


def test_a_hidden_instance_is_not_found_by_its_id(client):
    hidden = InstanceFactory(region="cn-beijing", name="veiled-7")
    client.force_login(a_person(region="cn-hangzhou"))
    answer = client.get("/search/", {"q": hidden.instance_id}, follow=True)
    assert b"veiled-7" not in answer.content


def test_cases_stand_in_the_timeline_of_their_instance(client, support):
    machine = InstanceFactory()
    CaseFactory(instance=machine, state=CONCLUDED, kind="kernel_panic")
    EventFactory(instance=machine)
    moments = client.get(machine.get_absolute_url()).context["moments"]
    assert {moment.what for moment in moments} == {"event", "case"}
