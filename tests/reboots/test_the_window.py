"""No wave begins that cannot end inside the window."""

from datetime import timedelta

from django.utils import timezone

from commands.approvals import expire
from commands.models import Approval
from commands.reboots import estimate
from tests.reboots.driving import approved, asked, outcomes, over, reasons, turn, until_stage

NINE_HOURS = timedelta(hours=9)  # more than the window has


def test_a_wave_that_could_not_end_inside_the_window_is_not_begun(fleet, monkeypatch):
    rows = fleet.rows[:2]
    batch = approved(asked(rows, sizes=["1"]))
    until_stage(batch, "proving")
    monkeypatch.setattr(estimate, "LOOK", NINE_HOURS)
    over(batch)
    assert outcomes(batch) == ["proven", "not_started"]
    assert (batch.ending, "window" in reasons(batch)[1]) == ("window", True)


def test_one_that_was_held_up_until_it_is_too_late_is_not_taken_down(fleet, monkeypatch):
    rows = fleet.rows[:2]
    batch = approved(asked(rows))
    until_stage(batch, "power")
    monkeypatch.setattr(estimate, "REPORT", NINE_HOURS)
    over(batch)
    assert outcomes(batch) == ["not_started"] * 2
    assert batch.ending == "window"
    assert [fleet.counted("reboots", row) for row in rows] == [0, 0]


def test_before_it_opens_nothing_begins(fleet):
    opens = timezone.now() + timedelta(hours=1)
    batch = approved(asked(fleet.rows[:1], opens_at=opens, closes_at=opens + timedelta(hours=4)))
    for _ in range(3):
        turn()
    batch.refresh_from_db()
    assert (batch.state, batch.waves.count()) == ("ready", 0)
    assert batch.due_at == batch.opens_at


def test_an_approval_that_never_came_ends_with_the_window(fleet):
    batch = asked(fleet.rows[:1])
    approval = batch.approvals.get()
    Approval.objects.filter(pk=approval.pk).update(expires_at=timezone.now(), due_at=timezone.now())
    expire(approval.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.ending, outcomes(batch)) == ("finished", "expired", ["not_started"])
