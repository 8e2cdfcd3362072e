"""`manage.py run_command` runs, waits, shows, and says by its exit code whether all succeeded."""

import io
import json
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from commands.management.commands import run_command
from commands.models import FreezeWindow, Invocation, SavedCommand
from instances.models import Instance
from portal.secrets import unseal
from tests.commands.conftest import HANGZHOU
from tests.commands.test_composing_a_run import ready
from tests.factories import AccountFactory, InstanceFactory, RegionFactory, a_person

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


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


@pytest.fixture
def login() -> SavedCommand:
    command = SavedCommand.objects.create(name="Log in")
    command.revise(
        by=None,
        parameters=[{"name": "token", "kind": "secret"}, {"name": "who", "kind": "text"}],
        script="login {{who}} {{token}}",
        type="RunShellScript",
        timeout=60,
    )
    return command


def test_secrets_come_from_a_file_or_from_stdin(login, tmp_path, monkeypatch):
    ready(name="web-01")
    file = tmp_path / "parameters"
    file.write_text("token=a=b\n\nwho=li\n")
    asked = ("--command", "log in", "web-01", "--parameters")
    assert call(*asked, str(file))[0] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(file.read_text()))
    assert call(*asked, "-")[0] == 0
    for run in Invocation.objects.all():
        assert run.parameters == {"who": "li"}
        assert unseal(run.sealed) == {"token": "a=b"}


def test_what_is_not_given_has_its_default(login):
    ready(name="web-01")
    revision = login.newest()
    asked = [{"name": "token", "kind": "text"}, {"name": "who", "kind": "text", "default": "li"}]
    login.revise(by=None, parameters=asked, **revision.as_script())
    asked = ("--command", "log in", "web-01", "--parameter")
    assert call(*asked, "token=x")[0] == 0
    assert Invocation.objects.get().parameters == {"token": "x", "who": "li"}
    code, _out, err = call(*asked, "tokn=x")
    assert (code, "no parameter tokn" in err) == (2, True)
    assert Invocation.objects.count() == 1
    assert call("--text", "echo {{who}}", "web-01", "--parameter", "who=li")[0] == 2


def test_a_dry_run_tells_a_program_whom_it_reaches():
    row = ready(name="web-01")
    _code, out, _err = call("--text", "uptime", "web-01", "--dry-run", "--format", "json")
    assert json.loads(out) == {"instances": [row.instance_id]}
    assert not Invocation.objects.exists()


def test_a_bad_line_of_parameters_is_named_by_its_number_alone(login, tmp_path):
    file = tmp_path / "parameters"
    file.write_text("who=li\nh4rdToGuess\n")
    code, _out, err = call("--command", "log in", "web-01", "--parameters", str(file))
    assert (code, "line 2" in err, "h4rdToGuess" in err) == (2, True, False)


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


def test_several_tags_must_all_fit(web):
    for name, tags in {
        "web-01": {"tier": "gold", "shop": "west"},
        "web-02": {"tier": "gold"},
    }.items():
        for key, value in tags.items():
            web[name].tags.create(key=key, value=value)
    code, _out, err = call("--text", "true", "--tag", "tier=gold", "--tag", "shop", "--dry-run")
    assert (code, "reaches 1 instance\n" in err) == (0, True)
    assert call("--text", "true", *["--tag=x"] * 2, "--dry-run")[0] == 0
    assert call("--text", "true", "--tag", "tier=gold", "--dry-run")[2].count("2 instances") == 1


@pytest.fixture
def at_a_terminal(monkeypatch):
    """Ctrl-C is pressed at the first wait; the answer to the question is what the test says."""
    sleep = time.sleep

    def pressed(answer: str) -> None:
        waits = iter([KeyboardInterrupt])

        def wait(_seconds: float) -> None:
            if stop := next(waits, None):
                raise stop
            sleep(0.05)

        monkeypatch.setattr(run_command, "time", SimpleNamespace(sleep=wait))
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)

    return pressed


def test_ctrl_c_offers_to_stop_the_run_and_tells_how_it_ended(web, cloud, at_a_terminal):
    at_a_terminal("y")
    code, out, err = call("--text", "sleep 30", "web-01", "--wait")
    assert "Stop it? [y/N]" in err
    assert (code, "1 stopped" in out) == (1, True)
    assert Invocation.objects.get().stop_asked_at is not None


def test_ctrl_c_and_a_no_leave_the_run_alone(web, at_a_terminal):
    at_a_terminal("n")
    code, _out, err = call("--text", "sleep 2", "web-01", "--wait")
    run = Invocation.objects.get()
    assert code == 130 and f"run {run.pk} goes on without you" in err
    assert run.stop_asked_at is None and run.state == "running"


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


@pytest.fixture
def idle(db) -> Instance:
    """Fit to be asked; nobody is there to answer."""
    return ready(name="idle-01")


def test_a_freeze_takes_a_reason_here_too(idle):
    now = timezone.now()
    FreezeWindow.objects.create(name="year end", starts_at=now, ends_at=now + HOUR, reason="books")
    code, _out, err = call("--text", "uptime", "idle-01")
    assert code == 2 and "freeze year end until" in err and "say why it cannot wait" in err
    assert not Invocation.objects.exists()
    assert call("--text", "uptime", "idle-01", "--why", "the disk is full")[0] == 0
    assert Invocation.objects.get().freeze_reason == "the disk is full"


def test_what_the_rules_say_is_told_and_that_it_waits_for_somebody_else(idle):
    code, _out, err = call("--text", "mkfs.ext4 /dev/vdb1", "idle-01")
    assert code == 0
    assert "demands approval: Formatting or overwriting a disk" in err
    assert "it waits until somebody else has approved it" in err


def test_none_at_once_is_not_all_at_once(idle):
    code, _out, err = call("--text", "uptime", "idle-01", "--at-most", "0")
    assert code == 2 and "concurrency" in err
    assert not Invocation.objects.exists()
