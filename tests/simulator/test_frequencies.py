"""When timed runs fire, and which expressions the agent refuses with which code."""

from datetime import UTC, datetime

import pytest

from simulator.frequency import Wrong, read, zone_of

SHANGHAI = zone_of("Asia/Shanghai")
NOW = datetime(2026, 3, 2, 3, 4, 5, tzinfo=UTC)  # a Monday, 11:04:05 in Shanghai


def next_two(text, timeout=60):
    frequency = read(text, SHANGHAI, NOW, timeout)
    first = frequency.after(NOW)
    second = frequency.after(first)
    return [f"{moment:%Y-%m-%d %H:%M:%S}" if moment else None for moment in (first, second)]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("0 */20 * * * *", ["2026-03-02 03:20:00", "2026-03-02 03:40:00"]),
        ("0 0 12 * * ?", ["2026-03-02 04:00:00", "2026-03-03 04:00:00"]),
        ("0 0 12 * * ? UTC", ["2026-03-02 12:00:00", "2026-03-03 12:00:00"]),
        ("0 0 12 * * ? GMT-7:00", ["2026-03-02 19:00:00", "2026-03-03 19:00:00"]),
        ("0 0 12 ? * MON-FRI", ["2026-03-02 04:00:00", "2026-03-03 04:00:00"]),
        ("0 0 12 ? * 7", ["2026-03-08 04:00:00", "2026-03-15 04:00:00"]),
        ("0 0 12 L * ?", ["2026-03-31 04:00:00", "2026-04-30 04:00:00"]),
        ("0 0 12 15W * ?", ["2026-03-16 04:00:00", "2026-04-15 04:00:00"]),
        ("0 0 12 ? * 5#2", ["2026-03-13 04:00:00", "2026-04-10 04:00:00"]),
        ("0 0 12 ? * 5L", ["2026-03-27 04:00:00", "2026-04-24 04:00:00"]),
        ("0 0 12 1 JAN ? 2027-2028", ["2027-01-01 04:00:00", "2028-01-01 04:00:00"]),
        ("0 0 12 1 1 ? 2027 UTC", ["2027-01-01 12:00:00", None]),
        ("rate(5m)", ["2026-03-02 03:09:05", "2026-03-02 03:14:05"]),
        ("rate(7d)", ["2026-03-09 03:04:05", "2026-03-16 03:04:05"]),
        ("at(2026-06-06 13:15:30 Asia/Shanghai)", ["2026-06-06 05:15:30", None]),
        ("at(2026-06-06 13:15:30)", ["2026-06-06 13:15:30", None]),
    ],
)
def test_the_next_two_times(text, times):
    assert next_two(text) == times


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0 * * * *", "BadCronExpression"),
        ("0 60 * * * *", "BadCronExpression"),
        ("0 x * * * *", "BadCronExpression"),
        ("* * * * * *", "BadCronExpression"),
        ("*/30 * * * * *", "BadCronExpression"),  # more often than the timeout allows
        ("0 0 12 31 2 ?", "CronExpressionExpired"),
        ("0 0 12 * * ? 2020", "CronExpressionExpired"),
        ("0 0 12 * * ? Mars/Olympus", "TimezoneInformationCorrupt"),
        ("0 0 12 * * ? GMT+15:00", "InvalidGMTOffsetHourForTimezone"),
        ("0 0 12 * * ? GMT+8:60", "InvalidGMTOffsetMinuteForTimezone"),
        ("0 0 12 * * ? GMT+8", "InvalidGMTOffsetForTimezone"),
        ("rate(59s)", "InvalidRateExpression"),
        ("rate(1m)", "InvalidRateExpression"),  # not longer than the timeout
        ("rate(5 minutes)", "InvalidRateExpression"),
        ("rate(8d)", "RateFrequencyTooLarge"),
        ("at(tomorrow)", "InvalidAtExpression"),
        ("at(2026-13-01 00:00:00)", "InvalidAtExpression"),
        ("at(2026-03-02 03:04:05)", "AtExpressionExpired"),
        ("", "BadCronExpression"),
    ],
)
def test_what_the_agent_refuses(text, code):
    with pytest.raises(Wrong) as wrong:
        next_two(text)
    assert wrong.value.code == code
