"""From the form to the approval: what each page says, and what it refuses."""

from datetime import timedelta

import pytest
from django.utils import timezone

from commands.models import Approval, RebootBatch, SavedCommand
from tests.factories import EventFactory, InstanceFactory, a_person

pytestmark = pytest.mark.django_db
NEW = "/reboots/new/"


@pytest.fixture
def web():
    now = timezone.now()
    alive = {"agent_running": True, "agent_heartbeat_at": now, "agent_asked_at": now}
    rows = [InstanceFactory(name=f"web-0{n}", seen_at=now, **alive) for n in (1, 2, 3, 4)]
    for row in rows:
        row.tags.create(key="app", value="shop")
    return rows


@pytest.fixture
def operator(client):
    person = a_person("operator")
    client.force_login(person)
    return person


def told(**more):
    return {"text": "web-01 web-02 web-03 web-04", "reason": "new kernel", "mode": "Batch", **more}


def preview(client, **more):
    return client.post(NEW, told(stage="preview", **more))


def sent(client, **more):
    page = preview(client, **more)
    once = page.context["carried"][-1][1]
    client.post(NEW, told(stage="send", once=once, **more))
    return RebootBatch.objects.get(), once


def test_the_plan_names_waves_shares_and_the_end(client, operator, web):
    page = preview(client, sizes="2", canary="1").text
    assert "3 waves" in page
    assert "app=shop" in page and "50 %" in page and "2 of 4" in page
    assert "at worst" in page
    assert not RebootBatch.objects.exists()


def test_newest_revisions_are_offered_that_ask_for_nothing_however_many_there_are(
    client, operator, django_assert_max_num_queries
):
    script = {"script": "uptime", "type": "RunShellScript", "timeout": 60}
    for number in range(30):
        made = SavedCommand.objects.create(name=f"command {number:02}")
        made.revise(by=None, parameters=[], **script)
    made.revise(by=None, parameters=[], **{**script, "script": "newest"})
    asks = SavedCommand.objects.create(name="asks")
    asks.revise(by=None, parameters=[], **script)
    asks.revise(by=None, parameters=[{"name": "word"}], **script)
    SavedCommand.objects.create(name="gone", archived_at=timezone.now()).revise(
        by=None, parameters=[], **script
    )

    with django_assert_max_num_queries(20):
        page = client.get(NEW)

    offered = page.context["form"].fields["pre_saved"].queryset
    assert [(row.command.name, row.number) for row in offered][-2:] == [
        ("command 28", 1),
        ("command 29", 2),
    ]
    assert len(offered) == 30


def test_two_clicks_make_one_batch(client, operator, web):
    batch, once = sent(client)
    client.post(NEW, told(stage="send", once=once))
    assert RebootBatch.objects.count() == 1
    assert batch.state == "waiting" and batch.size == 4


def test_bad_input_is_told_at_its_field(client, operator, web):
    page = preview(client, sizes="0", max_errors="101%", reason="")
    assert page.status_code == 400
    assert "Numbers from 1 or shares from 1% to 100%" in page.text
    assert "share from 0% to 100%" in page.text
    assert "Say why" in page.text


def test_a_window_in_the_past_is_refused(client, operator, web):
    page = preview(client, closes_at="2020-01-01T00:00")
    assert page.status_code == 400
    assert "The window lies in the past." in page.text


def test_whom_one_does_not_see_one_cannot_name(client, web):
    client.force_login(a_person("operator", region="cn-beijing"))
    page = preview(client)
    assert "No instance that you see answers to:" in page.text


def test_planned_events_fill_the_form_and_show_their_deadline(client, operator, web):
    soon = timezone.now() + timedelta(hours=2)
    EventFactory(instance=web[2], not_before=soon)
    assert client.get(f"{NEW}?events=1").context["picked"] == [web[2].pk]
    page = preview(client).text
    assert "SystemMaintenance.Reboot" in page and "before the window closes" in page


def test_free_text_is_a_right_of_its_own(client, operator, web):
    operator.groups.clear()
    from django.contrib.auth.models import Permission

    operator.user_permissions.add(
        *Permission.objects.filter(codename__in=["reboot", "view_rebootbatch"])
    )
    page = preview(client, pre_text="systemctl stop shop")
    assert page.status_code == 400
    assert "You may use saved commands only." in page.text


def test_who_was_left_out_is_named_to_those_who_see_them(client, operator, web):
    batch, _once = sent(client)
    left_out = {"status": {"count": 1, "names": ["secret-db-01"]}}
    RebootBatch.objects.filter(pk=batch.pk).update(left_out=left_out)
    narrowed = a_person("viewer", region=web[0].region)
    for person, named in ((operator, True), (a_person("viewer"), True), (narrowed, False)):
        client.force_login(person)
        page = client.get(batch.get_absolute_url())
        assert page.status_code == 200
        assert ("secret-db-01" in page.text) == named


def looked_at(batch):
    RebootBatch.objects.filter(pk=batch.pk).update(checked_at=timezone.now(), look_at=None)


def test_the_approver_sees_what_changed_in_the_script(client, operator, web):
    command = SavedCommand.objects.create(name="drain", owner=operator)
    first = {"type": "RunShellScript", "timeout": 60}
    command.revise(by=None, parameters=[], script="drain --soft\nsync\n", **first)
    newest = command.revise(by=None, parameters=[], script="drain --hard\nsync\n", **first)
    batch, _once = sent(client, pre_saved=str(newest.pk))
    client.force_login(a_person("manager"))
    page = client.get(Approval.objects.get().get_absolute_url()).text
    assert "- drain --soft" in page and "+ drain --hard" in page


def test_a_yes_to_what_the_page_did_not_show_is_refused(client, operator, web):
    batch, _once = sent(client)
    looked_at(batch)
    approval = Approval.objects.get()
    client.force_login(a_person("manager"))
    seen = client.get(approval.get_absolute_url()).context["seen_digest"]
    item = batch.items.first()
    item.facts = {**item.facts, "locks": ["security"]}
    item.save()
    address = f"{approval.get_absolute_url()}decide/"
    page = client.post(address, {"answer": "yes", "seen": seen}, follow=True).text
    assert "Something changed since you looked" in page
    batch.refresh_from_db()
    assert batch.state == "waiting"


def test_ones_own_request_offers_no_yes_and_takes_none(client, web):
    person = a_person("manager")
    client.force_login(person)
    batch, _once = sent(client)
    looked_at(batch)
    approval = Approval.objects.get()
    page = client.get(approval.get_absolute_url())
    assert "somebody else has to decide" in page.text and 'name="answer"' not in page.text
    seen = {"answer": "yes", "seen": page.context["seen_digest"]}
    client.post(f"{approval.get_absolute_url()}decide/", seen)
    batch.refresh_from_db()
    assert batch.state == "waiting"


def test_home_shows_what_waits_for_me_and_not_what_i_asked_for(client, operator, web):
    sent(client, name="Patch night")
    assert "waits for you" not in client.get("/").text
    client.force_login(a_person("manager"))
    assert "waits for you" in client.get("/").text


def test_a_report_says_names_that_cannot_become_markup(client, operator, web):
    batch, _once = sent(client, name="<b>night</b> *x*", reason="# because")
    page = client.get(f"{batch.get_absolute_url()}report.md").text
    assert "\\<b\\>night" in page and "\\*x\\*" in page and "\\# because" in page
    assert "<b>night" not in client.get(f"{batch.get_absolute_url()}report.html").text


def test_an_instance_tells_of_its_reboots(client, operator, web):
    batch, _once = sent(client)
    item = batch.items.first()
    now = timezone.now()
    batch.items.filter(pk=item.pk).update(
        state="over", outcome="same_boot", verdict="same_boot", asked_at=now, judged_at=now
    )
    assert "same boot" in client.get(item.instance.get_absolute_url()).text
    assert "judged: running, but the same boot" in client.get(item.get_absolute_url()).text
