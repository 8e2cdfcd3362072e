"""Whoever sees the whole fleet sees every run; others the runs that reach their part, and their
own. A page of them costs the same however many answers there are."""

import pytest
from django.db import connection

from commands.forms.runs import RunFilter
from commands.models import Invocation
from tests.commands.conftest import ask
from tests.factories import InstanceFactory, a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs():
    here, there = InstanceFactory(region="cn-hangzhou"), InstanceFactory(region="cn-beijing")
    return {"here": ask(here), "there": ask(there), "both": ask(here, there)}


def seen_by(person) -> set[int]:
    return set(Invocation.objects.visible_to(person).values_list("pk", flat=True))


def test_a_part_of_the_fleet_shows_the_runs_that_reach_it_and_ones_own(runs):
    person = a_person("operator", region="cn-beijing")
    own = ask(InstanceFactory(region="cn-hangzhou"))
    Invocation.objects.filter(pk=own.pk).update(asked_by=person)

    assert seen_by(person) == {runs["there"].pk, runs["both"].pk, own.pk}


def test_the_whole_fleet_shows_every_run_without_a_look_at_the_answers(runs):
    person = a_person("operator")

    assert seen_by(person) == {run.pk for run in runs.values()}
    assert "commands_target" not in str(Invocation.objects.visible_to(person).query)


@pytest.mark.parametrize("superuser", [True, False])
def test_whoever_is_switched_off_sees_none(runs, superuser):
    person = a_person("operator")
    person.is_active, person.is_superuser = False, superuser

    assert seen_by(person) == set()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it reads the plan in SQLite's words")
def test_a_name_is_looked_for_among_instances_and_not_among_answers():
    plan = RunFilter({"text": "web-01"}).found(Invocation.objects.all()).explain()

    assert "SCAN U0 USING COVERING INDEX sqlite_autoindex_commands_target" not in plan


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it reads the plan in SQLite's words")
def test_a_page_is_read_in_its_order_and_not_gathered_from_all_answers():
    found = Invocation.objects.visible_to(a_person("operator", region="cn-beijing"))

    plan = found.order_by("-asked_at", "-pk")[:51].explain()

    assert "USE TEMP B-TREE" not in plan
