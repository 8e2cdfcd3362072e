"""A row of work is in one pair of hands at a time, and nobody writes who lost it."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from portal import work
from portal.models import Canary
from portal.work import LEASE, Fenced

pytestmark = pytest.mark.django_db


def make_work(**fields) -> Canary:
    return Canary.objects.create(**{"name": "default", "due_at": timezone.now(), **fields})


def read(row: Canary) -> Canary:
    return Canary.objects.get(pk=row.pk)


def test_only_the_first_claim_wins():
    row = make_work()

    first, second = work.claim(Canary, row.pk), work.claim(Canary, row.pk)

    assert first.row.pk == row.pk
    assert second is None


@pytest.mark.parametrize("due_at", [None, timezone.now() + timedelta(hours=1)])
def test_a_row_that_is_not_due_is_left_alone(due_at):
    assert work.claim(Canary, make_work(due_at=due_at).pk) is None


def test_an_unknown_row_is_no_error():
    assert work.claim(Canary, 12345) is None


def test_an_expired_lease_is_taken_over_and_the_old_holder_is_fenced():
    row = make_work()
    old = work.claim(Canary, row.pk)

    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1)):
        new = work.claim(Canary, row.pk)
        new.write(name="new")
        for act in (
            lambda: old.write(name="old"),
            old.renew,
            lambda: old.release(due_at=None),
            lambda: old.stumble(ValueError("late")),
        ):
            with pytest.raises(Fenced):
                act()

    assert read(row).name == "new"
    assert read(row).lease_until is not None


def test_a_renewed_lease_is_not_taken_over():
    row = make_work()
    claim = work.claim(Canary, row.pk)

    with time_machine.travel(timezone.now() + LEASE / 2):
        claim.renew()
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1)):
        assert work.claim(Canary, row.pk) is None


def test_nothing_is_written_after_release():
    row = make_work()
    claim = work.claim(Canary, row.pk)
    claim.release(due_at=None)

    with pytest.raises(Fenced):
        claim.write(name="late")
    with pytest.raises(Fenced):
        claim.renew()


def test_a_released_row_comes_back_when_it_is_due():
    row = make_work()
    later = timezone.now() + timedelta(seconds=30)
    work.claim(Canary, row.pk).release(due_at=later)

    assert work.claim(Canary, row.pk) is None
    with time_machine.travel(later + timedelta(seconds=1)):
        assert work.claim(Canary, row.pk) is not None


def test_a_wake_during_the_step_wins_over_the_planned_rest():
    row = make_work()
    claim = work.claim(Canary, row.pk)
    row.wake()

    claim.release(due_at=None, heard_at=timezone.now())

    assert read(row).heard_at is not None
    assert work.claim(Canary, row.pk) is not None


def test_a_wake_before_the_claim_is_seen_by_that_claim():
    row = make_work(due_at=None)
    row.wake()

    work.claim(Canary, row.pk).release(due_at=None)

    assert read(row).due_at is None


def test_a_wake_that_is_rolled_back_never_was():
    row = make_work(due_at=None)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        row.wake()
        raise ZeroDivisionError

    assert work.claim(Canary, row.pk) is None


def test_many_rows_are_taken_with_one_claim_the_longest_due_first():
    now = timezone.now()
    rows = [make_work(name=f"q{n}", due_at=now - timedelta(seconds=n)) for n in range(5)]
    held = work.claim(Canary, rows[4].pk)
    make_work(name="later", due_at=now + timedelta(hours=1))

    claims = work.claim_due(Canary.objects.filter(name__startswith="q"), limit=3)

    assert [claim.row.name for claim in claims] == ["q3", "q2", "q1"]
    assert held.row.pk not in {claim.row.pk for claim in claims}
    assert {claim.row.fence for claim in claims} == {1}


def claimed(count: int) -> list[work.Claim]:
    keys = [make_work(name=f"q{n}").pk for n in range(count)]
    return work.claim_due(Canary.objects.filter(pk__in=keys), limit=count)


def test_claims_that_nobody_disturbed_are_released_with_one_statement(
    django_assert_max_num_queries,
):
    later, claims = timezone.now() + timedelta(seconds=30), claimed(9)

    with django_assert_max_num_queries(4):  # a savepoint, locks where there are any, the UPDATE
        work.release_alike(claims, due_at=later, heard_at=later)

    assert {read(claim.row).due_at for claim in claims} == {later}
    assert all(claim.released for claim in claims)
    with pytest.raises(Fenced):
        claims[0].write(name="late")


def test_one_that_was_woken_and_one_that_was_taken_over_do_not_keep_the_others():
    later, claims = timezone.now() + timedelta(seconds=30), claimed(4)
    woken, lost, *others = claims
    woken.row.wake()
    Canary.objects.filter(pk=lost.row.pk).update(lease_until=timezone.now())
    new = work.claim(Canary, lost.row.pk)
    new.write(name="new")

    work.release_alike(claims, due_at=later, heard_at=later)

    assert {read(claim.row).due_at for claim in others} == {later}
    assert work.claim(Canary, woken.row.pk) is not None, "it is due at once"
    assert (lost.released, lost.lost, read(lost.row).heard_at) == (False, True, None)
    assert read(lost.row).fence == new.fence


@pytest.mark.django_db(transaction=True)
def test_a_long_step_keeps_its_lease(monkeypatch):
    monkeypatch.setattr(work, "LEASE", timedelta(milliseconds=200))
    claim = work.claim(Canary, make_work().pk)
    first = claim.row.lease_until

    with claim.held():
        give_up = time.monotonic() + 10
        while read(claim.row).lease_until <= first and time.monotonic() < give_up:
            time.sleep(0.02)

    assert read(claim.row).lease_until > first
