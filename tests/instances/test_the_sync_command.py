"""`manage.py sync_instances`: what it prints, and what its exit code says."""

import json

import pytest
from django.core.management import CommandError, call_command

from instances import ecs
from instances.models import CloudAccount, Instance, Region
from portal.audit.models import AuditEntry
from tests.instances.syncing import HANGZHOU, SINGAPORE, later, released

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_account(db):
    CloudAccount.objects.exclude(name="default").delete()
    CloudAccount.objects.get_or_create(name="default")


def sync(capsys, *arguments, code=0):
    """What it printed, as JSON, and whether it ended with this exit code."""
    found = 0
    try:
        call_command("sync_instances", "--format", "json", *arguments)
    except CommandError as error:
        found = error.returncode
    assert found == code
    out = capsys.readouterr().out
    return json.loads(out) if out else None


def test_all_regions_that_ecs_offers_are_mirrored(cloud, capsys):
    told = sync(capsys)
    counts = {look["region"]: look["instances"] for look in told["regions"]}
    assert counts[HANGZHOU] > 0 and counts[SINGAPORE] > 0 and counts["cn-beijing"] == 0
    assert sum(counts.values()) == Instance.objects.count()
    assert told["not_configured"] == [] and told["problems"] == []


def test_regions_that_hold_instances_but_are_not_configured_are_named(cloud, capsys, settings):
    settings.ECS_REGIONS = [HANGZHOU]
    told = sync(capsys)
    assert [look["region"] for look in told["regions"]] == [HANGZHOU]
    (place,) = told["not_configured"]
    assert place["region"] == SINGAPORE and place["instances"] > 0
    assert not Region.objects.get(region_id=SINGAPORE).configured
    assert not Instance.objects.filter(region=SINGAPORE).exists()


def test_a_region_that_ecs_does_not_offer_is_named(cloud, capsys, settings):
    settings.ECS_REGIONS = [HANGZHOU, "cn-hangzou"]
    told = sync(capsys, code=4)
    assert "cn-hangzou" in told["problems"][0]
    assert Instance.objects.filter(region=HANGZHOU).exists()


def test_one_region_failing_does_not_stop_the_others(cloud, capsys):
    cloud.faults({"kind": "html", "operation": "DescribeInstances", "region": HANGZHOU})
    told = sync(capsys, code=4)
    states = {look["region"]: look["state"] for look in told["regions"]}
    assert states[HANGZHOU] == "failed" and states[SINGAPORE] == "current"
    assert Instance.objects.filter(region=SINGAPORE).exists()


def test_missing_rights_are_told_as_refusals(cloud, capsys, rightless):
    with rightless(CloudAccount.objects.get()):
        told = sync(capsys, code=4)
    text = json.dumps(told)
    assert "ecs:DescribeInstances" in text or "ecs:DescribeRegions" in text


def test_nobody_answering_is_exit_code_4(capsys, settings):
    ecs.configure(endpoint="http://127.0.0.1:9", mode="full")
    sync(capsys, code=4)


@pytest.mark.parametrize(
    "arguments",
    [("--account", "nobody"), ("--region", "cn-nowhere"), ("--accept-shrink", "cn-nowhere")],
)
def test_what_does_not_exist_is_bad_usage(cloud, capsys, arguments):
    sync(capsys, *arguments, code=2)


def test_a_doubt_is_printed_and_accepted_by_name(cloud, capsys):
    sync(capsys, "--region", HANGZHOU)
    ids = list(Instance.objects.filter(region=HANGZHOU).values_list("instance_id", flat=True))
    for gone in ids[:6]:
        cloud.change(gone, released=True)
    told = sync(capsys, "--region", HANGZHOU)
    assert told["regions"][0]["state"] == "doubted"
    assert "lacks 6" in told["regions"][0]["problem"]
    sync(capsys, "--region", HANGZHOU, "--accept-shrink", HANGZHOU)
    later()
    sync(capsys, "--region", HANGZHOU)
    assert released() == set(ids[:6])
    assert AuditEntry.objects.filter(act="region.shrink_accepted", via="command").exists()
    sync(capsys, "--accept-shrink", HANGZHOU, code=2)


def test_the_text_says_it_in_plain_lines(cloud, capsys):
    call_command("sync_instances", "--region", HANGZHOU)
    out = capsys.readouterr().out
    assert f"default/{HANGZHOU}: " in out and "instances, current" in out


def test_regions_that_are_no_longer_configured_are_not_read_any_more(cloud, capsys, settings):
    sync(capsys)
    settings.ECS_REGIONS = [SINGAPORE]
    sync(capsys)
    dropped = Region.objects.get(region_id=HANGZHOU)
    assert not dropped.configured and dropped.due_at is None
    assert Instance.objects.filter(region=HANGZHOU).present().exists()
