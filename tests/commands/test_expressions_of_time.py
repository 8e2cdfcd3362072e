"""Cron, rate and at expressions mean what ECS writes of them, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.expressions import BadExpression, read
from simulator import frequency
from tests.sizes import examples

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def following(text: str, zone: str = "UTC", moment: datetime = SINCE, number: int = 3) -> list[str]:
    times = read(text, zone, SINCE).coming(moment, number)
    return [at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") for at in times]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("0 */20 * * * *", "2026-03-01 12:20:00"),
        ("0 30 2 * * *", "2026-03-02 02:30:00"),
        ("0 0 9 ? * MON-FRI", "2026-03-02 09:00:00"),
        ("0 0 9 * * 7", "2026-03-08 09:00:00"),
        ("15,45 0 0 1 * ?", "2026-04-01 00:00:15"),
        ("0 0 0 29 2 ?", "2028-02-29 00:00:00"),
        ("0 0 12 * * ? 2027", "2027-01-01 12:00:00"),
        ("0 0 12 * * ? Asia/Shanghai", "2026-03-02 04:00:00"),
        ("0 0 12 * * ? * GMT+8:00", "2026-03-02 04:00:00"),
        ("0 0 0 L * ?", "2026-03-31 00:00:00"),
        ("0 0 0 LW 5 ?", "2026-05-29 00:00:00"),
        ("0 0 0 15W 8 ?", "2026-08-14 00:00:00"),
        ("0 0 0 1W 8 ?", "2026-08-03 00:00:00"),
        ("0 0 0 31W 5 ?", "2026-05-29 00:00:00"),
        ("0 0 0 30W * ?", "2026-03-30 00:00:00"),
        ("0 0 0 ? * 5L", "2026-03-27 00:00:00"),
        ("0 0 0 ? * FRIL", "2026-03-27 00:00:00"),
        ("0 0 0 ? * 2#3", "2026-03-17 00:00:00"),
        ("0 0 0 ? * MON#5", "2026-03-30 00:00:00"),
        ("0 0 0 ? * L", "2026-03-08 00:00:00"),
        ("0 0 0 10,L * ?", "2026-03-10 00:00:00"),
        ("rate(5m)", "2026-03-01 12:05:00"),
        ("rate(7d)", "2026-03-08 12:00:00"),
        ("at(2026-06-06 13:15:30 Asia/Shanghai)", "2026-06-06 05:15:30"),
        ("at(2026-06-06 13:15:30)", "2026-06-06 13:15:30"),
    ],
)
def test_the_next_time(text, first):
    assert following(text, number=1) == [first]


def test_what_has_passed_never_comes():
    assert following("at(2020-01-01 00:00:00)") == []
    assert following("0 0 0 1 1 ? 2020") == []


def test_a_time_that_the_clock_jumps_over_is_left_out():
    berlin = following("0 30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, tzinfo=UTC), 3)
    assert berlin == ["2026-03-28 01:30:00", "2026-03-30 00:30:00", "2026-03-31 00:30:00"]


def test_a_time_that_comes_twice_is_taken_once():
    berlin = following("0 30 2 * * *", "Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC), 3)
    assert berlin == ["2026-10-24 00:30:00", "2026-10-25 00:30:00", "2026-10-26 01:30:00"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("* * *", "6 to 8 fields"),
        ("60 * * * * *", "second: 0 to 59"),
        ("0 0 24 * * *", "hour: 0 to 23"),
        ("0 0 0 0 * *", "day of the month: 1 to 31"),
        ("0 0 0 * 13 *", "month: 1 to 12"),
        ("0 0 0 * * 8", "day of the week: 1 to 7"),
        ("0 0 0 32W * ?", "day of the month: 32W names no such day"),
        ("0 0 0 ? * 2#6", "day of the week: 2#6 names no such day"),
        ("0 0 0 ? * 8L", "day of the week: 8L names no such day"),
        ("0 0 L * * ?", "hour: 0 to 23"),
        ("0 0 0 * * x", "day of the week"),
        ("0 0 0 * * * Mars/Olympus", "no time zone"),
        ("rate(5s)", "60 seconds to 7 days"),
        ("rate(8d)", "60 seconds to 7 days"),
        ("rate(5 minutes)", "rate(5m)"),
        ("at(2026-02-30 00:00:00)", "no such date"),
        ("", "6 to 8 fields"),
        ("0 0 0 * * *; reboot", "day of the week: cannot read"),
    ],
)
def test_what_cannot_be_read_is_named(text, named):
    with pytest.raises(BadExpression) as refusal:
        read(text, "UTC", SINCE)
    assert named in str(refusal.value)


@pytest.mark.parametrize("days", ["L * ?", "15W * ?", "? * 5L", "? * 2#3"])
def test_marked_days_are_those_that_the_simulated_agent_fires_on(days):
    text = f"0 0 9 {days}"
    theirs = frequency.read(text, UTC, SINCE, 60)
    moment, ours = SINCE, read(text, "UTC", SINCE).coming(SINCE, 24)
    for found in ours:
        moment = theirs.after(moment)
        assert found == moment


@pytest.mark.parametrize(
    ("text", "began", "meant"),
    [
        ("0 */20 * * * *", "12:20:04", "12:20:00"),
        ("0 */20 * * * *", "12:19:57", "12:20:00"),
        ("0 30 2 * * *", "02:31:10", "02:30:00"),
        ("rate(5m)", "12:05:02", "12:05:00"),
        ("rate(5m)", "12:00:10", "12:05:00"),
        ("at(2026-03-01 13:00:00)", "13:00:05", "13:00:00"),
    ],
)
def test_what_began_belongs_to_the_nearest_time(text, began, meant):
    at = datetime.fromisoformat(f"2026-03-01 {began}+00:00")
    assert read(text, "UTC", SINCE).nearest(at).strftime("%H:%M:%S") == meant


FIELD = st.one_of(
    st.just("*"),
    st.builds(lambda n: f"*/{n}", st.integers(1, 30)),
    st.lists(st.integers(0, 23), min_size=1, max_size=3).map(lambda ns: ",".join(map(str, ns))),
)
ZONES = st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York"])


@settings(max_examples=examples(400), deadline=None)
@given(FIELD, FIELD, ZONES, st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
def test_it_agrees_with_looking_at_every_minute(minute, hour, zone, start):
    moment = start.replace(tzinfo=UTC)
    expression = read(f"0 {minute} {hour} * * *", zone, SINCE)
    found = expression.after(moment)
    assert found is not None
    at = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    seen: set[datetime] = set()
    for _step in range(60 * 50):
        local = at.astimezone(ZoneInfo(zone))
        fits = local.minute in expression.fields[1] and local.hour in expression.fields[2]
        if fits and local.fold == 0 and local.replace(tzinfo=None) not in seen:
            break
        at += timedelta(minutes=1)
    assert found == at
