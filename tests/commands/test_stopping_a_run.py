"""Stopping: asked, confirmed and lost are different, and what was never sent never is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from commands import jobs, stopping
from commands.models import Dispatch
from commands.stopping import Progress
from instances import ecs
from portal.audit.models import AuditEntry
from portal.transitions import WrongState
from tests.commands.conftest import ask, due_now, work_on
from tests.factories import InstanceFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet(db):
    return InstanceFactory.create_batch(4)


def progress(run) -> dict[str, int]:
    said = stopping.progress(run)
    return {name: n for name in Progress.__slots__ if (n := getattr(said, name))}


def test_what_was_not_sent_never_is(fake, fleet):
    run, person = ask(*fleet, concurrency=2), UserFactory()
    stopping.stop(run, person)

    work_on(run)

    assert fake.calls == {}
    assert (run.state, run.outcomes) == ("finished", {"not_started": 4})
    assert progress(run) == {"not_started": 4}
    (entry,) = AuditEntry.objects.filter(act="run.stopped")
    assert (entry.actor, entry.details["instances"]) == (person, 4)


def test_wanted_asked_confirmed_and_lost_can_be_told_apart(fake, fleet):
    run = ask(*fleet)
    jobs.carry_on(run.dispatches.get().pk)
    stopping.stop(run, None)
    assert progress(run) == {"wanted": 4}

    fake.errors["StopInvocation"] = [ecs.Throttled("busy")]
    work_on(run, looks=1)
    assert progress(run) == {"wanted": 4}
    work_on(run, looks=1)
    assert progress(run) == {"asked": 4}
    assert fake.stopped == ["t-0"]

    fake.end(fleet[0].instance_id, status="Terminated")
    work_on(run, looks=2)
    assert progress(run) == {"asked": 3, "confirmed": 1}
    fake.end(fleet[1].instance_id)
    run.dispatches.update(deadline=timezone.now() - timedelta(seconds=1))
    work_on(run)
    assert progress(run) == {"confirmed": 1, "ended": 1, "lost": 2}
    assert run.state == "finished"


def test_a_call_in_doubt_is_resolved_first_and_then_stopped(fake, fleet):
    run = ask(*fleet)
    fake.errors["RunCommand"] = [ecs.NoAnswer("silence")]
    jobs.carry_on(run.dispatches.get().pk)
    assert run.dispatches.get().state == "sending"
    stopping.stop(run, None)

    work_on(run, looks=2)

    assert fake.started.total() == 4
    assert fake.stopped == ["t-0"]


def test_a_stop_that_comes_while_a_worker_sends_is_not_lost(fake, fleet, monkeypatch):
    run, send = ask(*fleet), ecs.run_script

    def sending(*args, **how):
        stopping.stop(run, None)
        return send(*args, **how)

    monkeypatch.setattr(ecs, "run_script", sending)
    jobs.carry_on(run.dispatches.get().pk)
    dispatch = run.dispatches.get()
    assert (dispatch.state, dispatch.due_at <= timezone.now()) == ("sent", True)

    work_on(run, looks=1)
    assert fake.stopped == ["t-0"]


def test_a_stop_that_comes_between_claim_and_call_prevents_the_call(fake, fleet):
    run = ask(*fleet)
    (claim,) = jobs.work.claim_due(Dispatch.objects.all(), 1)
    stopping.stop(run, None)
    assert run.dispatches.get().state == "waiting"

    jobs._step([claim])

    run.refresh_from_db()
    assert fake.calls == {}
    assert run.outcomes == {"not_started": 4}


def test_stopping_again_changes_nothing_and_a_run_that_is_over_cannot_be_stopped(fake, fleet):
    run = ask(*fleet)
    jobs.carry_on(run.dispatches.get().pk)
    stopping.stop(run, None)
    stopping.stop(run, None)
    work_on(run, looks=1)
    due_now(run)
    fake.end(status="Terminated")
    work_on(run)
    assert fake.calls["StopInvocation"] == 1
    assert AuditEntry.objects.filter(act="run.stopped").count() == 1
    with pytest.raises(WrongState):
        stopping.stop(run, None)


def test_a_run_that_waits_for_approval_can_be_stopped(fake, fleet):
    run = ask(*fleet, hold_for_approval=True)
    stopping.stop(run, None)
    run.refresh_from_db()
    assert (run.state, run.outcomes) == ("finished", {"not_started": 4})


def test_what_repeats_in_ecs_goes_on_until_it_is_stopped_and_then_ends_in_time(fake, fleet):
    run = ask(*fleet, repeat_mode="Period", frequency="rate(5m)")
    work_on(run, looks=3)
    assert run.dispatches.get().deadline is None
    assert fake.asked[0]["frequency"] == "rate(5m)"

    stopping.stop(run, None)
    work_on(run, looks=1)

    left = run.dispatches.get().deadline - timezone.now()
    assert timedelta(0) < left < timedelta(minutes=5)
