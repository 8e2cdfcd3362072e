"""A schedule's time begins one run, once; whatever kept it from beginning is written down."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from commands import firing
from commands.models import Fire, FreezeWindow, Invocation, PolicyRule, SavedCommand, Schedule
from commands.views import schedules
from instances.models import Instance, InstanceGroup
from portal import work
from portal.notices.models import Notification
from portal.work import Claim
from tests.commands.test_composing_a_run import carried, preview, ready
from tests.factories import a_person

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def web(clock) -> Instance:
    return ready(name="web-01")


@pytest.fixture
def schedule(web) -> Schedule:
    owner = a_person("operator")
    command = SavedCommand.objects.create(name="uptime", owner=owner)
    fields = {"script": "uptime", "type": "RunShellScript", "timeout": 60}
    schedule = Schedule.objects.create(
        name="hourly",
        revision=command.revise(by=owner, parameters=[], **fields),
        picked={"text": "web-01"},
        expression="0 0 * * * *",
        zone="UTC",
        owner=owner,
    )
    firing.begin(schedule)
    return schedule


def at(clock, schedule: Schedule, **later) -> list[tuple[str, str]]:
    """What the fires say after the job ran at this time."""
    clock.move_to(START + timedelta(**later))
    Instance.objects.update(agent_heartbeat_at=clock_now(), agent_asked_at=clock_now())
    firing.fire(schedule.pk)
    schedule.refresh_from_db()
    rows = Fire.objects.order_by("planned_at")
    return [(row.planned_at.strftime("%H:%M"), row.state) for row in rows]


def clock_now() -> datetime:
    return datetime.now(UTC)


def finish() -> None:
    Invocation.objects.filter(state="running").update(
        state="finished", finished_at=clock_now(), sealed=b""
    )


def test_before_its_time_nothing_happens(clock, schedule):
    assert at(clock, schedule, minutes=59) == []
    assert schedule.next_at == START + timedelta(hours=1)


def test_its_time_begins_one_run_however_often_it_is_rung(clock, schedule):
    assert at(clock, schedule, hours=1) == [("13:00", "fired")]
    assert at(clock, schedule, hours=1) == [("13:00", "fired")]
    run = Invocation.objects.get()
    assert (run.name, run.asked_by, run.revision) == (
        "hourly",
        schedule.owner,
        schedule.revision,
    )
    assert schedule.next_at == START + timedelta(hours=2)


def test_a_worker_that_dies_before_the_end_leaves_nothing_behind(clock, schedule, monkeypatch):
    def die(*args, **options):
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(Claim, "release", die)
        at(clock, schedule, hours=1)
    assert not Invocation.objects.exists()
    assert not Fire.objects.exists()
    Schedule.objects.update(due_at=clock_now(), lease_until=None)
    assert at(clock, schedule, hours=1) == [("13:00", "fired")]


@pytest.mark.parametrize(("act", "state"), [("pause", "paused"), ("end", "ended")])
def test_whoever_holds_it_begins_no_run_once_a_person_said_otherwise(
    client, clock, schedule, act, state
):
    clock.move_to(START + timedelta(hours=1))
    held = work.claim(Schedule, schedule.pk)
    client.force_login(schedule.owner)
    client.post(f"/schedules/{schedule.pk}/change/", {"act": act})

    firing.fire.__wrapped__(held)

    schedule.refresh_from_db()
    assert (schedule.state, schedule.due_at, schedule.next_at) == (state, None, None)
    assert not Invocation.objects.exists()


def test_times_without_the_portal_are_missed_and_not_caught_up(clock, schedule):
    assert at(clock, schedule, hours=3, minutes=2) == [
        ("13:00", "missed"),
        ("14:00", "missed"),
        ("15:00", "fired"),
    ]
    assert Invocation.objects.count() == 1


def test_a_long_absence_writes_no_endless_list(clock, schedule):
    fires = at(clock, schedule, days=30, minutes=20)
    assert len(fires) == firing.MOST_MISSED
    assert schedule.next_at == START + timedelta(days=30, hours=1)


def test_a_run_that_goes_on_leaves_the_next_time_out(clock, schedule):
    at(clock, schedule, hours=1)
    assert at(clock, schedule, hours=2)[-1] == ("14:00", "overlapped")
    finish()
    assert at(clock, schedule, hours=3)[-1] == ("15:00", "fired")


def test_overlapping_may_be_allowed(clock, schedule):
    Schedule.objects.update(overlap="allow")
    at(clock, schedule, hours=1)
    assert at(clock, schedule, hours=2)[-1] == ("14:00", "fired")


def test_a_freeze_leaves_its_times_out(clock, schedule):
    FreezeWindow.objects.create(
        name="sale", starts_at=START, ends_at=START + timedelta(hours=1, minutes=30)
    )
    assert at(clock, schedule, hours=1) == [("13:00", "frozen")]
    assert at(clock, schedule, hours=2)[-1] == ("14:00", "fired")


def test_whom_it_reaches_is_looked_up_each_time(clock, schedule):
    Schedule.objects.update(picked={"filter": {"os": "linux"}}, overlap="allow")
    at(clock, schedule, hours=1)
    ready(name="web-02")
    at(clock, schedule, hours=2)
    assert sorted(Invocation.objects.values_list("size", flat=True)) == [1, 2]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda s: type(s.owner).objects.update(is_active=False), "may no longer run"),
        (lambda s: s.owner.groups.clear(), "may no longer run"),
        (lambda s: s.owner.scopes.all().delete(), "No instance is left"),
        (lambda s: SavedCommand.objects.update(archived_at=START), "archived"),
        (lambda s: Instance.objects.update(status="Stopped"), "No instance is left"),
        (
            lambda s: PolicyRule.objects.create(
                name="no", pattern="uptime", verb="refuse", message="never"
            ),
            "never",
        ),
    ],
)
def test_what_keeps_it_from_beginning_is_said(clock, schedule, change, why):
    change(schedule)
    assert at(clock, schedule, hours=1) == [("13:00", "failed")]
    assert why in Fire.objects.get().reason
    assert not Invocation.objects.exists()


def test_a_rule_that_demands_approval_holds_it_like_any_run(clock, schedule):
    PolicyRule.objects.create(name="ask", pattern="uptime", verb="approve", message="ask")
    at(clock, schedule, hours=1)
    assert Invocation.objects.get().state == "waiting"


def test_a_time_that_comes_once_ends_the_schedule(clock, schedule):
    Schedule.objects.update(expression="at(2026-03-01 13:00:00)")
    at(clock, schedule, hours=1)
    assert (schedule.state, schedule.due_at) == ("ended", None)


# --- Pages ---


def form(schedule: Schedule, **fields) -> dict:
    told = {"revision": str(schedule.revision.pk), "text": "web-01", "expression": "rate(1h)"}
    return {**told, "zone": "UTC", "grace": "300", **fields}


def test_a_schedule_is_made_paused_resumed_and_ended(client, clock, schedule):
    client.force_login(schedule.owner)
    page = client.post("/schedules/new/", form(schedule))
    answer = client.post("/schedules/new/", carried(page))
    made = Schedule.objects.exclude(pk=schedule.pk).get()
    assert answer.url == made.get_absolute_url()
    assert made.next_at == START + timedelta(hours=1)
    assert "The next times" in client.get(answer.url).text
    for act, state in (("pause", "paused"), ("resume", "active"), ("end", "ended")):
        client.post(f"{answer.url}change/", {"act": act})
        made.refresh_from_db()
        assert made.state == state
    assert made.due_at is None


def test_whom_it_reaches_is_seen_before_it_is_kept(client, clock, schedule):
    client.force_login(schedule.owner)
    PolicyRule.objects.create(name="ask", pattern="uptime", verb="approve", message="look here")
    page = client.post("/schedules/new/", form(schedule)).text
    assert Schedule.objects.count() == 1, "nothing is kept by the first press"
    assert "<strong>1 instance</strong>" in page
    assert "look here" in page
    assert "2026-03-01 13:00" in page
    assert "Keep the schedule" in page


def test_what_a_rule_refuses_is_not_kept(client, clock, schedule):
    client.force_login(schedule.owner)
    page = client.post("/schedules/new/", form(schedule))
    PolicyRule.objects.create(name="no", pattern="uptime", verb="refuse", message="no uptime")
    answer = client.post("/schedules/new/", carried(page))
    assert answer.status_code == 400
    assert "no uptime" in answer.text
    assert Schedule.objects.count() == 1


def test_a_schedule_of_many_takes_their_number_typed(client, clock, schedule, settings):
    settings.RUN_CONFIRM_ABOVE = 0
    client.force_login(schedule.owner)
    page = client.post("/schedules/new/", form(schedule))
    assert client.post("/schedules/new/", carried(page)).status_code == 400
    assert client.post("/schedules/new/", carried(page, typed="1")).status_code == 302


def test_the_second_of_two_clicks_makes_no_second_schedule(client, clock, schedule, monkeypatch):
    client.force_login(schedule.owner)
    page = client.post("/schedules/new/", form(schedule))
    first, second = (client.post("/schedules/new/", carried(page)) for _click in range(2))
    assert first.url == second.url
    assert Schedule.objects.exclude(pk=schedule.pk).count() == 1

    page, kept = client.post("/schedules/new/", form(schedule)), schedules._make

    def beaten(request, filled, once):  # the first click ends between our look and our writing
        kept(request, filled, once)
        return kept(request, filled, once)

    monkeypatch.setattr(schedules, "_make", beaten)
    assert client.post("/schedules/new/", carried(page)).status_code == 302
    assert Schedule.objects.exclude(pk=schedule.pk).count() == 2


def test_neither_a_freeze_nor_nobody_keeps_a_schedule_from_being_made(client, clock, schedule):
    client.force_login(schedule.owner)
    FreezeWindow.objects.create(
        name="now", starts_at=START - timedelta(hours=1), ends_at=START + timedelta(hours=1)
    )
    for fields in ({}, {"text": "", "f-tag": "app=none"}):
        page = client.post("/schedules/new/", form(schedule, **fields))
        assert client.post("/schedules/new/", carried(page)).status_code == 302


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"expression": "every day"}, "6 to 8 fields"),
        ({"expression": "at(2020-01-01 00:00:00)"}, "never comes true again"),
        ({"zone": "Moon", "expression": "0 0 0 * * *"}, "no time zone"),
        ({"text": ""}, "Say where"),
        ({"revision": ""}, "A schedule runs a saved command"),
    ],
)
def test_what_cannot_be_scheduled_is_named(client, clock, schedule, fields, says):
    client.force_login(schedule.owner)
    answer = client.post("/schedules/new/", form(schedule, **fields))
    assert answer.status_code == 400
    assert says in answer.text
    assert Schedule.objects.count() == 1


def test_nobody_changes_the_schedule_of_somebody_else(client, clock, schedule):
    client.force_login(a_person("operator"))
    url = f"{schedule.get_absolute_url()}change/"
    assert client.post(url, {"act": "end"}).status_code == 404
    assert client.get(schedule.get_absolute_url()).status_code == 404


def test_a_freeze_takes_a_reason_from_a_run_by_hand(client, clock, web):
    client.force_login(a_person("manager"))
    told = {"name": "sale", "starts_at": "2026-03-01T11:00", "ends_at": "2026-03-01T18:00"}
    assert client.post("/freezes/new/", told).status_code == 302
    page = preview(client, text="web-01")
    assert "sale" in page.text
    assert client.post("/runs/new/", carried(page)).status_code == 400
    assert not Invocation.objects.exists()
    client.post("/runs/new/", carried(page, why="customers wait"))
    assert Invocation.objects.get().freeze_reason == "customers wait"


def test_a_freeze_must_end_after_it_starts_and_is_ended_early(client, clock):
    client.force_login(a_person("manager"))
    told = {"name": "x", "starts_at": "2026-03-01T11:00", "ends_at": "2026-03-01T10:00"}
    assert client.post("/freezes/new/", told).status_code == 400
    client.post("/freezes/new/", told | {"ends_at": "2026-03-01T18:00"})
    window = FreezeWindow.objects.get()
    client.post(f"/freezes/{window.pk}/end/")
    window.refresh_from_db()
    assert window.ends_at == START


def test_its_owner_is_told_once_of_an_absence(clock, schedule, settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    type(schedule.owner).objects.update(email="owner@example.com")
    at(clock, schedule, hours=3, minutes=20)
    row = Notification.objects.get()
    assert (row.event, row.url) == ("schedule.missed", schedule.get_absolute_url())
    assert row.title == "hourly did not run 3 times, last at 2026-03-01 15:00 UTC"
    at(clock, schedule, hours=3, minutes=21)
    assert Notification.objects.count() == 1


def test_the_form_tells_the_next_times_while_it_is_filled(client):
    client.force_login(a_person("operator"))
    told = {"expression": "0 30 2 * * *", "zone": "Asia/Shanghai"}
    page = client.post("/schedules/new/times/", told).text
    assert page.count("<time") == 5 and "18:30:00 UTC" in page
    assert (
        "note-attention" in client.post("/schedules/new/times/", {"expression": "every day"}).text
    )
    assert (
        "<time"
        not in client.post("/schedules/new/times/", told | {"repeat_mode": "EveryReboot"}).text
    )


def test_its_page_says_in_words_how_its_instances_are_picked(client, schedule):
    group = InstanceGroup.objects.create(name="the webs", owner=schedule.owner, filter={})
    schedule.picked = {"picked": [1, 2], "group": group.pk, "filter": {"os": "linux"}}
    schedule.save()
    client.force_login(schedule.owner)
    page = " ".join(client.get(schedule.get_absolute_url()).text.split())
    for label, value in (
        ("Ticked instances", "2"),
        ("Group", "the webs"),
        ("Only those that fit", "os=linux"),
    ):
        assert f'<dt>{label}</dt><dd class="break">{value}</dd>' in page
