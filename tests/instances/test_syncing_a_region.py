"""A look at a region brings our rows up to date, all of them, and only what changed."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from instances import ecs, jobs, sync
from instances.models import Instance, Region, SystemEvent
from portal import work
from tests.factories import AccountFactory
from tests.instances.syncing import (
    HANGZHOU,
    SINGAPORE,
    claimed,
    later,
    look,
    present,
    region_named,
    released,
)

pytestmark = pytest.mark.django_db


def machines(cloud, region=HANGZHOU):
    return {machine.instance_id: machine for machine in cloud.cloud.world.machines_in(region)}


def test_the_whole_fleet_of_a_region_is_mirrored(cloud):
    region = region_named()
    outcome = look(region)
    fleet = machines(cloud)
    assert present() == set(fleet) and outcome.new == len(fleet) > 10
    for row in Instance.objects.prefetch_related("addresses", "tags"):
        machine = fleet[row.instance_id]
        assert (row.name, row.hostname, row.status) == (
            machine.name,
            machine.hostname,
            machine.status,
        )
        assert {address.address for address in row.addresses.all()} >= set(machine.private_ips)
        assert {tag.key: tag.value for tag in row.tags.all()} == dict(machine.tags)
        assert row.os_type in ("linux", "windows") and row.started_at and row.seen_at
    assert (region.state, region.instance_count) == (Region.State.CURRENT, len(fleet))
    assert region.synced_at and region.due_at > timezone.now()


def test_the_agents_are_mirrored_with_version_and_heartbeat(cloud):
    look(region_named())
    states = {row.name: row.agent_state() for row in Instance.objects.all()}
    assert states["web-01"] == "alive"
    alive = Instance.objects.get(name="web-01")
    assert alive.agent_version and alive.agent_heartbeat_at


def test_an_agent_that_fell_silent_is_seen_so_at_the_next_look(cloud):
    region = region_named()
    look(region)
    web = Instance.objects.get(name="web-01")
    cloud.change(web.instance_id, agent="stopped")  # ECS itself notices after two minutes
    machines(cloud)[web.instance_id].agent.stopped_at -= timedelta(minutes=5)
    look(region)
    web.refresh_from_db()
    assert web.agent_state() == "silent"


def test_events_come_in_all_statuses_with_their_instance(cloud):
    look(region_named())
    events = SystemEvent.objects.all()
    assert events.exists() and not events.filter(instance=None).exists()
    over = ("Executed", "Avoided", "Canceled", "Failed")
    assert events.filter(cycle_status__in=over).exists()


def test_a_second_look_writes_nothing_but_what_changed(cloud):
    region = region_named()
    look(region)
    web = Instance.objects.get(name="web-01")
    cloud.change(web.instance_id, name="renamed")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        look(region)
    web.refresh_from_db()
    assert web.name == "renamed"
    writes = [query["sql"] for query in queries if "INSERT" in query["sql"]]
    assert not any("instances_instancetag" in sql or "address" in sql for sql in writes)
    assert not any("instances_systemevent" in sql for sql in writes)


def test_an_instance_that_is_gone_is_released_after_two_looks_and_comes_back(cloud):
    region = region_named()
    look(region)
    gone = Instance.objects.get(name="web-01").instance_id
    cloud.change(gone, released=True)
    assert look(region).missed == 1 and released() == set()
    later()
    assert look(region).released == 1 and released() == {gone}
    cloud.change(gone, released=False)
    look(region)
    assert released() == set() and gone in present()


def test_two_looks_at_once_are_one_look(cloud):
    region = region_named()
    look(region)
    gone = Instance.objects.get(name="web-01").instance_id
    cloud.change(gone, released=True)
    look(region)
    assert look(region).released == 0, "the second look came too soon after the first"


def test_regions_do_not_touch_each_other(cloud):
    look(region_named(HANGZHOU))
    look(region_named(SINGAPORE))
    rows = Instance.objects.filter(region=SINGAPORE)
    assert set(rows.values_list("instance_id", flat=True)) == set(machines(cloud, SINGAPORE))


def test_the_job_does_it_once_for_each_due_time(cloud, django_capture_on_commit_callbacks):
    region = region_named(due_at=timezone.now())
    assert jobs.sync_region(region.pk) is True
    assert jobs.sync_region(region.pk) is False
    assert Instance.objects.exists()


def test_a_look_that_lost_its_claim_writes_nothing(cloud):
    region = region_named()
    mine = claimed(region)
    Region.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert work.claim(Region, region.pk)
    with pytest.raises(work.Fenced):
        sync.look(mine)
    assert not Instance.objects.exists()


def test_a_disabled_account_is_left_alone(cloud):
    region = region_named()
    type(region.account).objects.update(enabled=False)
    before = cloud.counters()["calls"]
    look(region)
    assert cloud.counters()["calls"] == before and region.due_at is None


def test_widths_and_oddities_of_ecs_do_not_break_a_look(answering):
    row = {
        "InstanceId": "i-odd",
        "InstanceName": "n" * 500,
        "HostName": "a\0b",
        "Cpu": 10**12,
        "Memory": -5,
        "VpcAttributes": {"PrivateIpAddress": {"IpAddress": ["10.0.0.1", "no address"]}},
        "PublicIpAddress": {"IpAddress": ["10.0.0.1"]},
        "Tags": {"Tag": [{"TagKey": "k" * 300, "TagValue": None}] * 2},
        "CreationTime": "yesterday",
    }

    def behaviour(request):
        return {
            "Instances": {"Instance": [row]},
            "InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": []},
            "InstanceSystemEventSet": {"InstanceSystemEventType": []},
        }

    with answering(behaviour):
        look(region_named())
    odd = Instance.objects.get()
    assert len(odd.name) == 128 and odd.hostname == "a�b" and odd.memory_mib == 0
    assert odd.addresses.get().public and odd.tags.get().key == "k" * 128
    assert odd.agent_state() == "silent"


def test_any_number_of_instances_takes_a_bounded_number_of_statements():
    region = region_named()
    infos = [
        ecs.InstanceInfo(f"i-{n}", HANGZHOU, private_ips=(f"10.0.{n >> 8}.{n & 255}",))
        for n in range(3000)
    ]
    sync.keep(claimed(region), sync.Reading(infos), timezone.now())
    with CaptureQueriesContext(connection) as queries:
        sync.keep(claimed(region), sync.Reading(infos), timezone.now())
    assert len(queries) < 30
    assert AccountFactory().instances.count() == 3000
