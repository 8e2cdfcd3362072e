"""Answers are kept as they come; a run that stays silent ends in time, named as such."""

import time
from datetime import timedelta
from unittest.mock import patch

import pytest
import time_machine
from django.utils import timezone

from commands import answers, jobs, keeping
from commands.models import Dispatch, Output, Target
from instances import ecs
from tests.commands.conftest import ask, only_dispatch
from tests.factories import InstanceFactory

pytestmark = pytest.mark.django_db


def sent(*instances, ago: float = 0, **fields):
    """A run that ECS took `ago` seconds ago."""
    run, now = ask(*instances, **fields), timezone.now()
    Dispatch.objects.filter(invocation=run).update(
        state="sent",
        invoke_id="t-hz0unknown",
        sent_at=now - timedelta(seconds=ago),
        deadline=now + timedelta(seconds=120 - ago),
    )
    return run


def carry_on(run, *, after: float = 0) -> Dispatch:
    with time_machine.travel(timezone.now() + timedelta(seconds=after), tick=False):
        assert jobs.carry_on(only_dispatch(run).pk)
    return only_dispatch(run)


def ecs_says(*results: ecs.Result):
    return patch("instances.ecs.results", autospec=True, return_value=ecs.Answer(list(results)))


def test_a_longer_script_is_looked_at_until_it_is_over(cloud, sandbox_needed, web, web2):
    run = ask(web, web2, script="sleep 2; hostname")
    dispatch = carry_on(run)
    assert dispatch.state == "sent"
    assert run.tally() == {"Running": 2}

    for _moment in range(100):  # the machine's script takes real time
        if only_dispatch(run).state == "finished":
            break
        time.sleep(0.1)
        jobs.carry_on(only_dispatch(run).pk)

    bodies = {t.instance.name: t.output.body() for t in run.targets.all()}
    assert bodies == {"web-01": b"web-01\n", "web-02": b"web-02\n"}


def test_identical_outputs_are_stored_once(web, web2):
    run = sent(web, web2)
    with ecs_says(*(ecs.Result(i.instance_id, "Success", 0, b"same") for i in (web, web2))):
        carry_on(run)

    assert run.tally() == {"Success": 2}
    assert Output.objects.count() == 1


def test_a_hundred_answers_take_few_queries(django_assert_max_num_queries):
    machines = InstanceFactory.create_batch(100)
    run = sent(*machines)
    results = [ecs.Result(m.instance_id, "Success", 0, m.name.encode()) for m in machines]
    listed = ecs.InvocationInfo(
        "t-hz0unknown", "Success", {m.instance_id: "Success" for m in machines}
    )
    known = ecs.Answer({listed.invoke_id: listed})
    with (
        patch("instances.ecs.invocations", autospec=True, return_value=known),
        ecs_says(*results),
        django_assert_max_num_queries(30),
    ):
        carry_on(run)
    assert run.tally() == {"Success": 100}


def test_a_run_that_ecs_forgot_ends_as_no_answer_within_a_minute(cloud, web):
    run = sent(web, ago=200)  # old, so that looks are rare
    Dispatch.objects.update(deadline=timezone.now() + timedelta(hours=1))
    start = timezone.now()
    for _look in range(10):
        dispatch = only_dispatch(run)
        if dispatch.state == "finished":
            break
        carry_on(run, after=max(0.0, (dispatch.due_at - timezone.now()).total_seconds()) + 0.01)

    target = run.targets.get()
    assert (target.status, target.error_code) == (Target.NO_ANSWER, "RunForgotten")
    assert "no longer knows" in target.error_info
    assert target.finished_at - start < timedelta(minutes=1)


def test_a_listing_that_is_empty_once_is_not_believed(web):
    run = sent(web)
    with ecs_says():
        assert carry_on(run).missed_at is not None
    with ecs_says(ecs.Result(web.instance_id, "Running")):
        assert carry_on(run, after=6).missed_at is None
    assert run.targets.get().status == "Running"


def test_nothing_stays_running_past_its_deadline(web, web2):
    run = sent(web, web2)
    still = ecs.Result(web.instance_id, "Running"), ecs.Result(web2.instance_id, "Success", 0)
    with ecs_says(*still):
        carry_on(run)
        assert only_dispatch(run).state == "sent"
        dispatch = carry_on(run, after=121)

    assert dispatch.state == "finished"
    assert run.tally() == {Target.NO_ANSWER: 1, "Success": 1}
    assert "in time" in run.targets.get(status=Target.NO_ANSWER).error_info


@pytest.mark.parametrize("error", [ecs.NoAnswer("silence"), ecs.Throttled("slow down")])
def test_a_look_that_fails_is_made_again_and_named(web, error):
    run = sent(web)
    with patch("instances.ecs.results", autospec=True, side_effect=error):
        dispatch = carry_on(run)
    assert (dispatch.state, dispatch.error) == ("sent", error.message)
    with ecs_says(ecs.Result(web.instance_id, "Success", 0)):
        assert carry_on(run, after=2).state == "finished"


def test_looks_grow_rarer_with_age_but_never_pass_the_deadline():
    now = timezone.now()

    def rest(age: float, left: float = 600, **how) -> float:
        dispatch = Dispatch(
            sent_at=now - timedelta(seconds=age), deadline=now + timedelta(seconds=left)
        )
        return (answers.next_look(dispatch, now, **how) - now).total_seconds()

    assert [rest(age) for age in (1, 16, 80, 3600)] == [1, 2, 10, 30]
    many = {"soon": answers.CROWD_SOON}
    assert [rest(age, **many) for age in (0.1, 1, 1.2, 4, 80)] == [1, 1, 1.2, 1.5, 10]
    assert rest(3600, left=4) == 4


def test_hostile_answers_are_kept_harmless(web):
    run = sent(web)
    nasty = ecs.Result(
        web.instance_id,
        "Failed",
        exit_code=2**80,
        output=b"\0<script>" + b"x" * (2 << 20),
        dropped=-5,
        error_code="E" * 500,
        error_info="a\0b",
    )
    with ecs_says(nasty, ecs.Result("i-somebodyelse", "Success", 0)):
        carry_on(run)

    target = run.targets.get()
    assert target.exit_code is None
    assert target.output.size == keeping.OUTPUT_KEPT
    assert target.dropped > 1 << 20
    assert len(target.error_code) == 100
    assert "\0" not in target.error_info


def test_an_unknown_status_is_shown_as_it_came_and_is_not_over(web):
    run = sent(web)
    with ecs_says(ecs.Result(web.instance_id, "Meditating")):
        carry_on(run)
    assert (run.targets.get().status, run.targets.get().over) == ("Meditating", False)


def test_two_calls_of_one_run_end_it_once_both_are_over(web):
    far = InstanceFactory(region="ap-southeast-1")
    run = sent(web, far)
    results = [ecs.Result(i.instance_id, "Success", 0) for i in (web, far)]
    first, second = Dispatch.objects.filter(invocation=run)
    with ecs_says(*results):
        jobs.carry_on(first.pk)
        run.refresh_from_db()
        assert run.state == "running"
        jobs.carry_on(second.pk)
    run.refresh_from_db()
    assert run.state == "finished"
