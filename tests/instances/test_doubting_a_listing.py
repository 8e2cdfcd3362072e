"""A listing that is empty, broken or suddenly short releases nobody; a person is asked."""

import pytest
from django.contrib.auth.models import User

from instances import presence
from instances.models import Instance, Region
from portal.audit.models import AuditEntry
from portal.transitions import WrongState
from tests.instances.syncing import HANGZHOU, later, look, present, region_named, released, told

pytestmark = pytest.mark.django_db
FLEET = [f"i-{number}" for number in range(100)]


@pytest.mark.parametrize(
    ("known", "allowed"),
    [(0, 0), (1, 0), (2, 0), (3, 1), (6, 2), (9, 3), (100, 3), (199, 3), (200, 4), (10_000, 200)],
)
def test_small_regions_may_lose_a_few_and_large_ones_two_percent(known, allowed):
    assert presence.may_go(known) == allowed


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "empty", "operation": "DescribeInstances"},
        {"kind": "html", "operation": "DescribeInstances"},
        {"kind": "shape", "operation": "DescribeInstances"},
        {"kind": "reset", "operation": "DescribeInstances"},
        {"kind": "error", "operation": "DescribeInstances"},
        {"kind": "throttle", "operation": "DescribeInstances", "retry_after": 60_000},
    ],
    ids=lambda fault: fault["kind"],
)
def test_no_fault_of_a_listing_releases_anybody(cloud, fault):
    region = region_named()
    look(region)
    everybody = present()
    cloud.faults(fault)
    for _look in range(3):
        outcome = look(region)
        later()
    assert present() == everybody and released() == set()
    assert region.state in (Region.State.FAILED, Region.State.DOUBTED) and region.problem
    assert outcome.released == 0
    cloud.restore()


def test_a_region_recovers_by_itself_when_the_listing_is_whole_again(cloud):
    region = region_named()
    look(region)
    cloud.faults({"kind": "empty", "operation": "DescribeInstances", "count": 1})
    look(region)
    assert region.state == Region.State.DOUBTED
    look(region)
    assert region.state == Region.State.CURRENT and not region.problem
    assert not Instance.objects.exclude(missed_at=None).exists()


def test_too_many_missing_at_once_are_doubted_and_named():
    region = region_named()
    told(region, FLEET)
    outcome = told(region, FLEET[:96], seconds=60)
    assert outcome.state == Region.State.DOUBTED
    assert "lacks 4 of 100 instances" in region.problem
    assert set(region.doubted_ids) == set(FLEET[96:])
    told(region, FLEET[:96], seconds=120)
    assert released() == set()


def test_what_is_still_listed_is_kept_current_while_in_doubt():
    region = region_named()
    told(region, FLEET)
    told(region, FLEET[:50] + ["i-new"], seconds=60)
    assert region.state == Region.State.DOUBTED
    assert "i-new" in present()


def test_an_accepted_shrink_releases_exactly_what_the_person_saw(django_user_model):
    region = region_named()
    told(region, FLEET)
    told(region, FLEET[:90], seconds=60)
    boss = django_user_model.objects.create(username="boss")
    region.accept_shrink(boss, via="page")
    told(region, FLEET[:89], seconds=120)  # one more is gone: a normal one, within bounds
    told(region, FLEET[:89], seconds=180)
    assert released() == set(FLEET[89:])
    assert region.accepted_ids == [] and region.state == Region.State.CURRENT
    entry = AuditEntry.objects.get(act="region.shrink_accepted")
    assert entry.actor == boss and entry.details["gone"] == 10


def test_acceptance_does_not_cover_a_further_shrink():
    region = region_named()
    told(region, FLEET)
    told(region, FLEET[:90], seconds=60)
    region.accept_shrink("shell:me", via="command")
    told(region, FLEET[:50], seconds=120)
    told(region, FLEET[:50], seconds=180)
    assert region.state == Region.State.DOUBTED
    assert released() == set()


def test_a_doubt_that_grew_since_the_person_looked_is_not_accepted():
    region = region_named()
    told(region, FLEET)
    told(region, FLEET[:90], seconds=60)
    seen = region.doubt()
    told(region, FLEET[:10], seconds=120)
    with pytest.raises(WrongState, match="changed since"):
        region.accept_shrink("shell:me", via="command", doubt=seen)
    region.accept_shrink("shell:me", via="command", doubt=region.doubt())


def test_only_a_doubt_can_be_accepted():
    region = region_named()
    told(region, FLEET)
    with pytest.raises(WrongState):
        region.accept_shrink(User(username="x"), via="page")
    assert not AuditEntry.objects.exists()


def test_a_person_who_speaks_while_a_look_goes_on_is_heard():
    region = region_named()
    told(region, FLEET)
    told(region, FLEET[:50], seconds=60)
    stale = Region.objects.get(pk=region.pk)
    region.accept_shrink("shell:me", via="command")
    told(stale, FLEET[:50], seconds=120)
    assert stale.state == Region.State.CURRENT and len(stale.accepted_ids) == 50


def test_a_missing_right_is_not_an_empty_region(cloud, rightless):
    region = region_named(HANGZHOU)
    with rightless(region.account):
        outcome = look(region)
    assert outcome.state == Region.State.FAILED
    assert "ecs:DescribeInstances" in region.problem
    assert region.synced_at is None


def test_an_empty_region_of_an_able_identity_is_just_empty(cloud):
    region = region_named("cn-beijing")
    assert look(region).state == Region.State.CURRENT
    assert region.instance_count == 0


def test_agents_and_events_that_cannot_be_asked_are_named_and_the_rest_goes_on(cloud):
    region = region_named()
    cloud.faults(
        {"kind": "error", "operation": "DescribeCloudAssistantStatus"},
        {"kind": "html", "operation": "DescribeInstanceHistoryEvents"},
    )
    look(region)
    assert region.state == Region.State.CURRENT and present()
    assert "DescribeCloudAssistantStatus" in region.problem
    assert "DescribeInstanceHistoryEvents" in region.problem
    assert {row.agent_state() for row in Instance.objects.all()} == {"unknown"}
