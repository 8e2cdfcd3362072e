"""One reading of filter parameters, for lists, groups and runs."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from instances import filters
from instances.filters import BadFilter, Filter
from instances.models import Instance, InstanceAddress, InstanceGroup
from tests.factories import InstanceFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ALIVE = {"agent_running": True, "agent_asked_at": NOW, "agent_heartbeat_at": NOW}
STALE = {**ALIVE, "agent_heartbeat_at": NOW - timedelta(minutes=9)}


def names(query):
    return sorted(
        Filter.read(QueryDict(query)).apply(Instance.objects.all()).values_list("name", flat=True)
    )


@pytest.fixture(autouse=True)
def fleet():
    web = InstanceFactory(name="web", hostname="web.shop", **ALIVE)
    web.tags.create(key="team", value="shop")
    web.tags.create(key="tier", value="front")
    InstanceAddress.objects.create(instance=web, address="10.0.0.5")
    db = InstanceFactory(name="db", region="cn-beijing", status="Stopped", **STALE)
    db.tags.create(key="team", value="data")
    InstanceFactory(name="win", os_type="windows", resource_group_id="rg-office")
    InstanceFactory(name="old", released_at=NOW)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("resource_group=rg-office", ["win"]),
        ("", ["db", "web", "win"]),
        ("region=cn-beijing", ["db"]),
        ("status=Stopped", ["db"]),
        ("os=windows", ["win"]),
        ("account=default", ["db", "web", "win"]),
        ("account=other", []),
        ("agent=alive", ["web"]),
        ("agent=silent", ["db"]),
        ("agent=unknown", ["win"]),
        ("tag=team", ["db", "web"]),
        ("tag=team=shop", ["web"]),
        ("tag=team&tag=tier=front", ["web"]),
        ("tag=team=shop&tag=team=data", []),
        ("text=WE", ["web"]),
        ("text=shop", ["web"]),
        ("text=10.0.0", ["web"]),
        ("text=web+db", ["db", "web"]),
        ("released=only", ["old"]),
        ("released=shown", ["db", "old", "web", "win"]),
        ("unknown=parameter", ["db", "web", "win"]),
    ],
)
def test_each_parameter_narrows(query, expected):
    assert names(query) == expected


@pytest.mark.parametrize("state", ["alive", "silent", "unknown"])
def test_the_agent_filter_agrees_with_what_each_instance_says(state):
    chosen = {row.name for row in Instance.objects.all() if row.agent_state() == state}
    assert set(names(f"agent={state}&released=shown")) == chosen


def test_a_group_of_fixed_members_and_one_with_a_filter():
    owner = UserFactory()
    fixed = InstanceGroup.objects.create(name="fixed", owner=owner)
    fixed.members.add(Instance.objects.get(name="db"))
    saved = InstanceGroup.objects.create(name="saved", owner=owner, filter={"tag": ["team=shop"]})
    assert names(f"group={fixed.pk}") == ["db"]
    assert names(f"group={saved.pk}") == ["web"]
    assert names(f"group={saved.pk}&status=Stopped") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=running", "status"),
        ("os=beos", "os"),
        ("agent=maybe", "agent"),
        ("group=none", "group"),
        ("group=99999", "group"),
        ("group=²", "group"),
        ("text=" + "x" * 201, "text"),
        ("text=%00", "text"),
        ("&".join(f"tag=t{n}" for n in range(21)), "tag"),
    ],
)
def test_a_bad_value_is_refused_by_name(query, field):
    with pytest.raises(BadFilter) as caught:
        Filter.read(QueryDict(query))
    assert caught.value.field == field


def test_a_filter_survives_being_saved():
    wanted = Filter.read(QueryDict("region=cn-beijing&tag=a&tag=b=c"))
    assert Filter.read(wanted.saved()) == wanted


@pytest.mark.parametrize("value", [None, [], "x", {"group": "1"}, {"colour": "red"}])
def test_a_group_refuses_a_filter_that_cannot_be_read(value):
    with pytest.raises(BadFilter):
        filters.check_saved(value)
