"""The inventory's pages: what they find, what they hide, what they cost."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from instances import event_filter
from instances.models import InstanceAddress, InstanceGroup, InstanceTag, Region, SystemEvent
from portal.audit.models import AuditEntry
from tests.factories import (
    AccountFactory,
    EventFactory,
    InstanceFactory,
    RegionFactory,
    UserFactory,
    a_person,
)
from tests.sizes import sample

pytestmark = pytest.mark.django_db
LIST = "/instances/"
HOSTILE = ["\x00", "'\"><script>", "%", "a" * 5000, "🦊", "1 OR 1=1", "key=" + "v" * 500, "[]"]


@pytest.fixture
def viewer(client):
    person = a_person()
    client.force_login(person)
    return person


@pytest.fixture
def operator(client):
    person = a_person("operator")
    client.force_login(person)
    return person


def shown(client, query: str = "") -> set[str]:
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    return {row.name for row in answer.context["page"]}


def heard(seconds: int) -> dict:
    now = timezone.now()
    beat = now - timedelta(seconds=seconds)
    return {"agent_running": True, "agent_heartbeat_at": beat, "agent_asked_at": now}


@pytest.fixture
def fleet():
    InstanceFactory(name="web", os_type="linux", **heard(10))
    windows = InstanceFactory(name="win", os_type="windows", region="cn-beijing", **heard(600))
    InstanceTag.objects.create(instance=windows, key="env", value="prod")
    InstanceAddress.objects.create(instance=windows, address="10.1.2.3")
    InstanceFactory(name="off", status="Stopped", hostname="db-off", agent_running=False)
    InstanceFactory(name="gone", released_at=timezone.now())
    for region in ("cn-hangzhou", "cn-beijing"):
        RegionFactory(region_id=region)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"web", "win", "off"}),
        ("region=cn-beijing", {"win"}),
        ("status=Stopped", {"off"}),
        ("os=windows", {"win"}),
        ("agent=alive", {"web"}),
        ("agent=silent", {"win", "off"}),
        ("tag=env", {"win"}),
        ("tag=env%3Dprod", {"win"}),
        ("tag=env%3Dtest", set()),
        ("text=10.1.2", {"win"}),
        ("text=db-", {"off"}),
        ("text=web+10.1.2.3,nobody", {"web", "win"}),
        ("released=only", {"gone"}),
        ("released=shown&text=gone", {"gone"}),
        ("text=gone", set()),
    ],
)
def test_a_filter_finds(client, viewer, fleet, query, names):
    assert shown(client, query) == names


@pytest.mark.parametrize("field", ["text", "region", "status", "os", "agent", "tag", "group", "at"])
@pytest.mark.parametrize("value", sample(HOSTILE, 3))
def test_hostile_filters_are_answered(client, viewer, fleet, field, value):
    for page in (LIST, "/instances/events/"):
        assert client.get(page, {field: value, "since": value, "sort": value}).status_code == 200


@pytest.mark.parametrize(
    "scope",
    [
        {"region": "cn-beijing"},
        {"tag_key": "env"},
        {"tag_key": "env", "tag_value": "prod"},
    ],
)
def test_a_scope_narrows_every_page(client, fleet, scope):
    client.force_login(a_person(**scope))
    assert shown(client) == {"win"}
    assert b"web" not in b"".join(client.get(f"{LIST}?csv=1"))


def test_another_account_is_out_of_sight(client):
    mine, other = AccountFactory(name="mine"), AccountFactory(name="other")
    hidden = InstanceFactory(account=other, name="theirs")
    EventFactory(instance=hidden)
    InstanceFactory(account=mine, name="ours")
    client.force_login(a_person(account=mine))
    assert shown(client) == {"ours"}
    assert client.get(hidden.get_absolute_url()).status_code == 404
    assert not client.get("/instances/events/").context["page"].rows


def test_a_person_without_a_scope_is_told_why_and_whom_to_ask(client, fleet):
    person = a_person()
    person.scopes.all().delete()
    client.force_login(person)
    for page in (LIST, "/instances/events/", "/instances/regions/"):
        assert b"Ask an administrator" in client.get(page).content


def test_the_pages_show_what_there_is(client, viewer):
    instance = InstanceFactory(name="<b>web", lock_reasons=["financial"], **heard(10))
    event = EventFactory(instance=instance, not_before=timezone.now() + timedelta(hours=5))
    page = client.get(instance.get_absolute_url()).content.decode()
    for words in ("&lt;b&gt;web", instance.instance_id, "financial", "alive", event.type):
        assert words in page
    assert "in 4 h" in page  # the deadline
    assert event.event_id in client.get(event.get_absolute_url()).content.decode()


def test_an_event_is_found_by_its_instance(client, viewer):
    event = EventFactory(instance=InstanceFactory(name="web-7"))
    EventFactory()
    for asked in (event.event_id, "web-7", event.instance_id_text):
        page = client.get("/instances/events/", {"text": asked}).context["page"]
        assert [row.pk for row in page] == [event.pk]


def test_ticked_instances_become_a_group(client, operator, fleet):
    picked = InstanceFactory(name="picked")
    asked = {"name": "mine", "keep": "picked", "instance": [str(picked.pk), "x", "9" * 30]}
    client.post(reverse("instances:group-new"), asked)
    group = InstanceGroup.objects.get(name="mine")
    assert list(group.members.all()) == [picked] and group.filter is None
    assert shown(client, f"group={group.pk}") == {"picked"}
    assert AuditEntry.objects.filter(act="group.added", actor=operator).exists()


def test_a_filter_becomes_a_group_that_follows_the_fleet(client, operator, fleet):
    asked = {"name": "bj", "keep": "filter", "filtered": "region=cn-beijing"}
    client.post(reverse("instances:group-new"), asked)
    InstanceFactory(name="later", region="cn-beijing")
    group = InstanceGroup.objects.get(name="bj")
    assert {row.name for row in client.get(group.get_absolute_url()).context["page"]} == {
        "win",
        "later",
    }


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "x", "keep": "picked"},
        {"name": "x", "keep": "filter", "filtered": ""},
        {"name": "x", "keep": "filter", "filtered": "region=mars"},
        {"name": "", "keep": "filter", "filtered": "os=linux"},
        {"name": "\x00", "keep": "filter", "filtered": "os=linux"},
        {"name": "y" * 81, "keep": "filter", "filtered": "os=linux"},
        {"name": "x", "keep": "all"},
    ],
)
def test_a_group_of_nothing_or_of_everything_is_not_made(client, operator, fleet, asked):
    answer = client.post(reverse("instances:group-new"), asked, follow=True)
    assert answer.status_code == 200 and not InstanceGroup.objects.exists()
    assert b"note-bad" in answer.content


def test_a_group_cannot_hold_what_its_maker_does_not_see(client):
    hidden = InstanceFactory(region="cn-beijing")
    client.force_login(a_person("operator", region="cn-hangzhou"))
    asked = {"name": "x", "keep": "picked", "instance": [hidden.pk]}
    client.post(reverse("instances:group-new"), asked)
    assert not InstanceGroup.objects.get(name="x").members.exists()


def test_a_group_with_an_unknown_filter_holds_nothing(client, viewer, fleet):
    group = InstanceGroup.objects.create(
        name="x", owner=UserFactory(), filter={"colour": "red", "os": "linux"}
    )
    answer = client.get(group.get_absolute_url())
    assert not answer.context["page"].rows and b"cannot be read" in answer.content
    assert shown(client, f"group={group.pk}") == set()


def test_a_doubted_region_is_accepted_once_and_written_down(client, operator):
    region = RegionFactory(state=Region.State.DOUBTED, problem="9 of 10 gone")
    assert b"9 of 10 gone" in client.get("/instances/regions/").content
    url = reverse("instances:region-accept", args=[region.pk])
    client.post(url)
    region.refresh_from_db()
    assert region.state != Region.State.DOUBTED and region.due_at is not None
    assert AuditEntry.objects.filter(act="region.shrink_accepted").count() == 1
    client.post(url)
    assert AuditEntry.objects.filter(act="region.shrink_accepted").count() == 1


def test_a_csv_holds_what_the_list_holds(client, viewer, fleet):
    text = b"".join(client.get(f"{LIST}?csv=1&os=windows")).decode()
    assert "win" in text and "10.1.2.3" in text and "env=prod" in text and "web" not in text


@pytest.mark.parametrize("page", [LIST, "/instances/events/", "/instances/groups/"])
def test_a_long_list_costs_no_more_queries(client, operator, django_assert_max_num_queries, page):
    for _ in range(30):
        instance = InstanceFactory()
        InstanceAddress.objects.create(instance=instance, address="10.0.0.1")
        EventFactory(instance=instance)
        InstanceGroup.objects.create(name=instance.name, owner=operator)
    client.get(page)
    with django_assert_max_num_queries(13):
        client.get(page)


def test_an_instance_with_a_long_past_costs_no_more_queries(
    client, viewer, django_assert_max_num_queries
):
    instance = InstanceFactory()
    for _ in range(30):
        EventFactory(instance=instance)
    with django_assert_max_num_queries(17):
        client.get(instance.get_absolute_url())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it reads the plan in SQLite's words")
def test_events_of_an_instance_are_found_without_reading_all_events():
    found = event_filter.narrow(SystemEvent.objects.all(), {"text": "web-01"})

    assert "SCAN instances_systemevent" not in found.order_by().explain()
