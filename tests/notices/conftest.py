"""Channels whose far side is a receiver of this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from portal import notices, secrets
from portal.notices import sending
from portal.notices.models import Channel, Kind, Notification, Rule
from tests.notices.receivers import DingTalk, Receiver, listening, mail_server

SECRET = "a secret of the receiver"


@pytest.fixture(autouse=True)
def _local_receivers(settings) -> None:
    settings.NOTIFY_HOSTS = ["127.0.0.1"]
    settings.PORTAL_URL = "https://portal.example.com"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening(Receiver()) as there:
        yield there


@pytest.fixture
def robot() -> Iterator[DingTalk]:
    with listening(DingTalk()) as there:
        yield there


@pytest.fixture
def mailbox(settings):
    with mail_server() as (box, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield box


def a_channel(kind: str, name: str = "", **address: str) -> Channel:
    return Channel.objects.create(
        name=name or f"to {kind}", kind=kind, sealed=secrets.seal(address), language="en"
    )


def a_webhook(receiver: Receiver, name: str = "hook") -> Channel:
    return a_channel(Kind.WEBHOOK, name, url=f"{receiver.url}/in?team=ops", secret=SECRET)


def a_rule(*channels: Channel, **fields: object) -> Rule:
    rule = Rule.objects.create(name=f"rule {Rule.objects.count()}", **fields)
    rule.channels.set(channels)
    return rule


def tell(event: str = "run.finished_badly", **changes: object) -> int:
    said = {
        "subject_label": "uname on web",
        "subject_key": "run:7",
        "url": "/runs/7/",
        "title": "uname on web finished badly",
        "lines": ["web-01 10.1.0.11: exit code 1"],
        "once": "run.finished_badly:7",
    }
    return notices.tell(event, **said | changes)


def work_off() -> None:
    """What the workers would do now: each due message once."""
    for row in Notification.objects.filter(due_at__lte=timezone.now()).order_by("pk"):
        sending.send(row.pk)


def later() -> None:
    """Every pause is over."""
    now = timezone.now()
    Notification.objects.exclude(due_at=None).update(due_at=now)
    Channel.objects.update(resting_until=None)
    work_off()
