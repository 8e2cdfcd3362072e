"""A wave begins only where it would surely end inside the window."""

from datetime import UTC, datetime, timedelta

from commands.models import RebootBatch
from commands.reboots import estimate
from instances.models import Instance

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
LINUX, WINDOWS = Instance(os_type="linux"), Instance(os_type="windows")
SCRIPT = {"script": "true", "timeout": 600}


def batch(**told) -> RebootBatch:
    return RebootBatch(closes_at=NOW + timedelta(hours=1), **told)


def test_the_slowest_system_of_a_wave_counts():
    both = estimate.at_worst(batch(), [LINUX, WINDOWS])
    assert both == estimate.at_worst(batch(), [WINDOWS])
    assert both - estimate.at_worst(batch(), [LINUX]) == timedelta(minutes=30)


def test_a_wave_that_needs_all_the_time_left_fits_and_no_second_more():
    needs = estimate.at_worst(batch(), [LINUX])
    closes = batch().closes_at
    assert estimate.fits(batch(), [LINUX], closes - needs)
    assert not estimate.fits(batch(), [LINUX], closes - needs + timedelta(seconds=1))


def test_scripts_take_their_time_on_top():
    plain = estimate.at_worst(batch(), [LINUX])
    for name in ("pre_script", "post_script"):
        longer = estimate.at_worst(batch(**{name: SCRIPT}), [LINUX])
        assert longer - plain == timedelta(seconds=600 + 90)


def test_a_script_that_takes_the_machine_down_runs_before_the_return_is_awaited():
    by_code = batch(way="exit_code", pre_script=SCRIPT)
    waits = estimate.time_to_return(by_code, LINUX)
    assert waits > estimate.time_to_return(batch(), LINUX) + timedelta(seconds=600)
    assert estimate.from_power(by_code, [LINUX]) > waits


def test_what_is_left_after_the_power_call_is_less_than_the_whole():
    assert estimate.from_power(batch(), [LINUX]) < estimate.at_worst(batch(), [LINUX])


def test_a_rehearsal_waits_for_no_return():
    assert estimate.at_worst(batch(rehearsal=True), [LINUX]) < timedelta(minutes=3)
