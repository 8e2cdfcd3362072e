"""A dispatch is sent once, whatever happens to the call; and nothing is claimed without proof."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from commands import jobs
from commands.models import Dispatch, Target
from instances import ecs, ecs_call
from portal.models import Canary
from tests.commands.conftest import ask, only_dispatch
from tests.stack import until

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs(cloud, web):
    """How often a script was started on web-01 since the test began."""
    before = cloud.counters()["runs"].get(web.instance_id, 0)
    return lambda: cloud.counters()["runs"].get(web.instance_id, 0) - before


@pytest.fixture(autouse=True)
def one_attempt(monkeypatch):
    """The gateway's own repeats are its own tests' business."""
    monkeypatch.setattr(ecs_call, "ATTEMPTS", 1)


def carry_on(run, *, after: float = 0) -> Dispatch:
    with time_machine.travel(timezone.now() + timedelta(seconds=after)):
        assert jobs.carry_on(only_dispatch(run).pk)
    return only_dispatch(run)


def test_a_short_script_is_over_within_the_job_that_sent_it(runs, sandbox_needed, web):
    run = ask(web, script="echo hello; echo oops >&2; exit 3")

    dispatch = carry_on(run)

    target = run.targets.get()
    assert (target.status, target.exit_code, target.over) == ("Failed", 3, True)
    assert target.output.body() == b"hello\noops\n"
    assert (dispatch.state, dispatch.due_at) == ("finished", None)
    assert dispatch.invoke_id.startswith("t-")
    assert dispatch.request_id
    run.refresh_from_db()
    assert run.state == "finished"
    assert runs() == 1


def test_a_bell_that_rings_twice_sends_once(runs, web):
    run = ask(web)
    carry_on(run)
    assert not jobs.carry_on(only_dispatch(run).pk)
    assert runs() == 1


def test_a_worker_killed_after_the_call_does_not_run_the_script_again(runs, web, monkeypatch):
    run = ask(web)
    with monkeypatch.context() as patch:
        patch.setattr("commands.sending._sent", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            carry_on(run)
    assert only_dispatch(run).state == "sending"

    carry_on(run, after=21)

    assert run.targets.get().status == "Success"
    assert runs() == 1


def test_a_lost_answer_is_asked_for_again_with_the_same_token(runs, cloud, web):
    run = ask(web)
    cloud.faults({"kind": "lost", "operation": "RunCommand", "count": 1})

    dispatch = carry_on(run)
    assert (dispatch.state, dispatch.invoke_id) == ("sending", "")
    assert run.targets.get().status == Target.WAITING

    assert carry_on(run, after=2).state == "finished"
    assert run.targets.get().status == "Success"
    assert runs() == 1


def test_a_refusal_ends_it_in_the_words_of_ecs(runs, cloud, web):
    no = {"status": 403, "code": "CmdContent.ExceedLimit", "message": "far too long"}
    cloud.faults({"kind": "error", "operation": "RunCommand", **no})
    run = ask(web)

    dispatch = carry_on(run)

    target = run.targets.get()
    assert (target.status, target.over) == (Target.REFUSED, True)
    assert target.error_code == dispatch.error_code == "CmdContent.ExceedLimit"
    assert "far too long" in target.error_info
    assert dispatch.request_id != ""
    assert runs() == 0


def test_a_refusal_after_a_lost_answer_proves_nothing(runs, cloud, web):
    run = ask(web)
    cloud.faults(
        {"kind": "lost", "operation": "RunCommand", "count": 1},
        {
            "kind": "error",
            "operation": "RunCommand",
            "status": 403,
            "code": "Forbidden.RAM",
            "after": 1,
        },
    )
    carry_on(run)

    carry_on(run, after=2)

    target = run.targets.get()
    assert target.status == Target.NO_ANSWER
    assert "whether the script ran is not known" in target.error_info
    assert target.error_code == "Forbidden.RAM"
    until(runs, 5, "the start of the script, which nobody was told of")
    assert runs() == 1


def test_throttling_is_waited_out(runs, cloud, web):
    run = ask(web)
    cloud.faults({"kind": "throttle", "operation": "RunCommand", "count": 1})

    dispatch = carry_on(run)
    assert dispatch.state == "waiting"
    assert dispatch.due_at > timezone.now()

    ecs.forget_connections()  # the gateway's own pause, kept in real time
    carry_on(run, after=90)
    assert run.targets.get().status == "Success"
    assert runs() == 1


def test_a_call_that_never_gets_through_is_given_up_and_nothing_ran(runs, cloud, web):
    run = ask(web, send_within=timedelta(seconds=60))
    cloud.faults({"kind": "throttle", "operation": "RunCommand"})
    carry_on(run)

    dispatch = carry_on(run, after=61)

    assert run.targets.get().status == Target.REFUSED
    assert "nothing ran" in dispatch.error
    assert runs() == 0


def test_a_call_that_is_never_answered_is_given_up_in_doubt(runs, cloud, web):
    run = ask(web, send_within=timedelta(seconds=60))
    cloud.faults({"kind": "lost", "operation": "RunCommand"})
    carry_on(run)

    carry_on(run, after=61)

    assert run.targets.get().status == Target.NO_ANSWER
    assert "not known" in run.targets.get().error_info
    assert runs() == 1


def test_a_mode_that_forbids_it_says_so(runs, cloud, web):
    ecs.configure(endpoint=cloud.endpoint, mode="observe")
    run = ask(web)

    carry_on(run)

    assert run.targets.get().status == Target.REFUSED
    assert "PORTAL_MODE" in run.targets.get().error_info
    assert runs() == 0


def test_the_end_wakes_whoever_waits_for_it(cloud, web):
    waiting = Canary.objects.create(name="default")
    run = ask(web, then=waiting)

    carry_on(run)

    waiting.refresh_from_db()
    assert waiting.due_at is not None
