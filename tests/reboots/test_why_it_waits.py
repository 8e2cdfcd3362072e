"""Every batch that is not over says what it waits for, and until when."""

from datetime import timedelta

from django.utils import timezone

from commands.models import FreezeWindow, RebootBatch
from commands.reboots import shown, steering, waves
from tests.factories import a_person
from tests.reboots.driving import approved, asked, over, turn, until_stage

HOUR = timedelta(hours=1)


def words(batch) -> str:
    batch.refresh_from_db()
    return shown.waits_for(batch)


def test_from_the_request_to_the_end(fleet):
    opens = timezone.now() + HOUR
    batch = asked(fleet.rows[:2], opens_at=opens, closes_at=opens + 4 * HOUR)
    assert "Waits for somebody else's yes: 0 of 1 given, until" in words(batch)
    approved(batch)
    assert f"its window opens at {timezone.localtime(opens):%Y-%m-%d %H:%M}" in words(batch)
    steering.pause(batch, by=(person := a_person("operator")), via="page")
    assert words(batch) == f"Paused: Paused by {person.username}."
    steering.resume(batch, by=person, via="page")
    steering.stop(batch, by=person, via="page")
    assert words(batch).startswith("Stopped; what is down already")
    over(batch)
    assert words(batch) == ""


def test_a_wave_tells_its_step_and_how_long_machines_may_take(fleet):
    batch = approved(asked(fleet.rows[:2]))
    assert words(batch) == "The next wave begins in a moment."
    until_stage(batch, "before")
    assert "Wave 1: reading the boot before." in words(batch)
    until_stage(batch, "proving")
    assert "Wave 1: waiting for their return. 2 instances are awaited, until" in words(batch)


def test_a_freeze_is_named(fleet):
    now, batch = timezone.now(), approved(asked(fleet.rows[:1]))
    FreezeWindow.objects.create(
        name="quarter end", reason="x", starts_at=now - HOUR, ends_at=now + HOUR
    )
    turn(), turn()
    assert "The freeze quarter end stands in the way until" in words(batch)


def test_a_step_that_goes_wrong_is_told_and_tried_again(fleet, monkeypatch):
    batch = approved(asked(fleet.rows[:1]))
    until_stage(batch, "power")
    with monkeypatch.context() as patched:

        def broken(_claim):
            raise OSError("no space left")

        patched.setitem(waves.STEPS, "power", broken)
        turn()
        assert "went wrong, and is tried again at" in words(batch)
        assert "no space left" in words(batch)
    assert over(batch).ending == "done"
    assert RebootBatch.objects.get().items.get().outcome == "proven"
