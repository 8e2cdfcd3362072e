"""E-mail goes through a real mail server, to an address or to persons."""

import email
from email.policy import default

import pytest

from portal.notices.models import Channel, Kind, Notification
from tests.factories import UserFactory
from tests.notices.conftest import a_channel, a_rule, later, tell, work_off

pytestmark = pytest.mark.django_db


def read(mailbox, place=0):
    return email.message_from_bytes(mailbox.mails[place], policy=default)


def test_an_address_gets_it(mailbox):
    a_rule(a_channel(Kind.EMAIL, to="ops@example.com"))
    tell(title="没有完成 <b>")
    work_off()
    mail = read(mailbox)
    assert mailbox.to == ["ops@example.com"]
    assert mail["subject"] == "没有完成 <b>"
    assert mail.get_content_type() == "text/plain"
    assert "web-01 10.1.0.11: exit code 1" in mail.get_content()
    assert "https://portal.example.com/runs/7/" in mail.get_content()
    assert mail["message-id"].startswith(f"<{Notification.objects.get().key[:32]}@")
    assert mail["auto-submitted"] == "auto-generated"


def test_persons_get_one_each_if_they_can_be_reached(mailbox):
    ann, bo = UserFactory(email="ann@example.com"), UserFactory(email="bo@example.com")
    gone = UserFactory(email="gone@example.com", is_active=False)
    nowhere, demo = UserFactory(), UserFactory(email="demo@demo.invalid")
    a_rule(concerned=True).people.set([ann])
    assert tell(people=[ann, bo, gone, nowhere, demo, None]) == 2
    work_off()
    assert sorted(mailbox.to) == ["ann@example.com", "bo@example.com"]


def test_without_a_mail_server_no_mail_is_written():
    a_rule(concerned=True)
    assert tell(people=[UserFactory(email="ann@example.com")]) == 0


def test_a_recipient_that_is_refused_does_not_hold_up_the_others(mailbox):
    people = [UserFactory(email=f"{name}@example.com") for name in ("ann", "bo")]
    a_rule(concerned=True)
    mailbox.refuse = "550 no such mailbox"
    tell(people=people[:1], once="first")
    work_off()
    row = Notification.objects.get()
    assert row.state == "failed" and row.trouble == "the mail server said 550 no such mailbox"
    mailbox.refuse = ""
    tell(people=people[1:], once="second")
    work_off()
    assert mailbox.to == ["bo@example.com"]


def test_a_server_that_defers_makes_all_mail_rest_until_it_takes_it(mailbox):
    mailbox.refuse = "451 later"
    a_rule(a_channel(Kind.EMAIL, to="ops@example.com"))
    tell()
    work_off()
    assert Channel.objects.get(kind="email").resting_until
    mailbox.refuse = ""
    later()
    assert len(mailbox.mails) == 1 and Notification.objects.get().state == "sent"


def test_a_server_that_is_away(mailbox, settings):
    settings.EMAIL_PORT = 1
    a_rule(a_channel(Kind.EMAIL, to="ops@example.com"))
    tell()
    work_off()
    assert Notification.objects.get().trouble.startswith("no mail server")


def test_a_subject_from_a_machine_cannot_add_headers(mailbox):
    a_rule(a_channel(Kind.EMAIL, to="ops@example.com"))
    tell(title="x\r\nBcc: all@example.com")
    work_off()
    assert read(mailbox)["bcc"] is None and mailbox.to == ["ops@example.com"]
