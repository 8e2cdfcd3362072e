"""People paste ids, addresses, names and hostnames in any mix."""

import pytest

from instances import lookup
from instances.models import Instance, InstanceAddress
from tests.factories import InstanceFactory, ScopeFactory, UserFactory

pytestmark = pytest.mark.django_db


def make(name, address="", **fields):
    instance = InstanceFactory(name=name, **fields)
    if address:
        InstanceAddress.objects.create(instance=instance, address=address)
    return instance


def find(text):
    return lookup.find(Instance.objects.all(), text)


def test_every_way_to_name_an_instance_finds_it_once():
    web = make("web01", "10.0.0.5", hostname="web01.example", instance_id="i-abc123")
    for text in ("i-abc123", "10.0.0.5", "WEB01", "web01.example", "web01, 10.0.0.5\ni-abc123"):
        assert find(text).found == [web], text


def test_instances_come_in_the_order_of_the_text():
    first, second = make("a"), make("b")
    assert find("b a").found == [second, first]


def test_a_name_with_spaces_counts_when_a_line_is_all_of_it():
    spaced, other = make("web one"), make("one")
    assert find("web one").found == [spaced]
    assert find("one, web one").found == [other, spaced]


def test_unknown_words_are_listed():
    make("web01")
    matches = find("web01 nobody 10.9.9.9")
    assert matches.unknown == ["nobody", "10.9.9.9"]


def test_a_name_that_two_answer_to_is_ambiguous_and_chosen_for_nobody():
    here, there = make("web01", region="cn-hangzhou"), make("web01", region="cn-beijing")
    matches = find("web01")
    assert matches.ambiguous == {"web01": [here, there]} and not matches.found


def test_a_present_instance_wins_over_a_released_one_of_the_same_name():
    make("web01", released_at="2026-01-01T00:00Z")
    present = make("web01")
    assert find("web01").found == [present]


def test_a_released_instance_is_found_by_its_id():
    gone = make("web01", instance_id="i-gone", released_at="2026-01-01T00:00Z")
    assert find("i-gone").found == [gone]


def test_an_ipv6_address_is_found_in_any_spelling():
    six = make("six", "2001:db8::1")
    assert find("2001:0DB8:0:0::1").found == [six]


def test_what_a_person_may_not_see_is_unknown_to_them():
    user = UserFactory()
    ScopeFactory(user=user, region="cn-hangzhou")
    seen = make("web01", region="cn-hangzhou")
    make("web01", region="cn-beijing")
    matches = lookup.find(Instance.objects.visible_to(user), "web01")
    assert matches.found == [seen] and not matches.ambiguous


@pytest.mark.parametrize("text", ["", " ,;\n", "\0", "'; drop table", "*" * 5000])
def test_hostile_text_finds_nothing(text):
    make("web01")
    assert find(text).found == []


def test_finding_asks_the_database_a_fixed_number_of_times(django_assert_max_num_queries):
    for number in range(30):
        make(f"web{number}", f"10.0.0.{number}")
    with django_assert_max_num_queries(5):
        find(" ".join(f"web{number} 10.0.0.{number}" for number in range(30)))
