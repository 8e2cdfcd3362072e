"""No wave begins that cannot end inside the window."""

from datetime import timedelta

from django.utils import timezone

from commands.models import RebootBatch
from commands.reboots import estimate
from tests.reboots.driving import approved, asked, outcomes, over, reasons, turn, until_stage


def leave(batch, seconds: float) -> None:
    """So much is left of the window."""
    RebootBatch.objects.filter(pk=batch.pk).update(
        opens_at=timezone.now() - timedelta(hours=1),
        closes_at=timezone.now() + timedelta(seconds=seconds),
    )


def test_a_wave_that_could_not_end_inside_the_window_is_not_begun(fleet):
    rows = fleet.rows[:2]
    batch = approved(asked(rows, sizes=["1"]))
    until_stage(batch, "proving")
    leave(batch, estimate.at_worst(batch, rows).total_seconds() - 5)
    over(batch)
    assert outcomes(batch) == ["proven", "not_started"]
    assert (batch.ending, "window" in reasons(batch)[1]) == ("window", True)


def test_one_that_was_held_up_until_it_is_too_late_is_not_taken_down(fleet):
    rows = fleet.rows[:2]
    batch = approved(asked(rows))
    until_stage(batch, "power")
    leave(batch, estimate.from_power(batch, rows).total_seconds() - 5)
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
    from commands.approvals import expire
    from commands.models import Approval

    batch = asked(fleet.rows[:1])
    approval = batch.approvals.get()
    leave(batch, -1)
    Approval.objects.filter(pk=approval.pk).update(expires_at=timezone.now(), due_at=timezone.now())
    expire(approval.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.ending, outcomes(batch)) == ("finished", "expired", ["not_started"])


def test_where_everybody_had_their_turn_a_window_that_closed_meanwhile_is_no_end(fleet):
    batch = approved(asked(fleet.rows[:1]))
    until_stage(batch, "proving")
    leave(batch, -1)
    over(batch)
    assert (outcomes(batch), batch.ending) == (["proven"], "done")
