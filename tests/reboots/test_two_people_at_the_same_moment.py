"""Two approvers at once, two clicks at once, two emergencies at once: one of them counts."""

import threading
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections

from commands import approvals
from commands.models import Decision, RebootBatch
from commands.reboots import asking
from portal.audit.models import AuditEntry
from portal.transitions import WrongState
from tests.factories import a_person
from tests.reboots.driving import draft
from tests.reboots.waiting import instances, waiting

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time"),
]


def at_once(*calls) -> list:
    """All of them in threads that start together; what each returned or raised."""
    gate, said = threading.Barrier(len(calls)), {}

    def run(number, call):
        try:
            gate.wait(10)
            said[number] = call()
        except Exception as error:
            said[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return [said[number] for number in range(len(calls))]


def test_of_two_approvers_one_lets_it_begin():
    approval, people = waiting(), [a_person("manager") for _ in range(4)]

    def yes(person):
        return lambda: approvals.decide(approval, by=person, yes=True, comment="", via="page")

    said = at_once(*map(yes, people))
    assert sum(isinstance(one, WrongState) for one in said) == 3
    assert Decision.objects.count() == 1
    assert AuditEntry.objects.filter(act="approval.given").count() == 1


def test_of_two_who_are_needed_both_count(settings):
    settings.REBOOT_TWO_ABOVE = 1
    approval, people = waiting(), [a_person("manager") for _ in range(2)]

    def yes(person):
        return lambda: approvals.decide(approval, by=person, yes=True, comment="", via="page")

    at_once(*map(yes, people))
    approval.refresh_from_db()
    assert (approval.state, Decision.objects.count()) == ("approved", 2)


def test_a_yes_and_a_no_do_not_both_count():
    approval, people = waiting(), [a_person("manager") for _ in range(2)]
    at_once(
        lambda: approvals.decide(approval, by=people[0], yes=True, comment="", via="page"),
        lambda: approvals.decide(approval, by=people[1], yes=False, comment="", via="page"),
    )
    batch = RebootBatch.objects.get()
    assert (batch.cleared, batch.state) in {("all", "ready"), ("", "finished")}
    assert Decision.objects.count() == 1


def test_a_double_click_makes_one_batch():
    rows, person, wish = instances(), a_person("operator"), uuid.uuid4()

    def click():
        return asking.ask(draft(), rows, by=person, via="page", once=wish)

    said = at_once(*[click] * 3)
    assert {one.pk for one in said} == {RebootBatch.objects.get().pk}


def test_two_who_hurry_with_one_instance_reboot_it_once():
    (row,), people = instances(1), [a_person("manager") for _ in range(2)]

    def hurry(person):
        return lambda: asking.at_once(
            row, by=person, reason="it hangs and customers wait", force=False, via="page"
        )

    said = at_once(*map(hurry, people))
    assert sum(isinstance(one, ValidationError) for one in said) == 1
    assert RebootBatch.objects.count() == 1


def test_emergencies_are_counted_one_after_the_other(settings):
    settings.REBOOT_EMERGENCIES_A_DAY = 1
    rows, person = instances(3), a_person("manager")

    def hurry(row):
        return lambda: asking.at_once(
            row, by=person, reason="it hangs and customers wait", force=False, via="page"
        )

    said = at_once(*map(hurry, rows))
    assert sum(isinstance(one, ValidationError) for one in said) == 2
    assert RebootBatch.objects.count() == 1
