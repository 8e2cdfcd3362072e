"""A run is repeated on exactly the instances that ended in the chosen ways."""

import pytest

from commands.models import Invocation
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
    assert 'name="status" value="Failed" checked' in page
    assert 'name="status" value="no_answer" checked' in page
    assert 'name="status" value="Success" >' in page
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
