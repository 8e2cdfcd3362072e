"""Stopping is asked once more with the number, and what was not sent is not sent."""

import pytest

from tests.commands.conftest import ask
from tests.factories import InstanceFactory, a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(client):
    client.force_login(a_person("operator"))
    return ask(InstanceFactory(region="cn-hangzhou"), InstanceFactory(region="cn-beijing"))


def test_the_page_asks_once_more_and_says_how_many(client, run):
    assert "Stop it on 2 instances" in client.get(f"/runs/{run.pk}/stop/").text
    run.refresh_from_db()
    assert run.stop_asked_at is None


def test_what_was_not_sent_ends_as_not_started(client, run):
    client.post(f"/runs/{run.pk}/stop/")
    assert set(run.targets.values_list("outcome", flat=True)) == {"not_started"}
    run.refresh_from_db()
    assert run.state == "finished"
    assert "2 never started" in client.get(run.get_absolute_url()).text


def test_a_run_that_reaches_what_one_does_not_see_is_not_stopped(client, run):
    client.force_login(a_person("operator", region="cn-hangzhou"))
    client.post(f"/runs/{run.pk}/stop/")
    run.refresh_from_db()
    assert run.stop_asked_at is None


def test_viewers_stop_nothing(client, run):
    client.force_login(a_person("viewer"))
    assert client.post(f"/runs/{run.pk}/stop/").status_code == 403
