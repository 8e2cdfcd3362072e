"""What the page says to a click that comes twice, second, too late, or after a change."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from commands.models import Approval, Decision, RebootBatch
from portal.audit.models import AuditEntry
from tests.factories import a_person
from tests.reboots.waiting import instances, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def approval():
    return waiting()


def seen(client, approval) -> str:
    """What somebody's page showed."""
    client.force_login(a_person("manager"))
    return client.get(approval.get_absolute_url()).context["seen_digest"]


def clicked(client, approval, told, answer="yes") -> list[str]:
    """What the next page says."""
    address = f"{approval.get_absolute_url()}decide/"
    answered = client.post(address, {"answer": answer, "seen": told})
    return [str(message) for message in get_messages(answered.wsgi_request)]


def test_the_second_of_two_clicks_changes_nothing_and_says_nothing_of_an_error(client, approval):
    told = seen(client, approval)
    assert clicked(client, approval, told) == ["Approved."]
    client.get("/")  # the message is read
    assert clicked(client, approval, told) == []
    assert Decision.objects.count() == AuditEntry.objects.filter(act="approval.given").count() == 1


def test_who_comes_second_is_told_that_it_is_approved(client, approval):
    told = seen(client, approval)
    assert clicked(client, approval, told) == ["Approved."]
    assert clicked(client, approval, seen(client, approval)) == ["This is approved already."]


def test_a_no_after_ones_own_yes_is_not_taken_for_a_second_click(client, approval):
    told = seen(client, approval)
    clicked(client, approval, told)
    client.get("/")
    assert clicked(client, approval, told, "no") == ["This is approved already."]


def test_where_two_are_needed_one_is_told_that_another_has_to_say_it(client, settings):
    settings.REBOOT_TWO_ABOVE = 1
    approval = waiting()
    told = seen(client, approval)
    assert clicked(client, approval, told) == ["Your answer is kept."]
    client.get("/")
    assert clicked(client, approval, told, "no") == [
        "You have said your word already; another person has to."
    ]
    assert "another person has to say it as well" in client.get(approval.get_absolute_url()).text


def test_after_its_time_it_says_so(client, approval):
    told = seen(client, approval)
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert clicked(client, approval, told) == ["It has expired."]


def test_after_a_change_it_says_so(client, approval):
    told = seen(client, approval)
    RebootBatch.objects.update(way="force")
    assert clicked(client, approval, told) == [
        "What was asked for has changed; it has to be asked for again."
    ]


def test_a_page_that_told_nothing_lets_nothing_begin(client, approval):
    seen(client, approval)
    assert clicked(client, approval, "") == [
        "Something changed since you looked. Look again, then decide."
    ]


def test_forcing_after_a_normal_reboot_says_what_it_follows(client):
    rows = instances(2)
    first = waiting(rows=rows).batch
    first.items.update(state="over", outcome="not_started")
    first.items.filter(instance=rows[0]).update(outcome="same_boot")
    approval = waiting(rows=rows, way="force", continues=first)
    client.force_login(a_person("manager"))
    page = client.get(approval.get_absolute_url()).text
    assert "continues an earlier one" in page and "1 same boot" in page
    assert "now forced" in page and "Like pulling the plug" in page
