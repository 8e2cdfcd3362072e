"""Whoever has to act hears of it, with names and reasons and a link to the right page."""

import pytest
from django.utils import timezone

from commands.approvals import expire
from commands.models import Approval
from commands.reboots import asking
from portal.notices.models import Notification, Rule
from tests.factories import a_person
from tests.reboots.driving import approved, asked, over, settle, time_passes, turn, until_stage
from tests.reboots.waiting import instances, waiting
from tests.sizes import long_only


@pytest.fixture(autouse=True)
def mail(settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:25"


def with_mail(role: str, name: str, **scope):
    person = a_person(role, **scope)
    person.email = f"{name}@example.com"
    person.save(update_fields=["email"])
    return person


def told(event: str) -> Notification:
    """The one message of this event."""
    return Notification.objects.get(event=event)


@pytest.mark.django_db
def test_half_way_to_its_expiry_those_who_may_decide_are_reminded():
    boss = with_mail("manager", "boss")
    with_mail("manager", "elsewhere", region="us-east-1")
    approval = waiting()
    half = approval.asked_at + (approval.expires_at - approval.asked_at) / 2
    assert abs((approval.due_at - half).total_seconds()) < 5
    Approval.objects.update(due_at=timezone.now())
    expire(approval.pk)
    message = told("approval.reminder")
    assert (message.person, message.title) == (boss, "Still waiting for you: patch night")
    assert message.url == approval.get_absolute_url()


def test_who_asked_hears_which_instances_failed_and_why(fleet):
    asker, (bad, other, rest) = with_mail("operator", "asker"), fleet.rows[:3]
    fleet.simulator.faults({"kind": "same_boot", "instance": bad.instance_id})
    batch = over(approved(asked([bad, other, rest], by=asker, sizes=["2"])))
    message = told("reboot.halted")
    assert (message.person, message.url) == (asker, batch.get_absolute_url())
    assert "1 same boot" in message.title and "1 proven" in message.title
    assert f"({bad.instance_id}): same boot" in message.body
    assert f"({rest.instance_id}): not started: More errors than the batch" in message.body
    assert other.instance_id not in message.body


@long_only
def test_who_asked_hears_that_a_lost_one_came_back_after_all_where_a_rule_says_so(fleet):
    Rule.objects.create(name="back", events=["back_to_normal"], concerned=True)
    asker, row = with_mail("operator", "asker"), fleet.rows[0]
    fleet.simulator.faults({"kind": "late_return", "seconds": 0.6, "instance": row.instance_id})
    batch = approved(asked([row], by=asker))
    until_stage(batch, "proving")
    turn()
    time_passes(batch, 3600)
    over(batch)
    assert not Notification.objects.filter(event="back_to_normal").exists()
    settle()
    for _ in range(20):
        turn()
    assert row.name in told("back_to_normal").title


@pytest.mark.django_db
def test_of_an_emergency_managers_hear_at_once_and_not_who_did_it():
    boss, person = with_mail("manager", "boss"), with_mail("manager", "person")
    told_of = {"reason": "it hangs and customers wait", "force": False, "via": "page"}
    batch = asking.at_once(instances(1)[0], by=person, **told_of)
    message = told("reboot.emergency")
    assert (message.person, message.url) == (boss, batch.get_absolute_url())
    assert "it hangs and customers wait" in message.body
