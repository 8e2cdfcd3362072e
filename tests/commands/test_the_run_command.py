"""`manage.py run_command` runs, waits, shows, and says by its exit code whether all succeeded."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from commands.models import Invocation, SavedCommand
from instances.models import Instance
from tests.commands.conftest import HANGZHOU
from tests.factories import AccountFactory, InstanceFactory, RegionFactory, a_person

pytestmark = pytest.mark.django_db


def call(*words: str, **options) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("run_command", *words, stdout=out, stderr=err, **options)
        code = 0
    except SystemExit as ended:
        code = ended.code
    except CommandError as error:
        code = error.returncode
        err.write(str(error))
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def web(cloud, sandbox_needed) -> dict[str, Instance]:
    now, account = timezone.now(), AccountFactory()
    alive = {"agent_running": True, "agent_heartbeat_at": now, "agent_asked_at": now}
    return {
        name: InstanceFactory(name=name, instance_id=instance_id, account=account, **alive)
        for name, instance_id in HANGZHOU.items()
    }


def test_a_script_runs_and_identical_answers_are_printed_once(web):
    code, out, err = call("--text", "echo hello", "web-01", "web-02", "--wait", "--group")
    assert code == 0
    assert out.count("hello") == 1
    assert "(2 instances)" in out
    assert "reaches 2 instances" in err


def test_not_all_succeeding_ends_with_1_and_tells_all_as_json(web):
    code, out, _err = call("--text", "hostname; exit 3", "web-01", "--wait", "--format", "json")
    told = json.loads(out)
    assert code == 1
    assert told["outcomes"] == {"failed": 1}
    assert told["answers"][0]["exit_code"] == 3
    assert told["answers"][0]["output"] == "web-01\n"


def test_a_saved_command_runs_with_its_parameters(web):
    SavedCommand.objects.create(name="Greet").revise(
        by=None,
        parameters=[{"name": "who", "kind": "text"}],
        script="echo hello {{who}}",
        type="RunShellScript",
        timeout=60,
    )
    code, out, _err = call("--command", "greet", "--parameter", "who=you", "web-01", "--wait")
    assert code == 0
    assert "hello you" in out
    assert Invocation.objects.get().revision.number == 1


def test_without_waiting_it_is_only_sent(web):
    code, out, _err = call("--text", "true", "web-01", "--format", "json")
    run = Invocation.objects.get()
    assert (code, json.loads(out)) == (0, {"run": run.pk, "instances": 1})
    assert run.state == "running"


def test_a_dry_run_says_on_whom_and_sends_nothing(web):
    RegionFactory(region_id="cn-hangzhou")
    code, _out, err = call("--text", "true", "--region", "cn-hangzhou", "--dry-run")
    assert code == 0
    assert "reaches 2 instances" in err
    assert not Invocation.objects.exists()


def test_unknown_instances_end_with_3_and_send_nothing(web):
    code, _out, err = call("--text", "true", "web-01", "nobody")
    assert code == 3
    assert "nobody" in err
    assert not Invocation.objects.exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--text", "true", "web-01", "--timeout", "5"], "timeout"),
        (["--text", "true"], "text"),
        (["--command", "none", "web-01"], "--command"),
        (["--text", "true", "--of-group", "none"], "--of-group"),
        (["--script", "/nowhere", "web-01"], "--script"),
        (["--text", "true", "web-01", "--max-errors", "many"], "max_errors"),
        (["--text", "true", "web-01", "--parameter", "x"], "--parameter"),
        (["--text", "true", "web-01", "--as", "nobody"], "--as"),
    ],
)
def test_bad_usage_ends_with_2_and_names_the_argument(web, words, named):
    code, _out, err = call(*words)
    assert code == 2
    assert named in err
    assert not Invocation.objects.exists()


def test_acting_as_somebody_sees_and_may_what_they_do(web):
    narrowed = a_person("operator", region="cn-beijing")
    code, _out, _err = call("--text", "true", "web-01", "--as", narrowed.username)
    assert code == 3
    viewer = a_person("viewer")
    assert call("--text", "true", "web-01", "--as", viewer.username)[0] == 2
