"""What a row of a timed run says is taken only where it leaves no doubt."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from commands.timed_rows import Mark, Told, by_history, by_last_row
from instances.ecs import Result

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
LATER = START + timedelta(hours=1)
SECOND = timedelta(seconds=1)
MARK = Mark(4, START)


def row(**fields) -> Result:
    """The fifth time is over, and the machine waits for the sixth."""
    told = {"repeats": 5, "exit_code": 0, "started_at": LATER, "finished_at": LATER + SECOND}
    return Result("i-1", **{"status": "Scheduled", **told, **fields})


def past(repeats: int, status: str = "Success", **fields) -> Result:
    at = START + timedelta(hours=repeats - 4)
    told = {"repeats": repeats, "started_at": at, "finished_at": at + SECOND}
    return Result("i-1", status, **{**told, **fields})


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "Success"),
        ({"exit_code": 3, "error_code": "ExitCodeNonzero"}, "Failed"),
        ({"exit_code": None, "error_code": "ExecutionTimeout"}, "Timeout"),
        ({"status": "Success"}, "Success"),
        ({"status": "Timeout", "exit_code": None}, "Timeout"),
    ],
)
def test_a_row_that_says_all_is_enough(fields, status):
    told = by_last_row(row(**fields), MARK)
    assert [(one.repeats, one.status) for one in told.over] == [(5, status)]


@pytest.mark.parametrize(
    "fields",
    [
        {"started_at": START},  # still tells of the fourth
        {"started_at": None, "finished_at": None, "exit_code": None},
        {"finished_at": None},
        {"status": "Running"},
        {"status": "Stopping"},
    ],
)
def test_a_row_in_the_middle_of_a_time_is_waited_for(fields):
    assert by_last_row(row(**fields), MARK) == Told(going=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"repeats": 7},
        {"error_code": "ClientNotRunning", "started_at": None, "exit_code": None},
        {"error_code": "InstanceRestarted", "exit_code": None},
        {"exit_code": None},
        {"error_code": "ExecutionInterrupted"},
        {"status": "Terminated"},
    ],
)
def test_where_a_row_leaves_a_doubt_the_history_is_read(fields):
    assert by_last_row(row(**fields), MARK) is None


def test_a_time_that_is_written_down_is_no_news():
    assert by_last_row(row(repeats=4), MARK) == Told()


def test_the_history_gives_all_times_since_in_order():
    told = by_history(row(repeats=7), MARK, [past(7), past(5), past(6), past(4)], START)
    assert ([one.repeats for one in told.over], told.going, told.forgotten) == ([5, 6, 7], False, 0)


def test_a_time_that_goes_on_holds_the_later_ones_back():
    told = by_history(row(repeats=7), MARK, [past(7), past(6, "Running"), past(5)], START)
    assert ([one.repeats for one in told.over], told.going) == ([5], True)


def test_what_the_history_lacks_is_counted_as_forgotten():
    told = by_history(row(repeats=9), MARK, [past(9), past(8)], START)
    assert ([one.repeats for one in told.over], told.forgotten) == ([8, 9], 3)


def test_an_empty_history_is_asked_again():
    told = by_history(row(repeats=9), MARK, [], START)
    assert (told.over, told.going, told.forgotten) == ([], True, 0)


def test_the_last_row_of_a_machine_that_is_over_counts_without_a_history():
    told = by_history(row(status="Terminated", exit_code=None), MARK, [], START)
    assert ([one.status for one in told.over], told.going) == (["Terminated"], False)


def test_a_time_without_an_end_is_not_waited_for_for_ever():
    silent = replace(past(5, "Running"), finished_at=None)
    assert by_history(row(repeats=6), MARK, [past(6), silent], START).going
    told = by_history(row(repeats=6), MARK, [past(6), silent], LATER + SECOND)
    assert ([one.repeats for one in told.over], told.going) == ([5, 6], False)
