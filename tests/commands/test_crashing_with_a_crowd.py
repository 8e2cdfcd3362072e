"""Many calls at once, a worker that may die at every moment, a cloud that fails in every way, an
unfit instance, a stop: no script starts twice, every target ends, and what is said is true."""

import random
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands import answers, jobs, stopping
from commands.models import Dispatch, Invocation, Output, Target
from instances import ecs
from instances.models import Instance
from portal.work import Claim
from tests.commands.conftest import ask
from tests.commands.test_crashing_anywhere import FAILURES, Crash, _fatal
from tests.factories import InstanceFactory
from tests.sizes import examples, long_only

START = datetime(2026, 3, 1, tzinfo=UTC)
ENDS = ["Running", "Success", "Success", "Failed", "Timeout"]


class Cloud:
    """Starts a script once for each token, refuses a call for one unfit instance, and fails."""

    def __init__(self, dice: random.Random, unfit: set[str]) -> None:
        self.dice, self.unfit = dice, unfit
        self.calls: dict[str, tuple] = {}
        self.runs: dict[str, dict[str, str]] = {}  # invoke id -> instance -> status
        self.deadly = True

    def point(self) -> None:
        """A moment at which the worker may die."""
        if self.deadly and self.dice.randint(0, 29) == 29:
            raise Crash

    def _fails(self) -> None:
        self.point()
        if self.dice.randint(0, 4) == 4:
            raise self.dice.choice(FAILURES)

    def side_by_side(self, calls):
        """Other calls may have been heard before the first answer is written, or never made."""
        if self.dice.random() < 0.5:
            answers_ = {key: _attempted(call) for key, call in calls.items()}
            yield from answers_.items()
        else:
            for key, call in calls.items():
                yield key, _attempted(call)

    def run_script(self, account, region, ids, script, *, token, **rest) -> ecs.Answer:
        asked = (region, tuple(ids), script, repr(sorted(rest.items())))
        assert self.calls.setdefault(token, asked) == asked, "a repeat must be the same call"
        self._fails()
        if f"t-{token}" in self.runs and self.dice.randint(0, 2) == 2:
            # An instance that ran it stopped since: no proof that nothing ran.
            raise ecs.Refused(f"not with {ids[0]}", code="InvalidInstance.NotMatch")
        if bad := sorted(self.unfit & set(ids)):
            named = self.dice.choice(["one of them", bad[0]])
            raise ecs.Refused(f"not with {named}", code="InvalidInstance.NotMatch")
        self.runs.setdefault(f"t-{token}", dict.fromkeys(ids, "Running"))
        if self.dice.randint(0, 4) == 4:
            raise ecs.NoAnswer("lost")
        return ecs.Answer(ecs.Run(f"t-{token}"))

    def _moved(self, invoke_id: str) -> dict[str, str]:
        rows = self.runs[invoke_id]
        for name, status in rows.items():
            if status == "Running":
                rows[name] = self.dice.choice(ENDS)
            elif status == "Stopping":
                rows[name] = self.dice.choice(["Stopping", "Terminated"])
        return rows

    def results(self, account, region, invoke_id) -> ecs.Answer:
        self._fails()
        rows = self._moved(invoke_id).items()
        return ecs.Answer([ecs.Result(i, status, output=i.encode()) for i, status in rows])

    def invocations(self, account, region, *, wanted=None, most_pages) -> ecs.Answer:
        self._fails()
        known = [key for key in self.runs if wanted is None or key in wanted]
        infos = [ecs.InvocationInfo(key, "?", dict(self._moved(key))) for key in known]
        return ecs.Answer({info.invoke_id: info for info in infos})

    def stop(self, account, region, invoke_id) -> ecs.Answer:
        self._fails()
        rows = self.runs[invoke_id]
        rows |= {name: "Stopping" for name, status in rows.items() if status == "Running"}
        return ecs.Answer(None)

    def started(self) -> list[str]:
        return [name for rows in self.runs.values() for name in rows]


def _attempted(call):
    try:
        return call()
    except Exception as error:
        return error


@pytest.fixture
def fleet(db) -> list[Instance]:
    return InstanceFactory.create_batch(7)


@pytest.fixture
def world(monkeypatch):
    """`world(cloud)`: the gateway is this cloud, and every write may be the worker's last."""

    def put(cloud: Cloud) -> None:
        for name in ("run_script", "results", "invocations", "stop", "side_by_side"):
            monkeypatch.setattr(ecs, name, getattr(cloud, name))
        monkeypatch.setattr(Claim, "write", _fatal(write, cloud))
        monkeypatch.setattr(Claim, "_let_go", _fatal(let_go, cloud))

    write, let_go = Claim.write, Claim._let_go
    monkeypatch.setattr(answers, "YOUNG_LOOKS", (0, 0))
    monkeypatch.setattr(ecs, "RUN_LIMIT", 3)
    monkeypatch.setattr(ecs, "RESULTS_PAGE", 2)
    return put


@long_only
@settings(max_examples=examples(400), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_runs_twice_and_all_of_it_ends_in_truth(data, fleet, world):
    for model in (Target, Output, Dispatch, Invocation):
        model.objects.all().delete()
    # One drawn number, not many: databases give rows in orders of their own, and with them the
    # questions change places.
    dice = random.Random(data.draw(st.integers(0, 2**32)))
    unfit = set(dice.sample([m.instance_id for m in fleet[:3]], dice.randint(0, 2)))
    pace = dice.choice([{}, {"concurrency": 3}, {"max_errors": "1"}])
    cloud = Cloud(dice, unfit)
    with time_machine.travel(START, tick=False) as clock:
        run = ask(*fleet, send_within=timedelta(minutes=2), **pace)
        world(cloud)
        _work_on(run, clock, stop_at=dice.choice([None, None, 1, 4, 9]))

    run.refresh_from_db()
    assert run.state == "finished"
    assert sum(run.outcomes.values()) == len(fleet)
    started = cloud.started()
    assert len(started) == len(set(started)), "a script started twice"
    for target in run.targets.select_related("output", "instance"):
        _check(target, target.instance.instance_id in started)
    for dispatch in run.dispatches.all():
        assert dispatch.size == dispatch.targets.count()


def _check(target: Target, started: bool) -> None:
    assert target.over
    if target.status in (Target.REFUSED, Target.NOT_STARTED):
        assert not started
    elif target.status == Target.NO_ANSWER:
        assert "not known" in target.error_info
    else:
        assert started
        assert target.output.body() == target.instance.instance_id.encode()


def _work_on(run: Invocation, clock, stop_at: int | None) -> None:
    """Bells ring whenever something is due and free; some workers die of them."""
    for bell in range(900):
        open_ones = run.dispatches.exclude(due_at=None)
        if not open_ones:
            return
        free = [max(row.due_at, row.lease_until or row.due_at) for row in open_ones]
        clock.move_to(max(min(free), datetime.now(UTC)) + timedelta(milliseconds=1))
        row = open_ones[free.index(min(free))]
        try:
            if bell == stop_at:
                stopping.stop(run, None)
            jobs.carry_on(row.pk)
        except Crash:
            continue
    raise AssertionError("it never ends")
