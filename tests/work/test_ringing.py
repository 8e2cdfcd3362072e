"""The conductor rings for what is due and free, again if nobody answers, and for nothing else."""

import os
import subprocess
from datetime import timedelta
from unittest.mock import patch

import pytest
import time_machine
from django.utils import timezone

from portal import conductor, health, owners, queue, work
from portal.models import Canary, Heartbeat
from portal.work import LEASE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_else_is_due(db):
    for kind in work.kinds():
        kind._default_manager.update(due_at=None)


@pytest.fixture
def bells():
    """Bells that were rung: job, key, queue."""
    heard = []
    with (
        patch.object(queue, "ring", lambda job, key, queue: heard.append((job, key, queue))),
        patch.object(queue, "length", lambda name: 0),
    ):
        yield heard


def make_work(**fields) -> Canary:
    return Canary.objects.create(**{"name": "default", "due_at": timezone.now(), **fields})


def tick(after: float = 0) -> int:
    with time_machine.travel(timezone.now() + timedelta(seconds=after)):
        return conductor.tick()


def test_a_due_row_is_rung_once_on_its_own_queue(bells):
    row = make_work(name="analyze")
    assert tick() == 1
    assert tick() == 0
    assert bells == [("portal.jobs.sing", row.pk, "analyze")]


@pytest.mark.parametrize("due_at", [None, timezone.now() + timedelta(hours=1)])
def test_a_row_that_is_not_due_is_not_rung(bells, due_at):
    make_work(due_at=due_at)
    assert tick() == 0


def test_a_bell_that_nobody_answers_is_rung_again(bells):
    make_work()
    assert [tick(), tick(after=2), tick(after=6), tick(after=8)] == [1, 0, 1, 0]


def test_a_held_row_is_not_rung_until_its_lease_runs_out(bells):
    row = make_work()
    lost = work.claim(Canary, row.pk)

    assert tick(after=10) == 0
    assert tick(after=LEASE.total_seconds() + 1) == 1

    row.refresh_from_db()
    assert row.lease_until is None
    assert "ended without a word" in row.last_error
    with pytest.raises(work.Fenced):
        lost.release(due_at=None)


def test_a_row_of_a_dead_process_of_this_machine_is_free_at_once(bells):
    row = make_work()
    claimed = work.claim(Canary, row.pk)
    dead = subprocess.Popen(["true"])  # not waited for: a zombie
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    for pid in (dead.pid, 2**30):
        Canary.objects.update(
            lease_owner=f"{owners.HERE}{pid}:x", lease_until=timezone.now() + LEASE
        )
        assert tick() == 1
        assert Canary.objects.get().lease_until is None
    with pytest.raises(work.Fenced):
        claimed.write(name="late")
    dead.wait()


def test_a_row_of_another_machine_is_left_until_its_lease_runs_out(bells):
    work.claim(Canary, make_work().pk)
    Canary.objects.update(lease_owner="elsewhere/0.0:1:x")
    assert tick() == 0


def test_a_row_that_keeps_losing_its_holders_rests(bells):
    row = make_work(attempts=5)
    work.claim(Canary, row.pk)

    assert tick(after=LEASE.total_seconds() + 1) == 0

    row.refresh_from_db()
    assert row.due_at > timezone.now() + LEASE + work.pause(6)


def test_a_full_queue_is_not_filled_further(bells):
    for n in range(5):
        make_work(name=f"q{n}")
    with (
        patch.object(Canary, "bell", lambda row: ("portal.jobs.sing", "default")),
        patch.object(queue, "length", lambda name: conductor.QUEUE_FULL - 2),
    ):
        assert tick() == 2


def test_a_queue_that_cannot_be_reached_stops_nothing(bells):
    make_work()
    with patch.object(queue, "length", side_effect=ConnectionError):
        assert tick() == 0
    assert tick() == 1


def test_health_is_good_while_the_conductor_lives_and_each_queue_is_heard():
    assert not health.state().ok
    conductor.beat(timezone.now())
    conductor.hang_up_canaries()
    assert not health.state().ok

    Canary.objects.update(heard_at=timezone.now())
    assert health.state().ok

    with time_machine.travel(timezone.now() + timedelta(minutes=4)):
        state = health.state()
        assert not state.ok
        assert [q.ok for q in state.queues] == [False, False]
        conductor.beat(timezone.now())
        assert [process.ok for process in health.state().conductors] == [True]
    assert Heartbeat.objects.count() == 1


def test_health_names_the_rows_whose_steps_keep_going_wrong():
    make_work(attempts=3, last_error="ValueError: no")
    make_work(name="fine", attempts=1)
    (row,) = health.state().stumbling
    assert (row.label, row.attempts, row.last_error) == ("portal.Canary", 3, "ValueError: no")


def test_the_next_tick_comes_when_something_is_due_and_a_second_later_at_most():
    assert conductor.until_due() == conductor.TICK
    row = make_work(due_at=timezone.now() + timedelta(seconds=0.5))
    assert 0.1 <= conductor.until_due() <= 0.5
    Canary.objects.filter(pk=row.pk).update(due_at=timezone.now() + timedelta(seconds=0.01))
    assert conductor.until_due() == conductor.SHORTEST


def test_a_tick_with_nothing_to_do_is_one_query(django_assert_num_queries):
    make_work(due_at=timezone.now() + timedelta(minutes=1))
    with django_assert_num_queries(1):
        assert conductor.tick() == 0
    with django_assert_num_queries(1):
        assert conductor.until_due() == conductor.TICK


def test_what_is_due_at_this_very_moment_stirs():
    due_at = timezone.now()
    make_work(due_at=due_at)
    assert work.stirring(due_at) == [Canary]
    assert work.stirring(due_at - timedelta(microseconds=1)) == []
