"""An instance that makes ECS refuse a whole call never sinks the others of that call."""

import pytest

from commands.models import Target
from instances import ecs
from tests.commands.conftest import ask, work_on
from tests.factories import InstanceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet(db):
    return InstanceFactory.create_batch(9)


def finish(fake, run):
    work_on(run, looks=12)
    fake.end()
    return work_on(run)


@pytest.mark.parametrize("named", [True, False])
def test_the_unfit_end_refused_and_the_others_run_once(fake, fleet, named):
    fake.unfit = {fleet[2].instance_id, fleet[7].instance_id}
    fake.names_the_unfit = named

    run = finish(fake, ask(*fleet))

    assert run.outcomes == {"ok": 7, "unreached": 2}
    refused = run.targets.filter(status=Target.REFUSED)
    assert {t.instance.instance_id for t in refused} == fake.unfit
    assert {t.error_code for t in refused} == {"InvalidInstance.NotMatch"}
    assert set(fake.started.values()) == {1}
    assert sum(d.size for d in run.dispatches.all()) == 9
    assert all(d.size == d.targets.count() for d in run.dispatches.all())


def test_a_named_one_costs_one_more_call(fake, fleet):
    fake.unfit = {fleet[2].instance_id}
    finish(fake, ask(*fleet))
    assert fake.calls["RunCommand"] == 2


def test_all_unfit_end_refused(fake, fleet):
    fake.unfit = {machine.instance_id for machine in fleet}
    run = finish(fake, ask(*fleet))
    assert run.outcomes == {"unreached": 9}


def test_a_refusal_in_doubt_is_not_split_for_the_call_may_have_been_heard(fake, fleet):
    fake.errors["RunCommand"] = [ecs.NoAnswer("silence")]
    fake.unfit = {fleet[2].instance_id}
    run = work_on(ask(*fleet))
    assert run.outcomes == {"unknown": 9}
    assert run.dispatches.count() == 1
