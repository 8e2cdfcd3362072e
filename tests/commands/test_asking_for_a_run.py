"""Asking for a run writes everything down, cut into calls that ECS allows, or nothing at all."""

from collections import Counter

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from commands.models import Dispatch, Invocation, Target
from instances import ecs
from tests.commands.conftest import ask
from tests.factories import AccountFactory, InstanceFactory

pytestmark = pytest.mark.django_db


def test_one_call_holds_one_account_and_region_and_at_most_the_limit():
    many = InstanceFactory.create_batch(ecs.RUN_LIMIT + 1)
    far = InstanceFactory(region="ap-southeast-1")
    other = InstanceFactory(account=AccountFactory(name="other"))

    run = ask(*many, far, other)

    sizes = Counter((d.account.name, d.region, d.targets.count()) for d in run.dispatches.all())
    assert sizes == {
        ("default", "cn-hangzhou", ecs.RUN_LIMIT): 1,
        ("default", "cn-hangzhou", 1): 1,
        ("default", "ap-southeast-1", 1): 1,
        ("other", "cn-hangzhou", 1): 1,
    }
    assert len({d.token for d in run.dispatches.all()}) == 4
    assert run.tally() == {Target.WAITING: len(many) + 2}


def test_an_instance_named_twice_is_asked_once():
    web = InstanceFactory()
    assert ask(web, web).targets.count() == 1


def test_workers_are_told_once_the_transaction_commits(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        ask(InstanceFactory())
    assert len(callbacks) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 129),
        ("script", "  \n"),
        ("script", "echo \0"),
        ("script", "x" * 18_433),
        ("type", "RunPythonScript"),
        ("timeout", 9),
        ("timeout", 86_401),
    ],
)
def test_what_cannot_run_is_refused_by_name_and_leaves_nothing(field, value):
    with pytest.raises(ValidationError) as refusal:
        ask(InstanceFactory(), **{field: value})
    assert set(refusal.value.message_dict) == {field}
    assert not Invocation.objects.exists()


def test_a_run_needs_an_instance():
    with pytest.raises(ValidationError) as refusal:
        ask()
    assert set(refusal.value.message_dict) == {"instances"}


@pytest.mark.parametrize(
    "changes", [{"state": "lost"}, {"state": "sent"}, {"state": "finished", "finished_at": None}]
)
def test_the_database_itself_refuses_a_dispatch_that_makes_no_sense(changes):
    run = ask(InstanceFactory())
    with pytest.raises(IntegrityError), transaction.atomic():
        Dispatch.objects.filter(invocation=run).update(**changes)
