"""An instance that is not mirrored yet is fetched by id, address or name."""

import pytest

from instances import ecs, lookup
from instances.models import Instance
from tests.factories import AccountFactory
from tests.instances.syncing import HANGZHOU, SINGAPORE

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("what", ["id", "name", "private", "public"])
def test_it_is_found_however_it_is_named(cloud, what):
    machine = next(m for m in cloud.cloud.world.machines_in(HANGZHOU) if m.name == "web-01")
    named = {
        "id": machine.instance_id,
        "name": machine.name,
        "private": machine.private_ips[0],
        "public": "203.0.113.11",
    }[what]
    row = lookup.fetch_one(AccountFactory(), HANGZHOU, named)
    assert row == Instance.objects.get(instance_id=machine.instance_id)
    assert row.agent_state() == "alive" and row.addresses.count() == 2


@pytest.mark.parametrize("named", ["i-nowhere", "10.255.255.255", "nobody", "*", "", "i-1 or 2"])
def test_what_ecs_does_not_know_is_none(cloud, named):
    assert lookup.fetch_one(AccountFactory(), HANGZHOU, named) is None
    assert not Instance.objects.exists()


def test_regions_are_kept_apart(cloud):
    machine = cloud.cloud.world.machines_in(HANGZHOU)[0]
    assert lookup.fetch_one(AccountFactory(), SINGAPORE, machine.instance_id) is None


def test_an_agent_that_cannot_be_asked_hides_no_instance(cloud):
    cloud.faults({"kind": "error", "operation": "DescribeCloudAssistantStatus"})
    machine = cloud.cloud.world.machines_in(HANGZHOU)[0]
    row = lookup.fetch_one(AccountFactory(), HANGZHOU, machine.instance_id)
    assert row.agent_state() == "unknown"


def test_nobody_answering_is_said(cloud):
    cloud.faults({"kind": "html", "operation": "DescribeInstances"})
    with pytest.raises(ecs.NoAnswer):
        lookup.fetch_one(AccountFactory(), HANGZHOU, "i-abc")


def test_a_released_one_that_answers_again_is_present(cloud):
    account, machine = AccountFactory(), cloud.cloud.world.machines_in(HANGZHOU)[0]
    row = lookup.fetch_one(account, HANGZHOU, machine.instance_id)
    Instance.objects.update(released_at="2026-01-01T00:00Z")
    lookup.fetch_one(account, HANGZHOU, machine.instance_id)
    row.refresh_from_db()
    assert row.released_at is None
