"""Each verdict with its near miss: a claim is made only where it was seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from commands.reboots.proof import Reading, Seen, came_back, went_down

ASKED = datetime(2026, 3, 1, 2, tzinfo=UTC)
OLD = Reading("0b1f6a3e-9a41-4c0e-8d52-0a6f5d1f3c77", ASKED - timedelta(days=90))
NEW = Reading("5e0c7c56-3b6e-4f39-8a55-1d2e3f4a5b6c", ASKED + timedelta(seconds=20))
SEEN = Seen(before=OLD, after=None, asked_at=ASKED, running=True)


def windows(moment: datetime) -> Reading:
    return Reading(moment.strftime("%Y%m%dT%H%M%S.%fZ"), moment.replace(microsecond=0))


def said(time_is_up: bool = True, **seen) -> str:
    return came_back(replace(SEEN, **seen), time_is_up=time_is_up)


def test_another_boot_is_proof_at_once():
    assert said(False, after=NEW) == "verified"


def test_running_alone_is_none():
    assert said(False) == ""
    assert said() == "unverified"


def test_the_same_boot_may_still_go_down_until_the_time_is_up():
    assert said(False, after=OLD) == ""
    assert said(after=OLD) == "same_boot"


def test_whoever_does_not_run_when_the_time_is_up_is_not_back():
    assert said(False, running=False) == ""
    assert said(running=False) == "not_back"


def test_where_ecs_could_not_be_asked_nothing_is_claimed():
    assert said(running=False, blind=True) == "unverified"
    assert said(after=OLD, blind=True) == "same_boot"  # the machine itself said so


def test_without_a_boot_before_a_new_one_is_at_best_unverified():
    assert said(False, before=None, after=NEW) == "unverified"
    assert said(False, before=None, after=OLD) == ""
    assert said(before=None, after=OLD) == "unverified"


def test_whatever_runs_on_a_machine_that_was_stopped_is_a_new_boot():
    started = {"before": None, "was_stopped": True}
    assert said(False, after=OLD, **started) == "verified"
    assert said(after=OLD, known_boot_id=OLD.boot_id, **started) == "unverified"
    assert said(after=None, **started) == "unverified"
    assert said(after=None, running=False, **started) == "not_back"


@pytest.mark.parametrize(
    ("moved", "verdict"),
    [
        (timedelta(), "same_boot"),
        (timedelta(seconds=4), "same_boot"),  # the clock was set by a little
        (timedelta(seconds=-4), "same_boot"),
        (timedelta(days=90, seconds=20), "verified"),
        (timedelta(hours=8), "unverified"),  # the clock was set by hours
        (timedelta(hours=-8), "unverified"),
    ],
)
def test_on_windows_the_moment_of_the_boot_stands_for_it(moved, verdict):
    after = windows(OLD.booted_at + moved)
    assert said(before=windows(OLD.booted_at), after=after) == verdict


def test_a_stop_is_proven_by_the_status_alone():
    assert went_down("Stopped", time_is_up=False) == "verified"
    assert went_down("Stopping", time_is_up=False) == ""
    assert went_down("Stopping", time_is_up=True) == "unverified"
    assert went_down("Running", time_is_up=True) == "same_boot"
    assert went_down("Stopped", time_is_up=True, blind=True) == "unverified"
