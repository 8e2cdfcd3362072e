"""Many rows are inserted at once as the model would have made them one by one."""

import pytest
from django.db import IntegrityError, transaction
from django.forms import model_to_dict

from commands.models import Dispatch, Target
from portal import rows
from tests.commands.conftest import ask
from tests.factories import InstanceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def dispatch() -> Dispatch:
    return ask(InstanceFactory()).dispatches.get()


def insert(dispatch: Dispatch, *instances) -> list[Target]:
    rows.insert_alike(
        Target,
        "instance_id",
        [instance.pk for instance in instances],
        dispatch_id=dispatch.pk,
        invocation_id=dispatch.invocation_id,
    )
    return list(Target.objects.filter(instance__in=instances).order_by("pk"))


def test_they_stand_in_the_order_in_which_they_were_given(dispatch):
    machines = InstanceFactory.create_batch(5)[::-1]
    assert [target.instance for target in insert(dispatch, *machines)] == machines


def test_what_is_not_given_is_what_the_model_would_have_written(dispatch):
    one, other = InstanceFactory.create_batch(2)
    (ours,) = insert(dispatch, one)
    theirs = Target.objects.create(
        dispatch=dispatch, invocation=dispatch.invocation, instance=other
    )

    def told(target: Target) -> dict:
        return model_to_dict(target, exclude=["id", "instance"])

    assert told(Target.objects.get(pk=ours.pk)) == told(Target.objects.get(pk=theirs.pk))


def test_no_rows_are_no_error(dispatch):
    assert insert(dispatch) == []


def test_what_the_database_refuses_is_refused(dispatch):
    web = InstanceFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(dispatch, web, web)
    assert not Target.objects.filter(instance=web).exists()
