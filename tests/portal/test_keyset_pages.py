"""Pages by key: nothing skipped, nothing twice, whatever the values and the direction."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.test import RequestFactory

from instances.models import SystemEvent
from portal import lists
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db
SORTS = {"type": ("type",), "published": ("-published_at",)}


def events(number: int, seed: int = 1) -> None:
    """Few distinct values, so that every page border falls among equals; some without a time."""
    chance, account, start = random.Random(seed), AccountFactory(), datetime(2026, 1, 1, tzinfo=UTC)
    SystemEvent.objects.bulk_create(
        SystemEvent(
            account=account,
            region="cn-hangzhou",
            event_id=f"e-{place}",
            type=chance.choice(["a", "b", "c"]),
            cycle_status="Executed",
            published_at=chance.choice([None, *(start + timedelta(days=d) for d in range(4))]),
            seen_at=start,
        )
        for place in range(number)
    )


def turn(query: str, size: int = 7, order=("-published_at",)) -> lists.Page:
    request = RequestFactory().get("/" + query)
    return lists.page(request, SystemEvent.objects.all(), order, sorts=SORTS, size=size)


def walk(query: str, link: str) -> list[list[int]]:
    pages = []
    while query:
        page = turn(query)
        pages.append([row.pk for row in page])
        query = getattr(page, link)
        assert len(pages) < 100
    return pages


@pytest.mark.parametrize("sort", ["", "?sort=type", "?sort=-type", "?sort=-published"])
def test_walking_forward_meets_every_row_once(sort):
    events(60)
    met = list(itertools.chain(*walk(sort or "?", "next")))
    assert sorted(met) == sorted(SystemEvent.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("sort", ["?", "?sort=type", "?sort=-type", "?sort=published"])
def test_walking_back_shows_the_same_pages(sort):
    events(60)
    forward, last, query = [], "", sort
    while query:
        last, page = query, turn(query)
        forward.append([row.pk for row in page])
        query = page.next
    assert walk(last, "previous") == forward[::-1]


def test_rows_without_a_value_come_last_in_both_directions():
    events(40)
    for sort in ("?sort=published", "?sort=-published"):
        values = [row.published_at is None for row in turn(sort, size=40)]
        assert values == sorted(values) and True in values


def test_a_row_that_arrives_meanwhile_moves_nothing():
    events(30)
    first = turn("?sort=type")
    rest = [row.pk for row in turn(first.next)]
    events_before = SystemEvent.objects.first()
    SystemEvent.objects.create(
        account=events_before.account, event_id="late", type="a", cycle_status="x",
        region="r", seen_at=events_before.seen_at, published_at=None,
    )  # fmt: skip
    shown = [row.pk for row in first]
    assert not set(shown) & set(rest)


FORGED = signing.dumps(["", False, ["x"]], salt="other")


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "1' OR 1=1", ":::", "🦊", "a" * 5000, FORGED], ids=range(7)
)
def test_a_hostile_cursor_shows_the_first_page(cursor):
    events(20)
    assert [r.pk for r in turn(f"?at={cursor}")] == [r.pk for r in turn("?")]


def test_a_cursor_of_another_sorting_shows_the_first_page():
    events(20)
    cursor = turn("?sort=type").next.split("at=")[1]
    assert [r.pk for r in turn(f"?sort=-type&at={cursor}")] == [r.pk for r in turn("?sort=-type")]


def test_an_unknown_sorting_is_the_usual_one():
    events(20)
    assert [r.pk for r in turn("?sort=password")] == [r.pk for r in turn("?")]


def test_filters_stay_when_the_page_turns():
    events(20)
    assert "type=a" in turn("?type=a").next


def test_counting_stops_and_says_so():
    events(30)
    assert str(lists.count(SystemEvent.objects.all(), most=20)) == "20+"
    assert str(lists.count(SystemEvent.objects.all(), most=30)) == "30"


def test_a_page_costs_three_queries_at_most(django_assert_max_num_queries):
    events(60)
    second = turn("?").next
    with django_assert_max_num_queries(3):
        turn(second)
