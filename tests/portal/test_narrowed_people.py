"""Whoever sees a part of the fleet learns nothing of the rest, on any page, list or download."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from commands.models import Invocation
from instances import groups
from instances.filters import Filter
from instances.models import InstanceGroup, InstanceTag, SystemEvent
from tests.factories import (
    AccountFactory,
    CaseFactory,
    EventFactory,
    InstanceFactory,
    RegionFactory,
    UserFactory,
    a_person,
)

pytestmark = pytest.mark.django_db
SCOPES = ["account", "region", "tag"]
PAGES = (
    "/",
    "/search/?q=hidden",
    "/instances/",
    "/instances/?csv=1",
    "/instances/?text=hidden",
    "/instances/groups/",
    "/instances/events/",
    "/instances/events/?csv=1",
    "/instances/regions/",
    "/cases/",
    "/cases/?csv=1",
    "/runs/",
    "/runs/?csv=1",
    "/runs/new/",
    "/commands/",
    "/approvals/",
    "/agents/",
    "/schedules/",
)


class World:
    """Ours is seen; everything of the other account, region and tag is called hidden."""

    def __init__(self) -> None:
        mine, theirs = AccountFactory(name="ours"), AccountFactory(name="hidden-account")
        theirs.problem = "hidden-problem"
        theirs.save(update_fields=["problem"])
        self.instance = InstanceFactory(account=mine, region="cn-hangzhou", name="shown-01")
        InstanceTag.objects.create(instance=self.instance, key="team", value="ours")
        self.hidden = InstanceFactory(account=theirs, region="cn-hidden", name="hidden-01")
        InstanceTag.objects.create(instance=self.hidden, key="team", value="hidden-team")
        RegionFactory(account=mine, region_id="cn-hangzhou")
        RegionFactory(account=theirs, region_id="cn-hidden", state="failed", problem="hidden-why")
        owner = UserFactory(username="somebody-else")
        self.group = InstanceGroup.objects.create(name="hidden-group", owner=owner)
        self.group.members.set([self.hidden])
        self.mixed = InstanceGroup.objects.create(name="mixed-group", owner=owner)
        self.mixed.members.set([self.instance, self.hidden])
        self.event = EventFactory(instance=self.hidden, event_id="e-hidden")
        self.case = CaseFactory(instance=self.hidden, instance_text="hidden-01")
        self.run = Invocation.objects.create(
            name="hidden-run", script="true", type="RunShellScript", size=1
        )

    def person(self, narrowed_by: str, role: str = "operator") -> User:
        scope = {
            "account": {"account": self.instance.account},
            "region": {"region": "cn-hangzhou"},
            "tag": {"tag_key": "team", "tag_value": "ours"},
        }[narrowed_by]
        return a_person(role, **scope)


@pytest.fixture
def world() -> World:
    return World()


def body(answer) -> str:
    return answer.getvalue().decode() if answer.streaming else answer.text


@pytest.mark.parametrize("narrowed_by", SCOPES)
def test_no_page_or_download_names_what_is_hidden(client, world, narrowed_by):
    client.force_login(world.person(narrowed_by))
    for path in PAGES:
        text = body(client.get(path)).replace("q=hidden", "").replace('value="hidden"', "")
        text = text.replace("text=hidden", "")
        said = [line for line in text.splitlines() if "hidden-" in line and "visually" not in line]
        assert not said, (path, said)
        assert "e-hidden" not in text
        assert "cn-hidden" not in text


@pytest.mark.parametrize("narrowed_by", SCOPES)
def test_what_is_hidden_is_not_there_by_its_address_either(client, world, narrowed_by):
    client.force_login(world.person(narrowed_by))
    for path in (
        world.hidden.get_absolute_url(),
        world.group.get_absolute_url(),
        world.event.get_absolute_url(),
        world.case.get_absolute_url(),
        f"{world.case.get_absolute_url()}report/",
        world.run.get_absolute_url(),
    ):
        assert client.get(path).status_code == 404, path
    assert client.post(f"/instances/groups/{world.group.pk}/delete/").status_code == 404


def test_a_group_with_a_visible_member_is_shown_without_the_others(client, world):
    client.force_login(world.person("region"))
    page = client.get(world.mixed.get_absolute_url()).text
    assert "shown-01" in page
    assert "hidden-01" not in page


def test_a_group_that_holds_more_than_one_sees_is_not_deleted(client, world):
    client.force_login(world.person("region"))
    client.post(f"/instances/groups/{world.mixed.pk}/delete/")
    assert InstanceGroup.objects.filter(pk=world.mixed.pk).exists()


def test_a_group_of_visible_members_may_be_deleted(client, world):
    world.mixed.members.set([world.instance])
    client.force_login(world.person("region"))
    client.post(f"/instances/groups/{world.mixed.pk}/delete/")
    assert not InstanceGroup.objects.filter(pk=world.mixed.pk).exists()


def test_a_saved_filter_that_fits_nothing_visible_is_not_shown(client, world):
    owner = UserFactory()
    for name, region in (("hidden-filter", "cn-hidden"), ("shown-filter", "cn-hangzhou")):
        InstanceGroup.objects.create(name=name, owner=owner, filter=Filter(region=region).saved())
    client.force_login(world.person("region"))
    page = client.get("/instances/groups/").text
    assert "shown-filter" in page
    assert "hidden-filter" not in page


def test_filtering_by_a_hidden_group_is_refused_as_one_that_is_not_there(client, world):
    client.force_login(world.person("region"))
    hidden = client.get(f"/instances/?group={world.group.pk}").text
    absent = client.get("/instances/?group=99999").text
    wrong = "Select a valid choice"
    assert wrong in hidden
    assert wrong in absent


@pytest.mark.parametrize(("narrowed_by", "seen"), [("account", 1), ("region", 1), ("tag", 0)])
def test_events_of_unknown_instances_are_for_those_who_see_their_whole_place(
    world, narrowed_by, seen
):
    for account, region in (
        (world.instance.account, "cn-hangzhou"),
        (world.hidden.account, "cn-hidden"),
    ):
        SystemEvent.objects.create(
            account=account,
            region=region,
            event_id=f"e-{region}",
            instance=None,
            instance_id_text="i-unknown",
            type="SystemFailure.Reboot",
            cycle_status="Executed",
            seen_at=timezone.now(),
        )
    visible = SystemEvent.objects.visible_to(world.person(narrowed_by)).filter(instance=None)
    assert visible.count() == seen
    assert SystemEvent.objects.visible_to(a_person("viewer")).filter(instance=None).count() == 2


def test_somebody_without_a_scope_sees_no_account(client, world):
    person = a_person("operator")
    person.scopes.all().delete()
    client.force_login(person)
    assert "hidden-account" not in client.get("/").text


def test_many_saved_filters_are_tried_with_one_query(django_assert_max_num_queries):
    person, owner = a_person("operator", region="cn-hangzhou"), UserFactory()
    InstanceFactory(region="cn-hangzhou", name="here")
    for number in range(12):
        kept = Filter(region=("cn-hangzhou", "cn-hidden")[number % 2], text="here").saved()
        InstanceGroup.objects.create(name=f"group {number:02}", owner=owner, filter=kept)
    InstanceGroup.objects.create(name="unreadable", owner=owner, filter={"colour": "red"})

    with django_assert_max_num_queries(4):
        names = [group.name for group in groups.visible_to(person).order_by("name")]

    assert names == [f"group {number:02}" for number in range(0, 12, 2)]
