"""A run is repeated on exactly the instances that ended in the chosen ways."""

import pytest
from django.utils import timezone

from commands.models import Invocation, SavedCommand
from tests.commands.a_run import over
from tests.commands.test_composing_a_run import carried, preview, ready
from tests.factories import a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(client) -> Invocation:
    client.force_login(a_person("operator"))
    ok, failed, lost = ready(name="ok"), ready(name="failed"), ready(name="lost")
    return over(
        [
            (ok, "Success", 0, b""),
            (failed, "Failed", 1, b""),
            (lost, "no_answer", None, b""),
        ]
    )


def picked(page) -> list[str]:
    lines = page.text.split('<input type="hidden" name="instance" value="')[1:]
    return [line.split('"')[0] for line in lines]


def test_the_form_is_filled_with_the_same_on_the_chosen(client, run):
    form = client.get(f"/runs/new/?again={run.pk}&outcome=failed&outcome=unknown")
    wanted = run.targets.exclude(outcome="ok").values_list("instance", flat=True)
    assert sorted(picked(form)) == sorted(map(str, wanted))
    assert "uname -r" in form.text


def test_any_set_of_statuses_can_be_chosen(client, run):
    page = client.get(run.get_absolute_url()).text
    assert 'name="ended" value="failed:Failed" checked' in page
    assert 'name="ended" value="unknown:no_answer" checked' in page
    assert 'name="ended" value="ok:Success" >' in page
    lost = run.targets.get(status="no_answer").instance_id
    assert picked(client.get(f"/runs/new/?again={run.pk}&status=no_answer")) == [str(lost)]


def test_the_new_run_says_whose_repetition_it_is(client, run):
    form = client.get(f"/runs/new/?again={run.pk}&outcome=failed")
    page = preview(client, again=str(run.pk), script="uname -r", instance=picked(form))
    client.post("/runs/new/", carried(page))
    again = Invocation.objects.exclude(pk=run.pk).get()
    assert again.rerun_of == run
    assert [t.instance.name for t in again.targets.all()] == ["failed"]


def test_a_run_that_one_does_not_see_fills_nothing(client, run):
    client.force_login(a_person("operator", region="cn-beijing"))
    assert "uname -r" not in client.get(f"/runs/new/?again={run.pk}&outcome=failed").text


@pytest.fixture
def of_archived(run) -> Invocation:
    """A run of a command that nobody may run any more."""
    person = a_person("manager")
    command = SavedCommand.objects.create(name="tidy", owner=person, archived_at=timezone.now())
    told = {"script": "ls {{where}}", "type": "RunShellScript", "timeout": 60}
    run.revision = command.revise(by=person, parameters=[{"name": "where"}], **told)
    run.parameters, run.takes_parameters, run.script = {"where": "/srv"}, True, "ls {{where}}"
    run.save()
    return run


def test_the_text_of_an_archived_command_keeps_the_values_it_ran_with(client, of_archived):
    form = client.get(f"/runs/new/?again={of_archived.pk}&status=Failed")
    assert "ls /srv" in form.text
    assert "{{where}}" not in form.text


def test_an_archived_command_is_not_run_by_its_revision(client, of_archived):
    page = preview(client, text="ok", revision=str(of_archived.revision_id), **{"p-where": "/srv"})
    assert page.status_code == 400
    assert "The command tidy is archived." in page.text


def test_a_check_is_repeated_as_a_check(client, run):
    Invocation.objects.filter(pk=run.pk).update(dry_run=True)
    form = client.get(f"/runs/new/?again={run.pk}&status=Failed").text
    box = form[form.index('name="dry_run"') :]
    assert "checked" in box[: box.index(">")]


def test_a_machine_that_went_down_as_asked_is_not_run_on_again_with_the_failed(client, run):
    down = ready(name="down")
    mixed = over(
        [(run.targets.get(status="Failed").instance, "Failed", 1, b""), (down, "Failed", 194, b"")]
    )
    page = client.get(mixed.get_absolute_url()).text
    assert 'name="ended" value="failed:Failed" checked' in page
    assert 'name="ended" value="going_down:Failed" >' in page
    failed = mixed.targets.get(outcome="failed").instance_id
    form = client.get(f"/runs/new/?again={mixed.pk}&ended=failed:Failed")
    assert picked(form) == [str(failed)]
