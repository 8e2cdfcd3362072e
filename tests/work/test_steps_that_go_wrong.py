"""A step that raises neither keeps the row nor comes back in a hot loop."""

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from portal import work
from portal.models import Canary
from portal.work import LONGEST_PAUSE, Claim

pytestmark = pytest.mark.django_db


def make_work() -> Canary:
    return Canary.objects.create(name="default", due_at=timezone.now())


@work.job(Canary)
def breaks(claim: Claim[Canary]) -> None:
    claim.write(heard_at=timezone.now())
    raise ValueError("no such luck\0")


@work.job(Canary)
def forgets_to_release(claim: Claim[Canary]) -> None:
    pass


@work.job(Canary)
def works(claim: Claim[Canary]) -> None:
    claim.release(due_at=None)


def test_it_is_let_go_and_says_what_went_wrong():
    row = make_work()

    assert breaks(row.pk)

    row.refresh_from_db()
    assert row.lease_until is None
    assert row.due_at > timezone.now()
    assert row.last_error == "ValueError: no such luck"


def test_it_rests_longer_each_time_but_never_for_ever():
    row, rests = make_work(), []
    for _ in range(12):
        row.refresh_from_db()
        with time_machine.travel(row.due_at + timedelta(seconds=1), tick=False):
            assert breaks(row.pk)
            row.refresh_from_db()
            rests.append(row.due_at - timezone.now())

    assert rests[:3] == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]
    assert rests[-1] == LONGEST_PAUSE


def test_a_step_that_ends_well_starts_the_count_again():
    row = make_work()
    breaks(row.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert works(row.pk)

    row.refresh_from_db()
    assert (row.attempts, row.last_error, row.due_at) == (0, "", None)


def test_a_step_that_forgets_to_release_is_a_failure_not_a_held_row():
    row = make_work()

    forgets_to_release(row.pk)

    row.refresh_from_db()
    assert row.lease_until is None
    assert "without releasing" in row.last_error


def test_a_step_whose_release_was_undone_rests_longer_each_time():
    @work.job(Canary)
    def breaks_late(claim: Claim[Canary]) -> None:
        with transaction.atomic():
            claim.release(due_at=None)
            raise ValueError("too late")

    row, rests = make_work(), []
    for _ in range(3):
        row.refresh_from_db()
        with time_machine.travel(row.due_at + timedelta(seconds=1), tick=False):
            assert breaks_late(row.pk)
            row.refresh_from_db()
            rests.append(row.due_at - timezone.now())

    assert (row.lease_until, row.last_error) == (None, "ValueError: too late")
    assert rests == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]


def test_the_queues_time_limit_lets_the_row_go():
    @work.job(Canary)
    def runs_too_long(claim: Claim[Canary]) -> None:
        raise SystemExit("time limit")

    row = make_work()
    runs_too_long(row.pk)

    row.refresh_from_db()
    assert row.lease_until is None
    assert row.due_at is not None


def test_a_job_that_finds_nothing_to_do_says_so():
    row = make_work()
    work.claim(Canary, row.pk)

    assert works(row.pk) is False
