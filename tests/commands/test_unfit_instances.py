"""An instance that makes ECS refuse a whole call never sinks the others of that call."""

from datetime import timedelta

import pytest
from django.utils import timezone

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


def test_a_refusal_in_doubt_is_not_split_before_the_list_of_runs_was_seen(fake, fleet):
    fake.errors["RunCommand"] = [ecs.NoAnswer("silence")]
    fake.unfit = {fleet[2].instance_id}
    run = work_on(ask(*fleet), looks=2)
    assert run.dispatches.get().state == "sending"
    rest = run.dispatches.get().due_at - timezone.now()
    assert rest > timedelta(seconds=10)

    run = finish(fake, run)

    assert fake.calls["DescribeInvocations"] == 1
    assert run.outcomes == {"ok": 8, "unreached": 1}
    assert set(fake.started.values()) == {1}


@pytest.mark.parametrize("repeated", [{}, {"repeat_mode": "EveryReboot"}])
def test_a_call_that_was_heard_is_found_in_the_list_and_followed(
    fake, fleet, monkeypatch, repeated
):
    run, start = ask(*fleet, **repeated), ecs.run_script

    def lost(*args, **how):
        start(*args, **how)
        fake.unfit = {fleet[2].instance_id}  # it stops, so ECS refuses the repeat
        raise ecs.NoAnswer("lost")

    with monkeypatch.context() as patch:
        patch.setattr(ecs, "run_script", lost)
        work_on(run, looks=1)
    run = finish(fake, run)

    assert run.outcomes == {"ok": 9}
    assert set(fake.started.values()) == {1}


def test_the_run_of_another_dispatch_is_not_taken_for_ours(fake, fleet):
    other = finish(fake, ask(*fleet))
    fake.errors["RunCommand"] = [ecs.NoAnswer("silence")]
    fake.unfit = {fleet[2].instance_id}

    run = finish(fake, ask(*fleet))

    assert run.outcomes == {"ok": 8, "unreached": 1}
    assert run.dispatches.filter(invoke_id=other.dispatches.get().invoke_id).count() == 0


def test_two_runs_that_could_be_it_leave_the_doubt(fake, fleet):
    fake.errors["RunCommand"] = [ecs.NoAnswer("silence")]
    fake.unfit = {fleet[2].instance_id}
    rows = {machine.instance_id: ecs.Result(machine.instance_id, "Running") for machine in fleet}
    fake.runs = {"t-one": rows, "t-two": dict(rows)}
    assert work_on(ask(*fleet)).outcomes == {"unknown": 9}
