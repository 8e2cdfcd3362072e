"""A worker may die before and after every write and call, and the cloud may fail in every way:
a script starts at most once, every target ends, and what is said about it is true."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands import answers, jobs
from commands.models import Dispatch, Invocation, Output, Target
from instances import ecs
from instances.models import Instance
from portal.models import Canary
from portal.work import Claim
from tests.commands.conftest import ask
from tests.factories import InstanceFactory
from tests.sizes import examples

EXAMPLES = examples(600)
START = datetime(2026, 3, 1, tzinfo=UTC)
FAILURES = (ecs.Throttled("busy"), ecs.Refused("no", code="No"), ecs.NoAnswer("silence"))


class Crash(BaseException):
    """kill -9, as far as this process is concerned."""


class Cloud:
    """Starts a script once for each token, as ECS does, and fails as it is told."""

    def __init__(self, draw) -> None:
        self.draw = draw
        self.calls: dict[str, tuple] = {}
        self.started: dict[str, list[str]] = {}
        self.forgets = draw(st.sampled_from([False, False, False, True]))

    def point(self) -> None:
        """A moment at which the worker may die."""
        if self.draw(st.integers(0, 11)) == 11:
            raise Crash

    def _fail(self) -> str:
        return self.draw(st.sampled_from(["", "", "", "before", "after"]))

    def run_script(self, account, region, ids, script, *, token, **rest) -> ecs.Answer:
        asked = (region, tuple(ids), script, tuple(sorted(rest.items())))
        assert self.calls.setdefault(token, asked) == asked, "a repeat must be the same call"
        self.point()
        when = self._fail()
        if when == "before":
            raise self.draw(st.sampled_from(FAILURES))
        self.started[token] = list(ids)
        self.point()
        if when == "after":
            raise ecs.NoAnswer("lost")
        return ecs.Answer(ecs.Run(f"t-{token[:8]}"), ("REQUEST",))

    def results(self, account, region, invoke_id) -> ecs.Answer:
        self.point()
        if self._fail():
            raise self.draw(st.sampled_from(FAILURES))
        (ids,) = [ids for token, ids in self.started.items() if invoke_id == f"t-{token[:8]}"]
        if self.forgets:
            return ecs.Answer([])
        words = st.sampled_from(["Running", "Success", "Success"])
        return ecs.Answer([ecs.Result(i, self.draw(words), output=i.encode()) for i in ids])


@pytest.fixture
def fleet(db) -> list[Instance]:
    return InstanceFactory.create_batch(2)


@pytest.fixture
def world(monkeypatch):
    """`world(cloud)`: the gateway is this cloud, and every write may be the worker's last."""

    def put(cloud: Cloud) -> None:
        monkeypatch.setattr(ecs, "run_script", cloud.run_script)
        monkeypatch.setattr(ecs, "results", cloud.results)
        monkeypatch.setattr(Claim, "write", _fatal(write, cloud))
        monkeypatch.setattr(Claim, "_let_go", _fatal(let_go, cloud))

    write, let_go = Claim.write, Claim._let_go
    monkeypatch.setattr(answers, "YOUNG_LOOKS", (0, 0))
    return put


def _fatal(act, cloud: Cloud):
    def around(*args, **options):
        cloud.point()
        act(*args, **options)
        cloud.point()

    return around


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_target_ends_and_what_is_said_is_true(data, fleet, world):
    for model in (Target, Output, Dispatch, Invocation, Canary):
        model.objects.all().delete()
    cloud = Cloud(data.draw)
    with time_machine.travel(START, tick=False) as clock:
        waiting = Canary.objects.create(name="default")
        run = ask(*fleet, then=waiting, send_within=timedelta(minutes=2))
        world(cloud)

        _work_on(run, clock)

        assert datetime.now(UTC) - START < timedelta(minutes=8)
    token = str(Dispatch.objects.get(invocation=run).token)
    for target in run.targets.select_related("output", "instance"):
        assert target.over
        if target.status == Target.REFUSED:
            assert token not in cloud.started
        elif target.status == "Success":
            assert target.output.body() == target.instance.instance_id.encode()
        else:
            assert target.status == Target.NO_ANSWER
            assert "not known" in target.error_info
    run.refresh_from_db()
    waiting.refresh_from_db()
    assert (run.state, waiting.due_at is not None) == ("finished", True)


def _work_on(run: Invocation, clock) -> None:
    """Bells ring whenever the row is due and free; some workers die of them."""
    for _bell in range(500):
        dispatch = Dispatch.objects.get(invocation=run)
        if dispatch.state == "finished":
            return
        moments = [dispatch.due_at, dispatch.lease_until, datetime.now(UTC)]
        clock.move_to(max(moment for moment in moments if moment) + timedelta(milliseconds=1))
        try:
            jobs.carry_on(dispatch.pk)
        except Crash:
            continue
    raise AssertionError("it never ends")
