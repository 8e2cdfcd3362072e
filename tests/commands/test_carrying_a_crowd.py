"""One bell carries on all that is due in an account and region, with few calls for many."""

from datetime import timedelta

import pytest
from django.utils import timezone

from commands import answers, jobs, sending
from commands.models import Dispatch, Target
from instances import ecs
from tests.commands.conftest import ask, due_now, work_on
from tests.factories import InstanceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_calls(monkeypatch):
    """Ten instances a call, so that a few make a crowd."""
    monkeypatch.setattr(ecs, "RUN_LIMIT", 10)


@pytest.fixture
def fleet(db, small_calls):
    return InstanceFactory.create_batch(40)


def one_of(run) -> int:
    return run.dispatches.first().pk


def states(run) -> set[str]:
    return set(run.dispatches.values_list("state", flat=True))


def test_one_bell_is_rung_for_each_account_and_region(fleet, django_capture_on_commit_callbacks):
    far = InstanceFactory(region="ap-southeast-1")
    with django_capture_on_commit_callbacks() as bells:
        ask(*fleet, far)
    assert len(bells) == 2


def test_one_job_sends_them_all_and_one_listing_follows_them(fake, fleet):
    run = ask(*fleet)

    assert jobs.carry_on(one_of(run))
    assert states(run) == {"sent"}
    assert fake.calls == {"RunCommand": 4}

    due_now(run)
    jobs.carry_on(one_of(run))
    assert run.tally() == {"Running": 40}
    assert fake.calls == {"RunCommand": 4, "DescribeInvocations": 1}

    fake.end()
    due_now(run)
    jobs.carry_on(one_of(run))
    run.refresh_from_db()
    assert (run.state, run.outcomes) == ("finished", {"ok": 40})
    assert fake.calls["DescribeInvocationResults"] == 4
    assert set(fake.started.values()) == {1}


def test_more_than_one_worker_can_take_are_rung_on(fake, fleet, monkeypatch):
    run, rung = ask(*fleet), []
    monkeypatch.setattr(Dispatch, "ring", lambda row: rung.append(row.pk))
    with_limit = jobs.work.crowd_job(Dispatch, 3)(jobs._step)

    with_limit(one_of(run))

    (left,) = run.dispatches.filter(state="waiting")
    assert rung == [left.pk]
    assert with_limit(left.pk)
    assert states(run) == {"sent"}


def test_what_goes_wrong_with_one_keeps_no_other_from_going_on(fake, fleet):
    run = ask(*fleet)
    fake.errors["RunCommand"] = [ecs.NoAnswer("silence"), ecs.Throttled("busy")]

    jobs.carry_on(one_of(run))

    assert sorted(run.dispatches.values_list("state", flat=True)) == [
        *("sending", "sent", "sent", "waiting")
    ]
    fake.end()
    work_on(run)
    assert set(fake.started.values()) == {1}


def test_a_step_that_breaks_on_one_rests_that_one_alone(fake, fleet):
    run = ask(*fleet)
    fake.errors["RunCommand"] = [ValueError("a bug")]
    jobs.carry_on(one_of(run))

    (broken,) = run.dispatches.filter(last_error="ValueError: a bug")
    assert broken.due_at > timezone.now()
    assert run.dispatches.filter(state="sent").count() == 3


def test_nobody_is_asked_where_the_common_intent_could_not_be_written(fake, fleet, monkeypatch):
    run, intend = ask(*fleet), sending._intend

    def breaks_on_the_last(claim, given_up):
        if claim.row.pk == run.dispatches.last().pk:
            claim.write(size=None)
        return intend(claim, given_up)

    monkeypatch.setattr(sending, "_intend", breaks_on_the_last)
    jobs.carry_on(one_of(run))

    assert not fake.calls
    assert states(run) == {"waiting"}
    for row in run.dispatches.all():
        assert (row.lease_until, row.due_at > timezone.now()) == (None, True)
        assert row.last_error.startswith("IntegrityError")


@pytest.mark.parametrize("error", [ecs.NoAnswer("silence"), ecs.Throttled("busy", retry_after=9)])
def test_a_listing_that_fails_is_not_replaced_by_a_storm_of_calls(fake, fleet, error):
    run = ask(*fleet)
    jobs.carry_on(one_of(run))
    due_now(run)
    fake.errors["DescribeInvocations"] = [error]

    jobs.carry_on(one_of(run))

    assert fake.calls["DescribeInvocationResults"] == 0
    rest = min(run.dispatches.values_list("due_at", flat=True)) - timezone.now()
    assert rest > timedelta(seconds=8 if isinstance(error, ecs.Throttled) else 0.5)
    assert set(run.dispatches.values_list("error", flat=True)) == {error.message}


def test_results_are_read_once_news_has_stood_still_for_a_look(fake, fleet):
    run = ask(*fleet)
    jobs.carry_on(one_of(run))
    first = run.targets.first().instance.instance_id
    fake.end(first)

    due_now(run)
    jobs.carry_on(one_of(run))
    assert fake.calls["DescribeInvocationResults"] == 0
    for _look in range(3):
        due_now(run)
        jobs.carry_on(one_of(run))

    assert fake.calls["DescribeInvocationResults"] == 1
    assert run.tally() == {"Success": 1, "Running": 39}


def test_nothing_is_written_of_what_somebody_else_took_over(fake, fleet, monkeypatch):
    run = ask(*fleet)
    jobs.carry_on(one_of(run))
    due_now(run)
    keep_up = answers._keep_up

    def taken_over_before(claims, known, paces):
        Dispatch.objects.filter(pk=claims[0].row.pk).update(fence=99)
        keep_up(claims, known, paces)

    monkeypatch.setattr(answers, "_keep_up", taken_over_before)
    jobs.carry_on(one_of(run))

    assert run.tally() == {"waiting": 10, "Running": 30}


def test_each_run_keeps_its_own_status_of_a_machine_that_two_runs_share(fake, fleet):
    first, second = ask(*fleet[:20]), ask(*fleet[:20])
    jobs.carry_on(one_of(first))
    shared, other = fleet[0].instance_id, fleet[1].instance_id
    for run, name in ((first, shared), (second, other)):
        for key in run.dispatches.values_list("invoke_id", flat=True):
            if name in fake.runs[key]:
                fake.runs[key][name] = ecs.Result(name, "Pending")
    for run in (first, second):
        due_now(run)
    jobs.carry_on(one_of(first))

    def pending(run):
        return [t.instance.instance_id for t in run.targets.filter(status="Pending")]

    assert (pending(first), pending(second)) == ([shared], [other])


def test_what_goes_on_ending_is_read_now_and_then():
    now = timezone.now()
    row = Dispatch(sent_at=now - timedelta(seconds=30), ended_seen=3)
    news = ecs.InvocationInfo("t", "Running", {"a": "Success", "b": "Success", "c": "Running"})
    assert answers.worth_reading(row, news, kept=1, now=now)
    row.read_at = now - timedelta(seconds=2)
    assert not answers.worth_reading(row, news, kept=1, now=now)


def test_a_run_that_the_listing_leaves_out_is_looked_for_by_its_id(fake, fleet):
    run = ask(*fleet)
    jobs.carry_on(one_of(run))
    kept = fake.runs.pop("t-2")
    Dispatch.objects.filter(invoke_id="t-2").update(invoke_id="t-lost")
    fake.runs["t-lost"], known = kept, fake.invocations
    fake.end()
    due_now(run)

    def without(*args, **rest):
        answer = known(*args, **rest)
        del answer.value["t-lost"]
        return answer

    ecs.invocations, was = without, ecs.invocations
    try:
        jobs.carry_on(one_of(run))
    finally:
        ecs.invocations = was
    assert run.tally() == {"Success": 40}


def test_partial_ends_are_kept_when_time_runs_out(fake, fleet):
    run = ask(*fleet)
    jobs.carry_on(one_of(run))
    fake.end(run.targets.first().instance.instance_id)
    fake.errors["DescribeInvocations"] = [ecs.NoAnswer("silence")]
    due_now(run)
    run.dispatches.update(deadline=timezone.now() - timedelta(seconds=1))

    jobs.carry_on(one_of(run))

    assert run.tally() == {"Success": 1, Target.NO_ANSWER: 39}


def test_a_hundred_calls_take_few_queries_each(fake, fleet, django_assert_max_num_queries):
    run = ask(*fleet)
    jobs.carry_on(one_of(run))
    due_now(run)
    with django_assert_max_num_queries(20):
        jobs.carry_on(one_of(run))


def test_what_is_left_is_looked_at_when_it_takes_as_long_as_what_has_ended(fake, fleet):
    run, now = ask(*fleet), timezone.now()
    jobs.carry_on(one_of(run))
    due_now(run)
    quick, slow = list(run.dispatches.order_by("pk"))[:2]
    for row, age in ((quick, 6.0), (slow, 5.5)):
        Dispatch.objects.filter(pk=row.pk).update(sent_at=now - timedelta(seconds=age))
    fake.end(*quick.targets.values_list("instance__instance_id", flat=True))

    jobs.carry_on(one_of(run))

    slow.refresh_from_db()
    rest = (slow.due_at - now).total_seconds()
    assert 0.4 < rest < 1.2, "half a second is left to it, and not 1.5 s until the next look"


def test_a_straggler_is_not_hurried_by_those_that_were_quicker(fake, fleet):
    run, now = ask(*fleet), timezone.now()
    jobs.carry_on(one_of(run))
    due_now(run)
    run.dispatches.update(sent_at=now - timedelta(seconds=80))
    quick = run.dispatches.order_by("pk").first()
    Dispatch.objects.filter(pk=quick.pk).update(sent_at=now - timedelta(seconds=20))
    fake.end(*quick.targets.values_list("instance__instance_id", flat=True))

    jobs.carry_on(one_of(run))

    rests = [
        (at - now).total_seconds() for at in run.dispatches.values_list("due_at", flat=True) if at
    ]
    assert len(rests) == 3
    assert min(rests) > 9
