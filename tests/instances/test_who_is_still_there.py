"""Any sequence of listings leads to exactly the right released set."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from instances import presence
from tests.sizes import examples

START = datetime(2026, 1, 1, tzinfo=UTC)
IDS = [f"i-{number}" for number in range(12)]
LISTINGS = st.lists(
    st.tuples(st.sets(st.sampled_from(IDS)), st.integers(1, 90)), min_size=1, max_size=14
)


def replay(listings):
    """Apply each look the way the mirror does; answers present ids with first miss, released."""
    known, released, now = {}, set(), START
    for listed, seconds in listings:
        now += timedelta(seconds=seconds)
        look = presence.judge(known, listed, now)
        yield now, dict(known), listed, look
        known |= dict.fromkeys(look.missed, now)
        for name in look.released:
            del known[name]
            released.add(name)
        known |= dict.fromkeys(listed)
        released -= listed
    yield now, known, released, None


def expected(listings):
    """The rule told the slow way: an id is released when two believed looks, at least 20 s
    apart, lacked it and no look between or after them had it."""
    here, gone, first_miss, now = set(), set(), {}, START
    for listed, seconds in listings:
        now += timedelta(seconds=seconds)
        lacking = here - listed
        allowed = max(len(here) * 2 // 100, min(3, len(here) // 3))
        believed = len(lacking) <= allowed and (listed or not lacking)
        for name in lacking if believed else ():
            if name in first_miss and (now - first_miss[name]).total_seconds() >= 20:
                gone.add(name)
                del first_miss[name]
            else:
                first_miss.setdefault(name, now)
        for name in listed:
            first_miss.pop(name, None)
        here, gone = (here | listed) - (gone - listed), gone - listed
    return here, gone


@settings(max_examples=examples(2000), deadline=None)
@given(LISTINGS)
def test_exactly_the_right_ones_are_released(listings):
    *_, (_now, known, released, _none) = replay(listings)
    assert (set(known), released) == expected(listings)


@settings(max_examples=examples(2000), deadline=None)
@given(LISTINGS)
def test_nobody_is_released_by_a_single_look_or_by_a_doubted_one(listings):
    for _now, known, listed, look in list(replay(listings))[:-1]:
        assert not set(look.released) & set(listed)
        assert all(known[name] is not None for name in look.released)
        if look.doubted:
            assert not look.released and not look.missed
        assert not (look.released and not listed)


@settings(max_examples=examples(2000), deadline=None)
@given(st.sets(st.sampled_from(IDS), min_size=1))
def test_an_empty_listing_never_releases(fleet):
    known = dict.fromkeys(fleet, START - timedelta(days=1))
    assert presence.judge(known, set(), START).released == ()
