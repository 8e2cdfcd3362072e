"""A signed webhook arrives once, whatever its receiver does in between."""

import json
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from portal import work
from portal.notices import posting, sending
from portal.notices.models import Channel, Notification
from tests.notices.conftest import SECRET, a_rule, a_webhook, later, tell, work_off
from tests.notices.receivers import Receiver, documented_check, listening

pytestmark = pytest.mark.django_db


def only() -> Notification:
    return Notification.objects.get()


def test_the_receiver_can_verify_it_as_documented(receiver):
    a_rule(a_webhook(receiver))
    tell()
    work_off()
    (post,) = receiver.posts
    genuine = documented_check()
    assert genuine(SECRET, post.headers, post.body)
    assert not genuine(SECRET, post.headers, post.body + b" ")
    assert not genuine("another secret", post.headers, post.body)
    old = post.headers | {"X-Portal-Timestamp": "1700000000"}
    assert not genuine(SECRET, old, post.body)


def test_it_says_what_failed_and_where_to_look(receiver):
    a_rule(a_webhook(receiver))
    tell()
    work_off()
    (post,) = receiver.posts
    assert post.path == "/in?team=ops"
    assert post.said == {
        "id": only().key,
        "event": "run.finished_badly",
        "severity": "bad",
        "title": "uname on web finished badly",
        "lines": ["web-01 10.1.0.11: exit code 1"],
        "subject": {"key": "run:7", "label": "uname on web"},
        "link": "https://portal.example.com/runs/7/",
        "at": only().made_at.isoformat(timespec="seconds"),
    }
    assert only().state == "sent" and only().due_at is None


def test_one_event_is_one_message_however_often_it_is_told_and_carried(receiver):
    a_rule(a_webhook(receiver))
    a_rule(Channel.objects.get(name="hook"))
    assert [tell(), tell()] == [1, 0]
    work_off()
    sending.send(only().pk)
    later()
    assert len(receiver.posts) == 1


def test_a_receiver_that_is_down_then_broken_then_slow_gets_it_once_when_it_is_back(
    receiver, monkeypatch
):
    gone = Receiver()
    with listening(gone):
        pass  # its port is free again
    a_rule(channel := a_webhook(gone))
    tell()
    work_off()
    assert only().state == "failed" and "no connection" in only().trouble
    with listening(Receiver(), gone.port) as back:
        back.status = 500
        later()
        assert only().trouble == "it answered with status 500"
        back.status, back.delay = 200, 1
        with monkeypatch.context() as hurried:
            hurried.setattr(posting, "WHOLE", 0.2)
            later()
        assert only().trouble == "no answer in time"
        back.delay = 0
        arrived = len(back.posts)
        later()
        later()
        assert len(back.posts) == arrived + 1
        assert only().state == "sent" and only().tries == 4 and only().trouble == ""
        assert {post.headers["Idempotency-Key"] for post in back.posts} == {only().key}
        assert len({post.body for post in back.posts}) == 1
    channel.refresh_from_db()
    assert channel.failures == 0 and channel.resting_until is None


def test_a_receiver_that_drips_does_not_hold_a_worker(receiver, monkeypatch):
    monkeypatch.setattr(posting, "WHOLE", 0.2)
    receiver.drip = 0.01
    a_rule(a_webhook(receiver))
    tell()
    work_off()
    assert only().trouble == "no answer in time"


def test_an_endless_answer_is_not_read(receiver):
    receiver.answer = b"x" * (posting.MOST * 3)
    assert len(posting.post(receiver.url, b"{}", {}).body) == posting.MOST


def test_a_dead_receiver_costs_one_attempt_for_all_that_waits(receiver):
    receiver.status = 503
    a_rule(a_webhook(receiver))
    for number in range(5):
        tell(once=f"run.finished_badly:{number}")
    work_off()
    assert len(receiver.posts) == 1
    assert not Notification.objects.filter(due_at__lte=timezone.now()).exists()
    receiver.status = 200
    Channel.objects.update(resting_until=None)
    Notification.objects.filter(tries=1).update(due_at=timezone.now())
    work_off()
    work_off()  # the first that got through woke the others
    assert Notification.objects.filter(state="sent").count() == 5


def test_one_message_that_is_refused_does_not_hold_up_the_others(receiver):
    receiver.status = 400
    a_rule(a_webhook(receiver))
    tell(once="first")
    work_off()
    receiver.status = 200
    tell(once="second")
    work_off()
    states = dict(Notification.objects.values_list("once", "state"))
    assert states == {"first": "failed", "second": "sent"}


def test_pauses_grow_and_end_with_the_deadline(receiver):
    receiver.status = 500
    a_rule(a_webhook(receiver))
    tell()
    work_off()
    first = only().due_at - timezone.now()
    later()
    assert only().due_at - timezone.now() > first * 1.5
    Notification.objects.update(deadline=timezone.now())
    later()
    assert only().state == "given_up" and only().due_at is None
    assert only().trouble == "it answered with status 500"
    arrived = len(receiver.posts)
    later()
    assert len(receiver.posts) == arrived


def test_what_was_never_tried_by_its_deadline_is_tried_once(receiver):
    a_rule(a_webhook(receiver))
    tell()
    Notification.objects.update(deadline=timezone.now())
    work_off()
    assert only().state == "sent"


def test_a_worker_killed_after_sending_sends_it_again_under_the_same_key(receiver):
    a_rule(a_webhook(receiver))
    tell()
    killed = patch.object(work.Claim, "release", autospec=True, side_effect=KeyboardInterrupt)
    with killed, pytest.raises(KeyboardInterrupt):
        sending.send(only().pk)
    Notification.objects.update(lease_until=None, due_at=timezone.now())
    work_off()
    first, second = receiver.posts
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert only().state == "sent"


def test_a_channel_that_another_worker_sends_to_is_left_to_it(receiver):
    a_rule(channel := a_webhook(receiver))
    tell()
    another = timezone.now() + timedelta(seconds=30)
    Channel.objects.filter(pk=channel.pk).update(lease_until=another, lease_owner="elsewhere")
    work_off()
    assert receiver.posts == [] and only().state == "waiting" and only().due_at > timezone.now()
    channel.refresh_from_db()
    assert channel.lease_until == another
    Channel.objects.filter(pk=channel.pk).update(lease_until=timezone.now())  # it died
    later()
    channel.refresh_from_db()
    assert only().state == "sent" and channel.lease_until is None


def test_a_slow_receiver_leaves_the_worker_to_others(receiver, monkeypatch):
    monkeypatch.setattr(sending, "STEP", 0.1)
    receiver.delay = 0.15
    a_rule(a_webhook(receiver))
    for number in range(4):
        tell(once=str(number))
    began = timezone.now()
    sending.send(Notification.objects.order_by("pk")[0].pk)
    assert len(receiver.posts) == 1
    waiting = Notification.objects.filter(state="waiting")
    assert waiting.count() == 3
    assert all(row.due_at >= began + 2 * timedelta(seconds=receiver.delay) for row in waiting)


def test_a_redirect_is_a_refusal_and_nothing_is_sent_there(receiver):
    with listening(Receiver()) as elsewhere:
        receiver.status, receiver.headers = 307, {"Location": f"{elsewhere.url}/"}
        a_rule(a_webhook(receiver))
        tell()
        work_off()
        assert only().trouble == "it answered with status 307"
        assert elsewhere.posts == []


def test_a_disabled_channel_gives_up_what_waits(receiver):
    a_rule(channel := a_webhook(receiver))
    tell()
    Channel.objects.filter(pk=channel.pk).update(enabled=False)
    work_off()
    assert only().state == "given_up" and receiver.posts == []
    assert tell(once="another") == 0


def test_a_change_of_the_key_is_told_and_nothing_travels(receiver, settings):
    a_rule(a_webhook(receiver))
    tell()
    settings.SECRETS_KEY = "another key"
    work_off()
    assert "SECRETS_KEY" in only().trouble and receiver.posts == []


def test_neither_row_nor_log_nor_trouble_holds_the_address(receiver, caplog):
    caplog.set_level("DEBUG")
    receiver.port = 1  # nobody listens there
    a_rule(channel := a_webhook(receiver))
    tell()
    work_off()
    with patch.dict(sending.CARRIERS, {"webhook": lambda a, m: 1 / len(a["url"][:0])}):
        later()
    kept = str(Notification.objects.values().get()) + str(
        Channel.objects.values().get(pk=channel.pk)
    )
    for secret in (SECRET, "team=ops"):
        assert secret not in kept and secret not in caplog.text
    assert only().trouble == "it broke: ZeroDivisionError"


def test_the_text_is_plain_lines_whatever_machines_say(receiver):
    a_rule(a_webhook(receiver))
    tell(title="a\r\nb\x00\x1b[31m", lines=["<b>\nx", *["y"] * 40], url="https://evil.example/")
    work_off()
    said = json.loads(receiver.posts[0].body)
    assert said["title"] == "a b[31m"
    assert said["lines"][0] == "<b> x" and said["lines"][-1] == "and 11 more"
    assert said["link"] == ""
