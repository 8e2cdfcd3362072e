"""Sizes, canary and spread limits mean what OOS's rate control means."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.reboots.rate import (
    BATCH,
    CONCURRENCY,
    Fleet,
    Rate,
    allowed_errors,
    choose,
    most_down,
    room,
    share,
    waves,
)
from tests.sizes import examples

ALONE = Fleet({}, {})


def sizes(rate: Rate, number: int, fleet: Fleet = ALONE) -> list[int]:
    return [len(wave) for wave in waves(range(number), rate, fleet)]


@pytest.mark.parametrize(
    ("size", "whole", "meant"),
    [("5", 40, 5), ("10%", 40, 4), ("10%", 39, 3), ("1%", 40, 1), ("100%", 40, 40), ("1", 1, 1)],
)
def test_a_share_is_rounded_down_and_one_at_least(size, whole, meant):
    assert share(size, whole) == meant


@pytest.mark.parametrize(
    ("told", "number", "planned"),
    [
        (("1", "10%", "50%"), 20, [1, 2, 10, 7]),
        (("10",), 40, [10, 10, 10, 10]),
        (("1", "5"), 12, [1, 5, 5, 1]),
        (("100%",), 3, [3]),
    ],
)
def test_in_mode_batch_the_sizes_follow_each_other_and_the_last_repeats(told, number, planned):
    assert sizes(Rate(BATCH, told), number) == planned


def test_the_canary_goes_first_and_takes_no_size_of_a_batch():
    assert sizes(Rate(BATCH, ("2", "10%"), canary=3), 20) == [3, 2, *[2] * 7, 1]


def test_in_mode_batch_nobody_follows_while_anybody_is_down():
    rate = Rate(BATCH, ("5",))
    assert room(rate, 20, waves_done=1, down=1) == 0
    assert room(rate, 20, waves_done=1, down=0) == 5


def test_in_mode_concurrency_whoever_is_done_makes_room_for_one():
    rate = Rate(CONCURRENCY, ("25%",))
    assert [room(rate, 20, 3, down) for down in (0, 1, 4, 5, 6)] == [5, 4, 1, 0, 0]


ZONES = Fleet(
    {n: [("zone", "ab"[n % 2]), ("app", "shop")] for n in range(10)},
    {("zone", "a"): 8, ("zone", "b"): 5, ("app", "shop"): 10},
)


def test_no_more_than_a_share_of_a_group_goes_down_at_once_and_the_rest_waits():
    rate = Rate(BATCH, ("10",), spread={"zone": 25})
    assert choose(range(10), (), rate, ZONES, 10) == [0, 1, 2]  # two of eight, one of five
    assert choose(range(10), [4], rate, ZONES, 10) == [0, 1]  # others that are down count


def test_a_group_that_no_limit_names_holds_nobody_back():
    assert len(choose(range(10), (), Rate(BATCH, ("10",)), ZONES, 10)) == 10


def test_of_a_group_of_one_that_one_may_go():
    fleet = Fleet({1: [("app", "only")]}, {("app", "only"): 1})
    assert choose([1], (), Rate(BATCH, ("1",), spread={"app": 10}), fleet, 1) == [1]


def test_the_worst_share_of_each_group_is_told():
    assert most_down([[0, 1], [2, 4, 6], [3]], ZONES)["zone", "a"] == 3


@pytest.mark.parametrize(
    ("budget", "whole", "allowed"),
    [("0", 40, 0), ("", 40, 0), ("3", 40, 3), ("10%", 39, 3), ("5%", 19, 0), ("100%", 7, 7)],
)
def test_the_budget_is_a_number_or_a_share_rounded_down(budget, whole, allowed):
    assert allowed_errors(budget, whole) == allowed


RATES = st.builds(
    Rate,
    st.sampled_from([BATCH, CONCURRENCY]),
    st.lists(st.sampled_from(["1", "3", "10%", "33%", "100%"]), min_size=1, max_size=3).map(tuple),
    canary=st.integers(0, 3),
    spread=st.dictionaries(st.sampled_from(["zone", "app"]), st.integers(1, 100), max_size=2),
)


@settings(max_examples=examples(400), deadline=None)
@given(rate=RATES, groups=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"))))
def test_every_plan_takes_everybody_once_and_keeps_every_limit(rate, groups):
    members = {n: [("zone", zone), ("app", app)] for n, (zone, app) in enumerate(groups)}
    totals = {}
    for group in (group for pair in members.values() for group in pair):
        totals[group] = totals.get(group, 0) + 1
    fleet = Fleet(members, totals)
    plan = waves(list(members), rate, fleet)
    assert sorted(key for wave in plan for key in wave) == list(members)
    for group, number in most_down(plan, fleet).items():
        if group[0] in rate.spread:
            assert number <= fleet.may_be_down(group, rate.spread[group[0]])
