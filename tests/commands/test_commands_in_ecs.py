"""Commands that live in ECS are mirrored, taken over, and ours are put there and taken away."""

import base64

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from commands import jobs, library
from commands.models import (
    CloudCommand,
    CommandRevision,
    Dispatch,
    Invocation,
    LibraryAct,
    SavedCommand,
)
from instances import ecs
from instances.models import CloudAccount, Region
from portal.audit.models import AuditEntry
from tests.commands.conftest import HANGZHOU as WEB
from tests.commands.test_composing_a_run import carried, preview, ready
from tests.factories import AccountFactory, RegionFactory, a_person

pytestmark = pytest.mark.django_db
HANGZHOU = "cn-hangzhou"


@pytest.fixture
def account(cloud) -> CloudAccount:
    return AccountFactory()


@pytest.fixture
def region(account) -> Region:
    return RegionFactory(account=account, region_id=HANGZHOU)


@pytest.fixture
def revision(db) -> CommandRevision:
    command = SavedCommand.objects.create(name="Greet")
    return command.revise(
        by=None,
        parameters=[{"name": "who", "kind": "text"}],
        script="echo {{who}}",
        type="RunShellScript",
        timeout=90,
    )


def done(act: LibraryAct) -> LibraryAct:
    library.carry_on(act.pk)
    act.refresh_from_db()
    return act


def ask(account, kind: str, **about) -> LibraryAct:
    return library.ask(kind, account, HANGZHOU, by=None, via="command", **about)


def kept_there(account) -> dict[str, ecs.CommandInfo]:
    return {info.command_id: info for info in ecs.commands(account.signing(), HANGZHOU).value}


def test_ours_is_put_there_once_however_often_it_is_sent(account, revision):
    act = done(ask(account, "create", revision=revision))
    assert act.state == "done"
    LibraryAct.objects.update(state="waiting", due_at=timezone.now())  # the answer was lost
    done(act)
    mine = [info for info in kept_there(account).values() if info.name == "Greet"]
    assert [(info.script, info.timeout, info.parameter_names) for info in mine] == [
        ("echo {{who}}", 90, ("who",))
    ]
    assert CloudCommand.objects.get(revision=revision).command_id == mine[0].command_id


def test_reading_mirrors_own_and_public_ones_and_sees_what_went(account, revision):
    done(ask(account, "create", revision=revision))
    kept = CloudCommand.objects.get()
    done(ask(account, "read"))
    assert CloudCommand.objects.exclude(provider="").count() >= 1
    ecs.drop_command(account.signing(), HANGZHOU, kept.command_id)
    done(ask(account, "read"))
    kept.refresh_from_db()
    assert kept.gone_at


def test_ours_is_taken_away_and_one_that_is_gone_already_is_fine(account, revision):
    done(ask(account, "create", revision=revision))
    kept = CloudCommand.objects.get()
    for _time in range(2):
        assert done(ask(account, "delete", cloud_command=kept)).state == "done"
    assert kept.command_id not in kept_there(account)


def test_a_changed_name_is_brought_there_and_a_changed_text_is_not(
    account, region, revision, client
):
    client.force_login(a_person("manager"))
    done(ask(account, "create", revision=revision))
    kept = CloudCommand.objects.get()
    SavedCommand.objects.update(name="Wave")
    client.post(f"/commands/ecs/{kept.pk}/rename/")
    assert done(LibraryAct.objects.get(kind="rename")).state == "done"
    assert kept_there(account)[kept.command_id].name == "Wave"

    script = revision.as_script() | {"script": "echo bye {{who}}"}
    revision.command.revise(by=None, parameters=revision.parameters, **script)
    client.post(f"/commands/ecs/{kept.pk}/rename/")
    assert LibraryAct.objects.filter(kind="rename").count() == 1


def test_a_refusal_is_told(account, revision, cloud):
    cloud.faults({"kind": "error", "operation": "CreateCommand", "status": 403, "code": "No"})
    act = done(ask(account, "create", revision=revision))
    assert act.state in ("failed", "waiting")
    assert act.error
    assert not CloudCommand.objects.exists()


def test_one_is_taken_over_with_its_parameters(account, region, client):
    client.force_login(a_person("operator"))
    ecs.keep_command(
        account.signing(),
        HANGZHOU,
        script="df {{where}}",
        type="RunShellScript",
        token="take-over",
        name="Disk",
        timeout=60,
        takes_parameters=True,
    )
    done(ask(account, "read"))
    kept = CloudCommand.objects.get(name="Disk")
    for _time in range(2):  # the second finds the name taken
        client.post(f"/commands/ecs/{kept.pk}/take-over/")
    command = SavedCommand.objects.get()
    assert command.newest().script == "df {{where}}"
    assert command.newest().parameters == [{"name": "where", "kind": "text"}]


def test_from_the_page_by_who_may(account, region, revision, client):
    client.force_login(a_person("operator"))
    assert (
        client.post(f"/commands/ecs/export/{revision.pk}/", {"place": region.pk}).status_code == 403
    )
    client.force_login(a_person("manager"))
    client.post(f"/commands/ecs/export/{revision.pk}/", {"place": region.pk})
    act = done(LibraryAct.objects.get())
    page = client.get("/commands/ecs/").text
    assert "Greet r1" in page
    client.post(f"/commands/ecs/{CloudCommand.objects.get().pk}/delete/")
    assert done(LibraryAct.objects.exclude(pk=act.pk).get()).state == "done"
    assert AuditEntry.objects.filter(act__startswith="ecs_command.").count() == 2


def test_commands_of_a_place_that_one_does_not_see_are_not_there(account, region, client):
    CloudCommand.objects.create(
        account=account,
        region=HANGZHOU,
        command_id="c-hidden",
        name="hidden-one",
        type="RunShellScript",
        script="true",
        seen_at=timezone.now(),
    )
    client.force_login(a_person("manager", region="cn-beijing"))
    assert "hidden-one" not in client.get("/commands/ecs/").text
    key = CloudCommand.objects.get().pk
    for deed in ("take-over", "delete"):
        assert client.post(f"/commands/ecs/{key}/{deed}/").status_code == 404


def test_what_ecs_says_is_read_with_care():
    class Row:
        command_id, name, type = "c-1", "\0x", "RunShellScript"
        command_content = base64.b64encode(b"\xff\xfe").decode()
        description = working_dir = launcher = provider = None
        timeout, enable_parameter, version, creation_time = "soon", None, None, "yesterday"
        parameter_names = None

    info = ecs.CommandInfo.read(Row())
    assert info.timeout == 60
    assert "\0" not in info.name + info.script


@pytest.fixture
def kept(account, region, revision) -> CloudCommand:
    done(ask(account, "create", revision=revision))
    return CloudCommand.objects.get()


def test_one_is_run_where_it_lives_by_invoking_it(client, cloud, kept, sandbox_needed):
    client.force_login(a_person("operator"))
    ready(name="web-01", instance_id=WEB["web-01"], account=kept.account, region=HANGZHOU)
    ready(name="far-01", account=kept.account, region="cn-beijing")
    fields = {"kept": str(kept.pk), "p-who": "you", "text": "web-01 far-01"}
    page = preview(client, **fields)
    assert "not in the command&#x27;s account and region" in page.text
    before = cloud.counters()["calls"].get("InvokeCommand", 0)

    client.post("/runs/new/", carried(page))
    run = Invocation.objects.get()
    for _look in range(20):
        jobs.carry_on_alone(run.dispatches.get().pk)
        run.refresh_from_db()
        if run.state == "finished":
            break
        Dispatch.objects.update(due_at=timezone.now())

    assert cloud.counters()["calls"]["InvokeCommand"] == before + 1
    assert run.cloud_command == kept
    assert run.targets.get().output.body() == b"you\n"


def test_one_that_we_did_not_put_there_is_free_text(client, kept):
    runner = a_person("viewer")
    runner.user_permissions.add(Permission.objects.get(codename="run_saved"))
    client.force_login(runner)
    ready(name="web-01", account=kept.account, region=HANGZHOU)
    fields = {"kept": str(kept.pk), "p-who": "you", "text": "web-01"}
    assert preview(client, **fields).status_code == 200
    CloudCommand.objects.update(revision=None)
    assert preview(client, **fields).status_code == 400


def test_a_text_that_was_changed_there_is_nobodys_here_any_more(account, revision):
    done(ask(account, "create", revision=revision))
    row = CloudCommand.objects.get(revision=revision)
    told = {name: getattr(row, name) for name in library.MIRRORED}
    CloudCommand.objects.filter(pk=row.pk).update(script="echo before")
    done(ask(account, "read"))
    row.refresh_from_db()
    assert (row.script, row.revision) == (told["script"], revision)

    CommandRevision.objects.filter(pk=revision.pk).update(script="echo something else")
    done(ask(account, "read"))
    row.refresh_from_db()
    assert row.revision is None
