"""Written rules decide who is told; the event itself never suffers from it."""

import pytest
from django.db import transaction

from portal import notices
from portal.notices.events import EVENTS
from portal.notices.models import Kind, Notification, Rule
from tests.factories import UserFactory
from tests.notices.conftest import a_channel, a_rule, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def hook():
    return a_channel(Kind.WEBHOOK, url="https://hooks.example.com/", secret="s" * 16)


@pytest.mark.parametrize(
    ("rule", "event", "reaches"),
    [
        ({}, {}, True),
        ({"events": ["case.finished"]}, {}, False),
        ({"events": ["run.finished_badly", "case.finished"]}, {}, True),
        ({"groups": ["Web"]}, {"groups": ["web", "db"]}, True),
        ({"groups": ["web"]}, {"groups": lambda: ["web"]}, True),
        ({"groups": ["web"]}, {"groups": ["web2"]}, False),
        ({"groups": ["web"]}, {}, False),
        ({"accounts": ["prod"]}, {"accounts": ["prod"]}, True),
        ({"accounts": ["prod"]}, {"accounts": ["test"]}, False),
        ({"accounts": ["prod"], "groups": ["web"]}, {"accounts": ["prod"]}, False),
        ({"least": 30}, {}, True),
        ({"least": 30}, {"severity": 20}, False),
        ({"enabled": False}, {}, False),
    ],
)
def test_a_rule_narrows_by_what_it_names(hook, rule, event, reaches):
    a_rule(hook, **rule)
    assert bool(tell(**event)) is reaches


def test_groups_are_only_looked_up_where_a_rule_asks(hook):
    a_rule(hook)
    a_rule(hook, groups=["web"], events=["case.finished"])
    assert tell(groups=lambda: 1 / 0) == 1


def test_each_channel_says_it_in_its_own_language(hook):
    said = []
    chinese = a_channel(Kind.WEBHOOK, "zh", url="https://hooks.example.com/", secret="s" * 16)
    type(chinese).objects.filter(pk=chinese.pk).update(language="zh-hans")
    a_rule(hook, chinese)

    def title() -> str:
        from django.utils.translation import get_language

        said.append(get_language())
        return said[-1]

    tell(title=title)
    assert dict(Notification.objects.values_list("channel__name", "title")) == {
        hook.name: "en",
        "zh": "zh-hans",
    }


def test_an_emergency_is_told_to_those_whom_it_concerns_whatever_the_rules_say(settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    Rule.objects.update(enabled=False)
    manager = UserFactory(email="boss@example.com")
    assert tell("reboot.started", people=[manager]) == 0
    assert tell("reboot.emergency", people=[manager], once="reboot.emergency:1") == 1


def test_the_message_stands_and_falls_with_the_transaction_of_the_event(hook):
    a_rule(hook)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        tell()
        raise ZeroDivisionError
    assert not Notification.objects.exists()
    assert not notices.told("run.finished_badly:7")
    tell()
    assert notices.told("run.finished_badly:7")


def test_trouble_with_a_message_is_no_trouble_of_the_event(hook):
    a_rule(hook)
    with transaction.atomic():
        assert tell(lines=lambda: 1 / 0) == 0
        other = UserFactory()
    assert type(other).objects.filter(pk=other.pk).exists()


def test_an_event_that_does_not_exist_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match=r"reboot\.began"):
        tell("reboot.began")


def test_every_event_has_words():
    assert len(EVENTS) == 14
    assert all(str(event.title) for event in EVENTS.values())


def test_the_first_rule_names_events_that_exist():
    first = Rule.objects.get(name="Those whom it concerns")
    assert first.concerned and first.titles()


def test_whoever_hears_of_trouble_with_a_reboot_hears_of_its_good_end_too():
    first = Rule.objects.get(name="Those whom it concerns")
    assert {"reboot.finished", "back_to_normal"} <= set(first.events)
