"""`manage.py check_readiness`: asks, waits, prints what is missing."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from commands.models import Invocation
from instances.models import InstanceGroup
from tests.factories import UserFactory, a_person

from .conftest import fleet

pytestmark = pytest.mark.django_db


def command(*arguments: str, **options) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("check_readiness", *arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        command(*arguments)
    return caught.value


def test_it_prints_what_is_missing_and_what_to_do(cloud):
    fleet(cloud, "sql-01")
    out, err = command("sql-01", "--steps")
    assert "reaches 1 instances" in err
    assert "missing  dump_enabled: Memory dumps are turned off." in out
    assert "CrashDumpEnabled 7 or 2" in out


def test_it_prints_json_of_a_group(cloud):
    group = InstanceGroup.objects.create(name="offices", owner=UserFactory())
    group.members.add(*fleet(cloud, "sql-01", "erp-01"))
    out, _err = command("--of-group", "offices", format="json")
    told = {row["name"]: row for row in json.loads(out)}
    (check,) = [c for c in told["sql-01"]["checks"] if c["name"] == "dump_enabled"]
    assert (check["state"], check["line"]) == ("missing", "CrashDumpEnabled=0")
    assert told.keys() == {"sql-01", "erp-01"}


def test_a_filter_picks_and_a_dry_run_asks_nobody(cloud):
    fleet(cloud, "sql-01", "web-01")
    _out, err = command("--os", "windows", "--dry-run")
    assert "reaches 1 instances" in err
    assert not Invocation.objects.exists()


def test_wrong_arguments_are_named(cloud):
    fleet(cloud, "sql-01")
    assert refused("no-such").returncode == 3
    assert refused().returncode == 2
    assert "one of: linux, windows" in str(refused("--os", "beos"))
    assert "there is no group nobodies" in str(refused("--of-group", "nobodies"))


def test_a_person_reaches_only_what_they_see(cloud):
    fleet(cloud, "sql-01")
    person = a_person("support", region="eu-central-1")
    assert refused("sql-01", "--as", person.username).returncode == 3
    assert "lacks the permission" in str(refused("sql-01", "--as", a_person().username))
