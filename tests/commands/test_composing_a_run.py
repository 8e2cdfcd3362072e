"""From the form to a run: what runs and on whom is shown first, and only that is sent."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from commands import asking
from commands.models import CommandRevision, Invocation, SavedCommand
from instances.models import Instance, InstanceGroup, InstanceTag
from portal import secrets
from portal.audit.models import AuditEntry
from tests.factories import InstanceFactory, RegionFactory, a_person

pytestmark = pytest.mark.django_db
URL = "/runs/new/"


def ready(**fields) -> Instance:
    now = timezone.now()
    alive = {"agent_running": True, "agent_heartbeat_at": now, "agent_asked_at": now}
    return InstanceFactory(**alive | {"agent_version": "2.2.3.900"} | fields)


@pytest.fixture
def operator(client):
    person = a_person("operator")
    client.force_login(person)
    return person


def told(**fields) -> dict:
    return {"type": "RunShellScript", "script": "uptime", "timeout": "60", **fields}


def preview(client, **fields):
    return client.post(URL, told(stage="preview", **fields))


def carried(response, **fields) -> dict:
    """What the preview's own form would send."""
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', response.text)
    data: dict[str, list[str]] = {}
    for name, value in pairs:
        data.setdefault(name, []).append(value)
    return {**data, "stage": "send", **fields}


def test_the_preview_sends_nothing_and_says_on_whom(client, operator):
    ready(name="web-01")
    ready(name="web-02", status="Stopped")

    page = preview(client, text="web-01, web-02, web-99")

    assert page.status_code == 200
    assert not Invocation.objects.exists()
    assert "Run on 1 instance" in page.text
    assert "not running" in page.text
    assert "web-99" in page.text


def test_what_was_previewed_is_sent_once(client, operator):
    web = ready(name="web-01")
    page = preview(client, text="web-01")

    for _click in range(2):
        answer = client.post(URL, carried(page))

    run = Invocation.objects.get()
    assert answer.url == run.get_absolute_url()
    assert [t.instance for t in run.targets.all()] == [web]
    assert (run.script, run.asked_by) == ("uptime", operator)
    assert AuditEntry.objects.filter(act="run.asked").count() == 1


def test_a_reach_that_changed_since_is_shown_again(client, operator):
    ready(name="web-01")
    RegionFactory(region_id="cn-hangzhou")
    page = preview(client, **{"f-region": "cn-hangzhou", "f-os": "linux"})
    ready(name="web-02")

    answer = client.post(URL, carried(page))

    assert answer.status_code == 400
    assert "has changed since you looked" in answer.text
    assert not Invocation.objects.exists()
    client.post(URL, carried(answer))
    assert Invocation.objects.get().size == 2


def test_many_instances_need_their_number_typed(client, operator, settings):
    settings.RUN_CONFIRM_ABOVE = 1
    ready(name="web-01"), ready(name="web-02")
    page = preview(client, text="web-01 web-02")

    assert client.post(URL, carried(page)).status_code == 400
    assert client.post(URL, carried(page, typed="3")).status_code == 400
    assert not Invocation.objects.exists()
    assert client.post(URL, carried(page, typed="2")).status_code == 302


def test_instances_are_picked_by_group_name_and_tick_together(client, operator):
    one, _two, three = ready(name="a"), ready(name="b"), ready(name="c")
    group = InstanceGroup.objects.create(name="pair", owner=operator)
    group.members.set([one])

    page = preview(client, group=str(group.pk), text="b", instance=[str(three.pk)])

    assert "Run on 3 instances" in page.text


def test_a_filter_narrows_what_was_named(client, operator):
    one = ready(name="a")
    ready(name="b"), ready(name="c")
    InstanceTag.objects.create(instance=one, key="app", value="shop")

    page = preview(client, text="a b", **{"f-tag": "app=shop"})

    assert "Run on 1 instance" in page.text


def test_nothing_picked_is_not_the_whole_fleet(client, operator):
    ready()
    page = preview(client)
    assert page.status_code == 400
    assert "Say where" in page.text


def test_instances_out_of_scope_are_unknown(client):
    client.force_login(a_person("operator", region="cn-beijing"))
    ready(name="web-01", region="cn-hangzhou")
    page = preview(client, text="web-01")
    assert "No instance that you see answers to" in page.text
    assert client.post(URL, carried(page)).status_code == 400
    assert not Invocation.objects.exists()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"timeout": "5"}, "10 to 86400 seconds. ECS itself would silently take 10"),
        ({"script": "x" * 20_000}, "Cloud Assistant allows 24576"),
        ({"script": " "}, "must hold some text"),
        ({"type": "RunPythonScript"}, "not one of the available choices"),
        ({"working_dir": "tmp"}, "A whole path"),
        ({"max_errors": "101%"}, "0% to 100%"),
        ({"type": "RunBatScript", "username": "bob"}, "name of its password"),
        ({"type": "RunBatScript", "container_id": "c1"}, "Only shell scripts run in containers"),
        ({"f-os": "beos"}, "beos"),
    ],
)
def test_what_ecs_would_refuse_is_refused_by_field(client, operator, fields, says):
    ready(name="web-01")
    page = preview(client, text="web-01", **fields)
    assert page.status_code == 400
    assert says in page.text


def a_command(script: str = "echo {{word}}", parameters: tuple = ()) -> CommandRevision:
    command = SavedCommand.objects.create(name="greet")
    kept = [{"name": "word", "kind": "text"}, *parameters]
    return command.revise(
        by=None,
        parameters=kept,
        script=script,
        type="RunShellScript",
        timeout=60,
        username="",
        windows_password_name="",
        working_dir="",
        launcher="",
        termination_mode="",
        container_id="",
        container_name="",
    )


@pytest.fixture
def runner(client, operator):
    """May run saved commands only."""
    operator.groups.clear()
    for name in ("run_saved", "view_invocation"):
        operator.user_permissions.add(Permission.objects.get(codename=name))
    return operator


def test_free_text_needs_its_own_right(client, runner):
    ready(name="web-01")
    page = preview(client, text="web-01")
    assert page.status_code == 400
    assert "You may run saved commands only" in page.text


def test_a_saved_command_runs_with_its_parameters(client, runner):
    ready(name="web-01")
    revision = a_command()
    page = preview(client, text="web-01", revision=str(revision.pk), **{"p-word": "hello"})
    assert "echo hello" in page.text

    client.post(URL, carried(page))

    run = Invocation.objects.get()
    assert (run.revision, run.script, run.parameters) == (
        revision,
        "echo {{word}}",
        {"word": "hello"},
    )
    assert run.takes_parameters


def test_a_value_that_a_shell_reads_as_code_needs_the_right_to_free_text(client, runner):
    ready(name="web-01")
    revision = a_command()
    page = preview(client, text="web-01", revision=str(revision.pk), **{"p-word": "x; rm -rf /"})
    assert page.status_code == 400
    assert "read as code" in page.text


def test_an_old_pattern_that_cannot_be_read_is_named_at_its_field(client, operator):
    ready(name="web-01")
    old = {"name": "key", "kind": "regex", "pattern": r"(?!root)\w+"}
    revision = a_command("echo {{word}} {{key}}", (old,))

    page = preview(
        client, text="web-01", revision=str(revision.pk), **{"p-word": "x", "p-key": "me"}
    )

    assert page.status_code == 400
    assert "the pattern is no regular expression" in page.text


def test_a_secret_is_in_no_page_and_no_row(client, runner):
    ready(name="web-01")
    revision = a_command("login {{word}} {{key}}", ({"name": "key", "kind": "secret"},))
    fields = {"p-word": "bob", "p-key": "hunter2"}
    page = preview(client, text="web-01", revision=str(revision.pk), **fields)
    assert "hunter2" not in page.text

    client.post(URL, carried(page))

    run = Invocation.objects.get()
    assert "key" not in run.parameters
    assert b"hunter2" not in bytes(run.sealed)
    assert secrets.unseal(run.sealed) == {"key": "hunter2"}


def test_a_run_may_also_save_its_text_as_a_command(client, operator):
    ready(name="web-01")
    page = preview(client, text="web-01", save_as="Uptime")
    client.post(URL, carried(page))
    run = Invocation.objects.get()
    assert (run.revision.command.name, run.revision.number) == ("Uptime", 1)
    assert run.revision.command.owner == operator


def test_a_name_that_is_taken_sends_nothing(client, operator):
    ready(name="web-01")
    SavedCommand.objects.create(name="uptime")
    page = preview(client, text="web-01", save_as="Uptime")
    answer = client.post(URL, carried(page))
    assert answer.status_code == 400
    assert "There is a command of this name already" in answer.text
    assert not Invocation.objects.exists()


def test_back_keeps_what_was_typed(client, operator):
    ready(name="web-01")
    page = preview(client, text="web-01", name="my run")
    answer = client.post(URL, carried(page, stage="edit"))
    assert 'value="my run"' in answer.text
    assert "web-01" in answer.text


def test_the_reach_is_told_while_the_form_is_filled(client, operator):
    ready(name="web-01")
    answer = client.post(f"{URL}reach/", {"text": "web-01 nobody"})
    assert "1 instance" in answer.text
    assert "nobody" in answer.text


def test_the_calls_are_counted_as_they_will_be_cut(client, operator):
    RegionFactory(runs_a_day=3)
    for number in range(4):
        ready(name=f"web-{number}")
    page = preview(client, **{"f-os": "linux", "concurrency": "1"})
    assert "4 calls" in page.text
    assert "note-bad" in page.text
    assert "1 call;" in preview(client, **{"f-os": "linux"}).text


def test_places_that_nobody_fills_are_shown(client, operator):
    ready(name="web-01")
    page = preview(client, text="web-01", script="echo {{name}} {{ACS::RegionId}}")
    assert "sent as they stand: <code>{{name}}</code>" in " ".join(page.text.split())
    assert "sent as they stand" not in preview(client, text="web-01").text


def test_two_clicks_at_the_same_moment_make_one_run_and_show_it_twice(
    client, operator, monkeypatch
):
    ready(name="web-01")
    data = carried(preview(client, text="web-01"))
    asked = asking.ask

    def the_other_is_quicker(*args, **kwargs):
        asked(*args, **kwargs)
        return asked(*args, **kwargs)

    monkeypatch.setattr(asking, "ask", the_other_is_quicker)
    answer = client.post(URL, data)
    run = Invocation.objects.get()
    assert answer.url == run.get_absolute_url()


@pytest.mark.parametrize("script", ["exit 194", "exit(194)", 'exit "194"', "os._exit(193)"])
def test_who_cannot_act_on_the_exit_code_is_left_out_however_it_is_written(
    client, operator, script
):
    ready(name="web-01", agent_version="2.2.3.300")
    assert "Cloud Assistant too old for this" in preview(client, text="web-01", script=script).text
