"""`manage.py diagnose`: from the shell to the report, with exit codes for scripts."""

import json

import pytest
from django.core.management import call_command

from diagnostics.models import DiagnosisCase
from instances import ecs, ecs_call
from instances.models import Instance
from portal.audit.models import AuditEntry
from tests.diagnostics.cases.conftest import machine
from tests.factories import AccountFactory, InstanceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def account(db, monkeypatch):
    monkeypatch.setattr(ecs_call, "PATIENCE", 0.2)
    return AccountFactory()


def diagnose(capsys, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    try:
        call_command("diagnose", *words)
        code = 0
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return code, out, err


def test_an_instance_that_is_not_mirrored_is_fetched_and_diagnosed(cloud, sandbox_needed, capsys):
    real = machine(cloud, "api-01")
    words = (real.instance_id, "--region", real.region, "--format", "json")
    code, out, _err = diagnose(capsys, *words)
    told = json.loads(out)
    assert code == 0 and told["verdict"]["kind"] == "kernel_panic"
    assert (told["instance_id"], told["region"]) == (real.instance_id, real.region)
    assert told["report"].startswith("# Diagnosis report")
    assert Instance.objects.get().instance_id == real.instance_id
    assert AuditEntry.objects.get(act="case.opened").via == "command"


def test_a_name_and_a_time_do_as_well(cloud, sandbox_needed, capsys):
    real = machine(cloud, "api-01")
    at = real.truth.down_at.isoformat()
    code, out, _err = diagnose(capsys, "api-01", "--region", real.region, "--at", at)
    assert code == 0 and out.startswith("# Diagnosis report")
    assert "reported time (± 30 minutes)" in out.replace("\\", "")


def test_a_time_at_which_nothing_happened(cloud, sandbox_needed, capsys):
    from datetime import timedelta

    real = machine(cloud, "api-01")
    at = (real.truth.down_at - timedelta(days=2)).isoformat()
    words = ("api-01", "--region", real.region, "--at", at, "--format", "json")
    code, out, _err = diagnose(capsys, *words)
    assert code == 0
    assert json.loads(out)["verdict"]["kind"] in ("none", "undetermined")


@pytest.mark.parametrize("name", ["i-bp1nosuchmachine00x", "10.250.0.1", "no-such-host"])
def test_an_unknown_instance_ends_with_3_and_says_so(cloud, capsys, name):
    code, out, err = diagnose(capsys, name, "--region", "cn-hangzhou")
    assert code == 3 and name in err and "cn-hangzhou" in err
    assert DiagnosisCase.objects.get().kind == "undetermined"
    assert "Diagnostic Conclusion" in out


def test_a_region_that_ecs_does_not_know_ends_with_3_too(cloud, capsys):
    code, out, err = diagnose(capsys, "10.250.0.1", "--region", "cn-mars")
    assert code == 3 and "cn-mars" in err
    assert "InvalidRegionId.NotFound" in out and "Diagnostic Conclusion" in out


def test_a_cloud_that_cannot_be_reached_ends_with_4(cloud, capsys):
    ecs.configure(endpoint="http://127.0.0.1:9", mode="full")
    InstanceFactory(instance_id="i-bp1known00000000000")
    code, out, err = diagnose(capsys, "i-bp1known00000000000", "--region", "cn-hangzhou")
    assert code == 4 and "could not be reached" in err
    assert "undetermined" in out
    code, _out, _err = diagnose(capsys, "i-bp1unknown000000000", "--region", "cn-hangzhou")
    assert code == 4


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("a b", "--region", "cn-hangzhou"), "instance"),
        (("'; drop", "--region", "cn-hangzhou"), "instance"),
        (("x" * 200, "--region", "cn-hangzhou"), "instance"),
        (("web", "--region", "Hangzhou!"), "--region"),
        (("web", "--region", "cn-hangzhou", "--account", "nobody"), "--account"),
        (("web", "--region", "cn-hangzhou", "--at", "yesterday"), "--at"),
        (("web", "--region", "cn-hangzhou", "--at", "2999-01-01T00:00"), "--at"),
        (("web", "--region", "cn-hangzhou", "--at", "1999-01-01T00:00"), "--at"),
        (("web", "--region", "cn-hangzhou", "--within", "0"), "--within"),
    ],
)
def test_bad_usage_ends_with_2_names_the_argument_and_opens_no_case(capsys, words, named):
    code, out, err = diagnose(capsys, *words)
    assert code == 2 and named in err and not out
    assert not DiagnosisCase.objects.exists()


def test_an_ambiguous_name_is_asked_back(capsys):
    twins = [InstanceFactory(name="twin").instance_id, InstanceFactory(name="twin").instance_id]
    code, _out, err = diagnose(capsys, "twin", "--region", "cn-hangzhou")
    assert code == 2 and all(each in err for each in twins)
