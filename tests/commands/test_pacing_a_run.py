"""At most so many instances at once, and an end of it when too many went wrong."""

import pytest
from django.core.exceptions import ValidationError

from commands import invocations
from commands.models import Invocation
from portal.transitions import WrongState
from tests.commands.conftest import ask, work_on
from tests.factories import InstanceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet(db):
    return InstanceFactory.create_batch(20)


def flying(run: Invocation) -> int:
    rows = run.dispatches.filter(state__in=("waiting", "sending", "sent"))
    return sum(rows.values_list("size", flat=True))


@pytest.mark.parametrize(("limit", "size"), [(1, 1), (6, 6), (150, 75), (100, 100), (250, 83)])
def test_calls_are_cut_so_that_the_limit_is_used(limit, size):
    from commands import holding

    machines = [InstanceFactory.build(account_id=1) for _ in range(300)]
    assert {len(part) for part in holding.parts(machines, limit)} <= {size, 300 % size}


def test_no_more_than_the_limit_are_in_flight_at_once(fake, fleet):
    far = InstanceFactory.create_batch(3, region="ap-southeast-1")
    run, seen = ask(*fleet, *far, concurrency=6), []
    while flying(run):
        seen.append(flying(run))
        work_on(run, looks=3)
        assert fake.started.total() - sum(r.over for r in run.targets.all()) <= 6
        fake.end()
        work_on(run, looks=1)
    run.refresh_from_db()
    assert max(seen) == 6
    assert (run.state, run.outcomes) == ("finished", {"ok": 23})


@pytest.mark.parametrize(
    ("budget", "fails", "left_out"),
    [("0", 0, False), ("0", 1, True), ("2", 2, False), ("2", 3, True), ("10%", 2, False)],
)
def test_the_rest_is_left_out_when_errors_exceed_what_is_allowed(
    fake, fleet, budget, fails, left_out
):
    run = ask(*fleet, concurrency=5, max_errors=budget)
    work_on(run, looks=2)
    for machine in fleet[:fails]:
        fake.end(machine.instance_id, status="Failed")
    fake.end()
    work_on(run, looks=1)

    if left_out:
        assert run.tally_outcomes() == {"failed": fails, "ok": 5 - fails, "not_started": 15}
        run.refresh_from_db()
        assert run.state == "finished"
        assert "more errors" in run.targets.filter(outcome="not_started")[0].error_info
    else:
        assert flying(run) == 5


def test_no_answer_counts_as_an_error_and_stopped_does_not(fake, fleet):
    run = ask(*fleet, concurrency=5, max_errors="0")
    work_on(run, looks=2)
    fake.end(status="Terminated")
    work_on(run, looks=1)
    assert flying(run) == 5
    work_on(run, looks=1)
    run.dispatches.filter(state="sent").update(deadline=run.asked_at)
    work_on(run)
    run.refresh_from_db()
    assert run.outcomes == {"stopped": 5, "unknown": 5, "not_started": 10}


@pytest.mark.parametrize(
    ("field", "value"),
    [("concurrency", 0), ("max_errors", "many"), ("max_errors", "101%"), ("max_errors", "-1")],
)
def test_a_pace_that_makes_no_sense_is_refused_by_name(fleet, field, value):
    with pytest.raises(ValidationError) as refusal:
        ask(*fleet, **{field: value})
    assert set(refusal.value.message_dict) == {field}


def test_a_run_held_for_approval_begins_with_it(fake, fleet):
    run = ask(*fleet, hold_for_approval=True)
    assert run.state == "waiting"
    work_on(run)
    assert fake.started.total() == flying(run) == 0

    invocations.start(run)
    fake.end()
    work_on(run, looks=2)
    assert fake.started.total() == 20
    with pytest.raises(WrongState):
        invocations.start(run)
