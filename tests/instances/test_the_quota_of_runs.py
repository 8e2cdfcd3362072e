"""How many runs a day ECS allows is asked once a day, and its absence is no trouble."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from instances.models import Region

pytestmark = pytest.mark.django_db
HANGZHOU = {"region_id": "cn-hangzhou"}


def asked(cloud) -> int:
    return cloud.counters()["calls"].get("DescribeAccountAttributes", 0)


def test_the_limit_is_mirrored_and_not_asked_for_again_the_same_day(cloud):
    call_command("sync_instances", "--region", "cn-hangzhou")
    region = Region.objects.get(**HANGZHOU)
    assert region.runs_a_day == cloud.cloud.runs.daily
    before = asked(cloud)
    call_command("sync_instances", "--region", "cn-hangzhou")
    assert asked(cloud) == before
    Region.objects.filter(**HANGZHOU).update(quota_at=timezone.now() - timedelta(days=2))
    call_command("sync_instances", "--region", "cn-hangzhou")
    assert asked(cloud) == before + 1


def test_a_refusal_leaves_the_region_current(cloud):
    cloud.faults({"kind": "error", "operation": "DescribeAccountAttributes", "status": 403})
    call_command("sync_instances", "--region", "cn-hangzhou")
    region = Region.objects.get(**HANGZHOU)
    assert (region.state, region.problem, region.runs_a_day) == ("current", "", None)
