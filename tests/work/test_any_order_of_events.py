"""Rows, holders, wakes, deaths and clocks in any order: the database does what this model says."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from portal import conductor, queue, work
from portal.models import Canary
from portal.work import LEASE, Claim, Fenced, pause
from tests.sizes import examples

EXAMPLES = examples(600)
START = datetime(2026, 3, 1, tzinfo=UTC)
some_holder = precondition(lambda self: self.claims)
which = st.integers(0, 3)


@dataclass
class Model:
    """What one row must be like."""

    due: datetime | None = START
    owner: Claim | None = None
    lease_until: datetime | None = None
    woken: bool = False  # since it was claimed
    attempts: int = 0
    written: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        return self.owner is None or self.lease_until <= now

    def let_go(self, due: datetime | None, now: datetime) -> None:
        self.due, self.owner = now if self.woken else due, None


class Rows(RuleBasedStateMachine):
    names = st.sampled_from(["a", "b"])

    def __init__(self) -> None:
        super().__init__()
        self.clock = time_machine.travel(START, tick=False)
        self.time = self.clock.start()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(queue, "ring", lambda job, key, queue: self.bells.append(key))
        self.patch.setattr(queue, "length", lambda name: 0)
        self.patch.setattr(work, "kinds", lambda: [Canary])
        self.bells: list[int] = []
        self.claims: list[Claim] = []  # of living holders, rightful or not
        self.rows: dict[str, Model] = {}

    def teardown(self) -> None:
        try:
            self.calm_down()
        finally:
            self.clock.stop()
            self.patch.undo()

    @initialize()
    def begin(self) -> None:
        Canary.objects.all().delete()
        for name in ("a", "b"):
            Canary.objects.create(name=name, due_at=START)
            self.rows[name] = Model()

    @rule(name=names)
    def claim(self, name: str) -> None:
        claimed = work.claim(Canary, Canary.objects.get(name=name).pk)
        self.compare_claims([name], [claimed] if claimed else [])

    @rule()
    def claim_all_that_is_due(self) -> None:
        self.compare_claims(list(self.rows), work.claim_due(Canary.objects.all(), limit=5))

    def compare_claims(self, names: list[str], claims: list[Claim]) -> None:
        now = self.now()
        due = {n for n in names if self.rows[n].due and self.rows[n].due <= now}
        assert {c.row.name for c in claims} == {n for n in due if self.rows[n].is_free(now)}
        for claimed in sorted(claims, key=lambda each: each.row.name):  # of equals any is first
            model = self.rows[claimed.row.name]
            model.owner, model.lease_until, model.woken = claimed, now + LEASE, False
            model.attempts += 1
            self.claims.append(claimed)

    @rule(name=names)
    def wake(self, name: str) -> None:
        Canary.objects.get(name=name).wake()
        self.rows[name].due, self.rows[name].woken = self.now(), True

    @some_holder
    @rule(n=which)
    def write(self, n: int) -> None:
        now = self.now()
        if model := self.act(n, lambda claim: claim.write(heard_at=now)):
            model.written = now

    @some_holder
    @rule(n=which)
    def renew(self, n: int) -> None:
        if model := self.act(n, lambda claim: claim.renew()):
            model.lease_until = self.now() + LEASE

    @some_holder
    @rule(n=which, rest=st.sampled_from([None, 0, 5]))
    def release(self, n: int, rest: int | None) -> None:
        due = None if rest is None else self.now() + timedelta(seconds=rest)
        if model := self.act(n, lambda claim: claim.release(due_at=due)):
            model.let_go(due, self.now())
            model.attempts = 0

    @some_holder
    @rule(n=which)
    def stumble(self, n: int) -> None:
        if model := self.act(n, lambda claim: claim.stumble(ValueError())):
            model.let_go(self.now() + pause(model.attempts), self.now())

    @some_holder
    @rule(n=which)
    def die(self, n: int) -> None:
        self.claims.pop(n % len(self.claims))

    def act(self, n: int, act) -> Model | None:
        """Use a claim: it works exactly for the rightful holder, whose model this returns."""
        claim = self.claims[n % len(self.claims)]
        model = self.rows[claim.row.name]
        if model.owner is claim:
            act(claim)
            return model
        with pytest.raises(Fenced):
            act(claim)
        return None

    @rule(seconds=st.sampled_from([0.5, 4, 25, 400]))
    def wait(self, seconds: float) -> None:
        self.time.shift(timedelta(seconds=seconds))

    @rule()
    def tick(self) -> None:
        now = self.now()
        before = {row.name: row for row in Canary.objects.all()}
        conductor.tick()
        for row in Canary.objects.all():
            model = self.rows[row.name]
            if before[row.name].lease_until and not row.lease_until:
                assert model.lease_until <= now, "taken from somebody whose lease holds"
                model.owner = None
                model.due = now + (pause(model.attempts) if model.attempts > 2 else timedelta())

    def now(self) -> datetime:
        return datetime.now(UTC)

    @invariant()
    def the_database_agrees(self) -> None:
        for row in Canary.objects.all():
            model = self.rows[row.name]
            held = (row.lease_until, row.due_at) if row.lease_until else (None, row.due_at)
            expected = (model.lease_until if model.owner else None, model.due)
            assert (*held, row.attempts, row.heard_at) == (
                *expected,
                model.attempts,
                model.written,
            )

    def calm_down(self) -> None:
        """Whatever happened before: with time, ticks and honest workers everything ends."""
        for _minute in range(12):
            self.time.shift(timedelta(seconds=60))
            conductor.tick()
            for key in self.bells:
                if claimed := work.claim(Canary, key):
                    claimed.release(due_at=None)
            self.bells.clear()
        assert not Canary.objects.exclude(due_at=None).exists()


@pytest.mark.django_db
def test_the_database_does_what_the_model_says():
    run(
        Rows,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
