"""Administrators keep channels and rules on pages; no address is ever shown again."""

import pytest

from portal.audit.models import AuditEntry
from portal.notices.models import Channel, Notification, Rule
from tests.factories import UserFactory, a_person
from tests.notices.conftest import SECRET, a_rule, a_webhook, tell, work_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client):
    person = a_person("administrator")
    client.force_login(person)
    return person


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("number").values_list("act", flat=True))


def webhook_form(receiver, **changes) -> dict[str, str]:
    url = f"{receiver.url}/in?team=ops"
    return {"name": "hook", "language": "en", "url": url, "secret": SECRET} | changes


def test_a_channel_is_made_tested_and_tells_whether_it_worked(client, boss, receiver):
    client.post("/notices/channels/new/webhook/", webhook_form(receiver))
    channel = Channel.objects.get(name="hook")
    page = client.post(f"/notices/channels/{channel.pk}/test/", follow=True)
    assert "Waits for a worker." in page.text and 'hx-trigger="every 2s"' in page.text
    work_off()
    page = client.get(Notification.objects.get().get_absolute_url())
    assert "hx-trigger" not in page.text
    assert receiver.posts[0].said["event"] == "test"
    assert receiver.posts[0].said["link"] == (
        f"https://portal.example.com/notices/channels/{channel.pk}/"
    )
    assert acts() == ["channel.added", "channel.tested"]


def test_no_page_shows_an_address_and_no_audit_holds_one(client, boss, receiver):
    client.post("/notices/channels/new/webhook/", webhook_form(receiver))
    channel = Channel.objects.get(name="hook")
    a_rule(channel)
    tell()
    receiver.status = 500
    work_off()
    message = Notification.objects.get()
    paths = [
        channel.get_absolute_url(), "/notices/", "/notices/?csv=1", "/notices/channels/",
        "/notices/rules/", message.get_absolute_url(), "/audit/", "/health/",
        f"/admin/notices/channel/{channel.pk}/change/", "/admin/notices/channel/",
    ]  # fmt: skip
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        text = b"".join(answer).decode()
        assert SECRET not in text and "team=ops" not in text and str(receiver.port) not in text


def test_an_address_left_empty_stays_and_a_new_one_takes_its_place(client, boss, receiver):
    channel = a_webhook(receiver)
    path = channel.get_absolute_url()
    empty = {"url": "", "secret": ""}
    client.post(path, webhook_form(receiver, name="renamed", **empty))
    channel.refresh_from_db()
    assert channel.name == "renamed" and channel.opened()["secret"] == SECRET
    client.post(path, webhook_form(receiver, secret="another secret, long enough"))
    channel.refresh_from_db()
    assert channel.opened()["secret"] == "another secret, long enough"
    half = client.post(path, webhook_form(receiver, url=""))
    assert half.status_code == 400 and "Give all of the address" in half.text


def test_a_mended_channel_sends_what_rested_at_once(client, boss, receiver):
    receiver.status = 500
    a_rule(channel := a_webhook(receiver))
    tell()
    work_off()
    receiver.status = 200
    client.post(channel.get_absolute_url(), webhook_form(receiver))
    work_off()
    assert Notification.objects.get().state == "sent"


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        ("webhook", {"url": "ftp://x/", "secret": "s" * 16}, "http:// or https://"),
        ("webhook", {"url": "http://10.0.0.1/", "secret": "s" * 16}, "not among NOTIFY_HOSTS"),
        ("webhook", {"url": "http://127.0.0.1/", "secret": "short"}, "At least 16 characters."),
        ("webhook", {}, "Give all of the address"),
        ("dingtalk", {"url": "http://127.0.0.1/robot/send"}, "access_token is missing"),
        ("library", {"url": "json://127.0.0.1/"}, "It must begin with one of"),
        ("library", {"url": "slack://x"}, "is written otherwise"),
        ("email", {"to": "a@example.com"}, "EMAIL_URL is not set"),
        ("webhook", {"url": "http://127.0.0.1/", "secret": "s" * 16, "name": ""}, "Give it a name"),
    ],
)
def test_what_cannot_work_is_not_kept(client, boss, kind, fields, says):
    answer = client.post(
        f"/notices/channels/new/{kind}/", {"name": "new", "language": "en"} | fields
    )
    assert answer.status_code == 400 and says in answer.text
    assert "s" * 16 not in answer.text
    assert not Channel.objects.filter(name="new").exists()


def test_two_e_mail_addresses_are_not_one(client, boss, settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    form = {"name": "mail", "language": "en", "to": "a@example.com, b@example.com"}
    assert client.post("/notices/channels/new/email/", form).status_code == 400
    assert client.post("/notices/channels/new/email/", form | {"to": "a@b.com"}).status_code == 302


def test_without_an_address_of_the_portal_no_channel_is_kept(client, boss, receiver, settings):
    settings.PORTAL_URL = ""
    answer = client.post("/notices/channels/new/webhook/", webhook_form(receiver))
    assert answer.status_code == 400 and "PORTAL_URL is not set" in answer.text


def test_a_kind_that_does_not_exist(client, boss):
    for kind in ("people", "pigeon"):
        assert client.get(f"/notices/channels/new/{kind}/").status_code == 404


def test_a_channel_is_switched_off_and_on(client, boss, receiver):
    channel = a_webhook(receiver)
    for to, on in (("off", False), ("off", False), ("on", True)):
        client.post(f"/notices/channels/{channel.pk}/switch/", {"to": to})
        channel.refresh_from_db()
        assert channel.enabled is on
    assert acts() == ["channel.disabled", "channel.enabled"]
    Channel.objects.update(enabled=False)
    page = client.post(f"/notices/channels/{channel.pk}/test/", follow=True)
    assert "enable it first" in page.text and not Notification.objects.exists()


def test_a_rule_is_made_changed_and_deleted(client, boss, receiver):
    channel, ann = a_webhook(receiver), UserFactory(email="ann@example.com")
    form = {
        "name": "nights", "enabled": "on", "events": ["run.finished_badly", "reboot.halted"],
        "least": "30", "groups": " Web \nDB\n\nWeb", "accounts": "prod",
        "channels": [channel.pk], "people": [ann.pk],
    }  # fmt: skip
    client.post("/notices/rules/new/", form)
    rule = Rule.objects.get(name="nights")
    assert rule.groups == ["Web", "DB"] and rule.accounts == ["prod"] and rule.least == 30
    assert list(rule.channels.all()) == [channel] and list(rule.people.all()) == [ann]
    page = client.get(rule.get_absolute_url())
    assert "Web\nDB</textarea>" in page.text
    assert "A reboot was halted" in client.get("/notices/rules/").text
    client.post(rule.get_absolute_url(), form | {"groups": ""})
    rule.refresh_from_db()
    assert rule.groups == []
    client.post(f"{rule.get_absolute_url()}delete/")
    assert not Rule.objects.filter(name="nights").exists()
    assert acts() == ["rule.added", "rule.changed", "rule.deleted"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "x", "least": "10"}, "It tells nobody"),
        ({"name": "x", "least": "11", "concerned": "on"}, "11 is not one"),
        ({"name": "x", "least": "10", "concerned": "on", "events": ["no.such"]}, "no.such"),
        ({"name": "x", "least": "10", "concerned": "on", "groups": "a\n" * 300 + "b"}, ""),
        ({"name": "", "least": "10", "concerned": "on"}, "required"),
    ],
)
def test_a_rule_that_makes_no_sense(client, boss, fields, says):
    fields |= {"groups": "\n".join(map(str, range(101)))} if not says else {}
    answer = client.post("/notices/rules/new/", fields)
    assert answer.status_code == 400 and says in answer.text
    assert not Rule.objects.filter(name="x").exists()


def test_a_message_given_up_is_named_and_can_be_tried_again(client, boss, receiver):
    a_rule(a_webhook(receiver))
    tell()
    Notification.objects.update(state="given_up", due_at=None, trouble="no connection")
    assert "1 message was given up" in client.get("/notices/").text
    assert len(client.get("/notices/", {"state": "given_up"}).context["page"]) == 1
    path = Notification.objects.get().get_absolute_url()
    assert "nobody got this message" in client.get(path).text
    client.post(f"{path}again/")
    work_off()
    assert Notification.objects.get().state == "sent"
    client.post(f"{path}again/")
    assert Notification.objects.get().state == "sent"
    assert acts() == ["notification.again"]


@pytest.mark.parametrize("field", ["text", "state", "event", "channel", "at", "sort"])
@pytest.mark.parametrize("value", ["\x00", "' or 1=1", "9" * 500, "🦊"])
def test_hostile_filters_are_answered(client, boss, receiver, field, value):
    a_rule(a_webhook(receiver))
    tell()
    assert client.get("/notices/", {field: value}).status_code == 200


def test_the_list_holds_its_queries(client, boss, receiver, django_assert_max_num_queries):
    a_rule(a_webhook(receiver))
    for number in range(60):
        tell(once=str(number))
    with django_assert_max_num_queries(16):
        page = client.get("/notices/")
    assert len(page.context["page"]) == 50
