"""A schedule that ECS keeps: sent once, each of its times mirrored once as a run of its own."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from commands import answers, jobs, stopping, timed, timed_rows
from commands.models import Dispatch, Fire, Invocation, PolicyRule, SavedCommand, Schedule, Target
from instances import ecs
from instances.models import Instance, InstanceGroup
from portal.audit.models import AuditEntry
from portal.transitions import WrongState
from portal.work import Claim
from tests.commands.test_composing_a_run import carried, ready
from tests.commands.timed_world import by_hand
from tests.factories import a_person
from tests.simulation import in_a_thread
from tests.sizes import LONG

pytestmark = pytest.mark.django_db
REGION = "cn-hangzhou"


@pytest.fixture(scope="module")
def rebooting():
    with in_a_thread("fleet:8") as simulator:
        simulator.cloud.power.seconds = (0.01, 0.02)
        yield simulator


@pytest.fixture
def fleet(rebooting):
    before = ecs.ecs_mode.setup()
    ecs.configure(endpoint=rebooting.endpoint, mode="full")
    ecs.forget_connections()
    yield rebooting
    ecs.ecs_mode._setup = before
    ecs.forget_connections()
    rebooting.restore()


@pytest.fixture
def hand(fleet):
    with by_hand(fleet) as hand:
        yield hand


@pytest.fixture
def machines(fleet) -> list[Instance]:
    known = fleet.cloud.machines(REGION)[:3]
    return [ready(name=m.name, hostname=m.hostname, instance_id=m.instance_id) for m in known]


@pytest.fixture
def operator(client):
    person = a_person("operator")
    client.force_login(person)
    return person


def command(owner, script: str = "hostname", timeout: int = 10) -> SavedCommand:
    made = SavedCommand.objects.create(name="uptime", owner=owner)
    made.revise(by=owner, parameters=[], script=script, type="RunShellScript", timeout=timeout)
    return made


def told(made: SavedCommand, machines, **fields) -> dict:
    return {
        "revision": str(made.newest().pk),
        "kind": "ecs",
        "repeat_mode": "Period",
        "expression": "rate(5m)",
        "zone": "UTC",
        "grace": "300",
        "text": " ".join(m.instance_id for m in machines),
        **fields,
    }


def make(client, machines, made=None, **fields) -> Schedule:
    """Through the page: form, preview, second press."""
    made = made or command(a_person("operator"))
    page = client.post("/schedules/new/", told(made, machines, **fields))
    assert page.status_code == 200, page.text
    answer = client.post("/schedules/new/", carried(page))
    assert answer.status_code == 302, answer.text
    return Schedule.objects.latest("pk")


def look(schedule: Schedule) -> None:
    """The bell rings for what ECS keeps, whenever that is due."""
    kept = schedule.timed_run.dispatches.filter(fire_of=None).exclude(due_at=None)
    kept.update(due_at=timezone.now() - timedelta(seconds=1), lease_until=None)
    for dispatch in kept:
        jobs.carry_on(dispatch.pk)
    schedule.refresh_from_db()
    schedule.timed_run.refresh_from_db()


def until(schedule: Schedule, question, patience: float = 10.0) -> None:
    ends = time.monotonic() + patience
    while not question():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.02)
        look(schedule)


def fired(schedule: Schedule) -> list[Invocation]:
    rows = Fire.objects.filter(schedule=schedule, state="fired").order_by("planned_at", "pk")
    return [row.invocation for row in rows.select_related("invocation")]


def over(schedule: Schedule, number: int) -> bool:
    runs = fired(schedule)
    return len(runs) == number and all(run.state == "finished" for run in runs)


def acts(fleet) -> int:
    return fleet.counters()["acts"].get("invocations", 0)


def test_each_time_becomes_a_run_of_its_own_once(client, operator, fleet, hand, machines):
    before = acts(fleet)
    schedule = make(client, machines)
    look(schedule)
    assert acts(fleet) - before == 1
    for number in (1, 2):
        hand.fire()
        until(schedule, lambda number=number: over(schedule, number))
        for _again in range(3):
            look(schedule)
    one, two = fired(schedule)
    assert (one.size, one.outcomes, two.outcomes) == (3, {"ok": 3}, {"ok": 3})
    assert {t.repeats for t in two.targets.all()} == {2}
    for target in two.targets.select_related("instance", "output"):
        assert target.output.body().decode().strip() == target.instance.hostname
    assert schedule.timed_run.state == "running"
    assert "Scheduled" in {t.status for t in schedule.timed_run.targets.all()}
    assert acts(fleet) - before == 1


def test_one_times_timeout_does_not_touch_the_next(client, operator, fleet, hand, machines):
    script = "test -e there && exit 0; touch there; exit 3"
    schedule = make(client, machines[:1], command(operator, script))
    for number in (1, 2):
        look(schedule)
        hand.fire()
        until(schedule, lambda number=number: over(schedule, number))
    assert [run.outcomes for run in fired(schedule)] == [{"failed": 1}, {"ok": 1}]


def test_a_machine_that_was_off_is_named_and_the_others_are_kept(
    client, operator, fleet, hand, machines
):
    schedule = make(client, machines)
    look(schedule)
    fleet.change(machines[0].instance_id, status="Stopped")
    hand.fire()
    until(schedule, lambda: len(fired(schedule)) == 1)
    [run] = fired(schedule)
    until(schedule, lambda: run.targets.filter(over=True).count() == 2)
    Dispatch.objects.filter(invocation=run).update(deadline=timezone.now())
    look(schedule)
    run.refresh_from_db()
    assert (run.state, run.outcomes) == ("finished", {"ok": 2, "unknown": 1})
    odd = run.targets.get(outcome="unknown")
    assert (odd.instance, odd.error_code) == (machines[0], "NotShown")
    fleet.change(machines[0].instance_id, status="Running")
    hand.fire()
    until(schedule, lambda: over(schedule, 2))
    assert fired(schedule)[1].outcomes == {"ok": 3}


def fire_unseen(fleet, hand, schedule: Schedule, times: int) -> None:
    """So many times go by on all machines while the portal does not look."""
    for number in range(1, times + 1):
        hand.fire()
        ends = time.monotonic() + 10
        while {len(row.fires) for row in rows(fleet, schedule)} != {number} or not all(
            fire.over for row in rows(fleet, schedule) for fire in row.fires
        ):
            assert time.monotonic() < ends, "it did not fire"
            time.sleep(0.01)


def test_times_in_the_portals_absence_are_read_from_the_history(
    client, operator, fleet, hand, machines
):
    schedule = make(client, machines)
    look(schedule)
    fire_unseen(fleet, hand, schedule, 3)
    look(schedule)
    runs = fired(schedule)
    assert [run.outcomes for run in runs] == [{"ok": 3}] * 3
    told = [sorted(target.repeats for target in run.targets.all()) for run in runs]
    assert told == [[1] * 3, [2] * 3, [3] * 3]


def test_a_history_that_could_not_be_had_is_read_with_the_next_look(
    client, operator, fleet, hand, machines
):
    schedule = make(client, machines[:1])
    look(schedule)
    fire_unseen(fleet, hand, schedule, 2)
    fault = {"kind": "lost", "operation": "DescribeInvocationResults"}
    fleet.faults({**fault, "after": 1, "count": 3})  # the plain rows come, the history does not
    look(schedule)
    assert fired(schedule) == []
    look(schedule)
    assert [run.outcomes for run in fired(schedule)] == [{"ok": 1}] * 2


def rows(fleet, schedule: Schedule) -> list:
    kept = schedule.timed_run.dispatches.get(fire_of=None)
    return fleet.cloud.runs.find(REGION, kept.invoke_id).rows


def test_what_ecs_forgot_is_named(client, operator, fleet, hand, machines):
    schedule = make(client, machines[:1])
    look(schedule)
    fire_unseen(fleet, hand, schedule, 3)
    for row in rows(fleet, schedule):
        row.fires = row.fires[2:]
    look(schedule)
    states = list(Fire.objects.order_by("planned_at").values_list("state", flat=True))
    assert states == ["forgotten", "forgotten", "fired"]


def test_a_restart_fires_what_waits_for_it(client, operator, fleet, machines):
    one = machines[:1]
    made = command(operator)
    every = make(client, one, made, repeat_mode="EveryReboot", expression="")
    once = make(client, one, made, repeat_mode="NextRebootOnly", expression="")
    look(every), look(once)
    fleet.cloud.runs.booted(next(m for m in fleet.cloud.machines(REGION)))
    until(every, lambda: over(every, 1))
    until(once, lambda: once.timed_run.state == "finished")
    assert [run.outcomes for run in fired(once)] == [{"ok": 1}]
    timed.settle(once.pk)
    once.refresh_from_db()
    assert (once.state, every.state) == ("ended", "active")


def test_a_time_that_comes_once_is_mirrored_and_ends_the_schedule(
    client, operator, fleet, hand, machines
):
    soon = timezone.now() + timedelta(hours=1)
    schedule = make(client, machines, expression=f"at({soon:%Y-%m-%d %H:%M:%S})")
    look(schedule)
    hand.fire()
    until(schedule, lambda: schedule.timed_run.state == "finished")
    [run] = fired(schedule)
    assert run.outcomes == {"ok": 3}
    assert Fire.objects.get(invocation=run).planned_at == soon.replace(microsecond=0)
    assert Schedule.objects.get().due_at is not None  # woken: it ends


def test_secrets_are_taken_out_of_what_every_time_prints(client, operator, fleet, hand, machines):
    made = SavedCommand.objects.create(name="login", owner=operator)
    secret = [{"name": "word", "kind": "secret"}]
    fields = {"script": "echo {{word}}", "type": "RunShellScript", "timeout": 10}
    made.revise(by=operator, parameters=secret, **fields)
    schedule = make(client, machines[:1], made, **{"p-word": "xyzzy-1234"})
    look(schedule)
    hand.fire()
    until(schedule, lambda: over(schedule, 1))
    assert fired(schedule)[0].targets.get().output.body() == b"***\n"
    client.post(f"/runs/{schedule.timed_run.pk}/stop/")
    until(schedule, lambda: schedule.timed_run.state == "finished")
    assert bytes(schedule.timed_run.sealed) == b""


def test_stopping_is_asked_confirmed_and_ends_it(client, operator, fleet, hand, machines):
    schedule = make(client, machines)
    look(schedule)
    hand.fire()
    until(schedule, lambda: over(schedule, 1))
    [fire] = fired(schedule)
    with pytest.raises(WrongState):
        stopping.stop(fire, operator)
    url = f"/runs/{schedule.timed_run.pk}/stop/"
    assert "no further time" in client.get(url).text
    client.post(url)
    until(schedule, lambda: schedule.timed_run.state == "finished")
    assert schedule.timed_run.outcomes == {"stopped": 3}
    assert stopping.progress(schedule.timed_run).confirmed == 3
    assert AuditEntry.objects.filter(act="run.stopped").exists()
    hand.fire()
    assert len(fired(schedule)) == 1


def test_a_stop_without_a_last_word_is_called_lost(client, operator, fleet, hand, machines):
    schedule = make(client, machines)
    look(schedule)
    stopping.stop(schedule.timed_run, operator)
    fleet.faults({"kind": "lost", "operation": "Describe*"})
    look(schedule)
    assert stopping.progress(schedule.timed_run).asked == 3
    Dispatch.objects.update(deadline=timezone.now())
    look(schedule)
    assert schedule.timed_run.state == "finished"
    assert stopping.progress(schedule.timed_run).lost == 3


def test_a_run_that_ecs_forgot_ends_by_that_name(client, operator, fleet, hand, machines):
    schedule = make(client, machines)
    look(schedule)
    kept = schedule.timed_run.dispatches.get()
    Dispatch.objects.filter(pk=kept.pk).update(invoke_id="t-unknown")
    look(schedule)
    long_ago = timezone.now() - answers.MISSED_FOR
    Dispatch.objects.filter(pk=kept.pk).update(missed_at=long_ago)
    look(schedule)
    assert schedule.timed_run.state == "finished"
    assert {t.error_code for t in schedule.timed_run.targets.all()} == {"RunForgotten"}


def test_a_frequency_that_the_machine_cannot_read_is_told(client, operator, fleet, machines):
    soon = timezone.now() + timedelta(hours=1)
    schedule = make(client, machines, expression=f"at({soon:%Y-%m-%d %H:%M:%S})")
    Invocation.objects.update(frequency="at(2020-01-01 00:00:00)")
    look(schedule), look(schedule)
    assert {t.error_code for t in schedule.timed_run.targets.all()} == {"AtExpressionExpired"}
    assert schedule.timed_run.state == "finished"
    assert not Fire.objects.exists()


def test_all_that_ecs_keeps_in_a_region_is_followed_by_few_calls(
    client, operator, fleet, hand, machines
):
    made = command(operator)
    both = [make(client, machines, made), make(client, machines, made)]
    for schedule in both:
        look(schedule)

    def calls(act) -> dict[str, int]:
        before = fleet.counters()["calls"]
        act()
        after = fleet.counters()["calls"]
        return {
            name: n - before.get(name, 0) for name, n in after.items() if n > before.get(name, 0)
        }

    def look_at_both() -> None:
        Dispatch.objects.exclude(due_at=None).update(due_at=timezone.now() - timedelta(seconds=1))
        jobs.carry_on(Dispatch.objects.exclude(due_at=None).first().pk)

    assert calls(look_at_both) == {"DescribeInvocations": 1}
    hand.fire()
    ends = time.monotonic() + 10
    while any(row.status != "Scheduled" or row.exit_code is None for row in kept_rows(fleet, both)):
        assert time.monotonic() < ends
        time.sleep(0.01)
    told = calls(look_at_both)
    assert told == {"DescribeInvocations": 1, "DescribeInvocationResults": 2}
    assert [len(fired(schedule)) for schedule in both] == [1, 1]


@pytest.mark.parametrize("what", ["results", "by_last_row"])
def test_a_run_that_cannot_be_read_keeps_no_other_from_being_followed(
    client, operator, fleet, hand, machines, monkeypatch, what
):
    made = command(operator)
    broken, other = make(client, machines[:1], made), make(client, machines[1:], made)
    for schedule in (broken, other):
        look(schedule)
    fire_unseen(fleet, hand, other, 1)
    module = ecs if what == "results" else timed_rows
    real, invoke_id = getattr(module, what), broken.timed_run.dispatches.get().invoke_id
    mine = (invoke_id, machines[0].instance_id)

    def breaks(*args, **options):
        if mine[0] in args or getattr(args[0], "instance_id", "") == mine[1]:
            raise ValueError("a bug")
        return real(*args, **options)

    monkeypatch.setattr(module, what, breaks)
    look(other)

    kept = broken.timed_run.dispatches.get(fire_of=None)
    assert (kept.last_error, kept.lease_until) == ("ValueError: a bug", None)
    assert len(fired(other)) == 1


def kept_rows(fleet, schedules) -> list:
    return [row for schedule in schedules for row in rows(fleet, schedule)]


def test_an_answer_after_its_deadline_is_kept_beside_the_run_of_its_time(
    client, operator, fleet, hand, machines
):
    schedule = make(client, machines)
    look(schedule)
    off = machines[0].instance_id
    fleet.change(off, status="Stopped")
    hand.fire()
    until(schedule, lambda: len(fired(schedule)) == 1)
    until(schedule, lambda: fired(schedule)[0].targets.filter(over=True).count() == 2)
    Dispatch.objects.filter(invocation=fired(schedule)[0]).update(deadline=timezone.now())
    look(schedule)
    fleet.change(off, status="Running")
    invocation = fleet.cloud.runs.find(REGION, rows_of(schedule).invoke_id)
    late = [row for row in invocation.rows if row.instance_id == off]
    fleet.cloud.runs._fire(invocation, late)
    until(schedule, lambda: over(schedule, 2))
    assert [run.outcomes for run in fired(schedule)] == [{"ok": 2, "unknown": 1}, {"ok": 1}]
    assert len({fire.planned_at for fire in Fire.objects.all()}) == 1


def rows_of(schedule: Schedule) -> Dispatch:
    return schedule.timed_run.dispatches.get(fire_of=None)


# --- Whatever dies ------------------------------------------------------------------------------


def test_lost_answers_to_the_sending_make_one_timed_run(client, operator, fleet, hand, machines):
    before = acts(fleet)
    fleet.faults({"kind": "lost", "operation": "RunCommand", "count": 4})
    schedule = make(client, machines)
    until(schedule, lambda: schedule.timed_run.dispatches.get(fire_of=None).state == "sent")
    assert acts(fleet) - before == 1


class Killed(BaseException):
    """kill -9, as far as this process is concerned."""


@pytest.mark.parametrize("point", range(0, 30, 3 if LONG else 6))
def test_a_kill_at_any_write_loses_no_time_and_doubles_none(
    client, operator, fleet, hand, machines, monkeypatch, point
):
    before = acts(fleet)
    schedule = make(client, machines[:2])
    writes = {"left": point}
    let_go, write = Claim._let_go, Claim.write

    def fatal(act):
        def around(*args, **options):
            writes["left"] -= 1
            if writes["left"] == -1:
                raise Killed
            act(*args, **options)
            writes["left"] -= 1
            if writes["left"] == -1:
                raise Killed

        return around

    monkeypatch.setattr(Claim, "_let_go", fatal(let_go))
    monkeypatch.setattr(Claim, "write", fatal(write))

    def look_on() -> None:
        try:
            look(schedule)
        except Killed:
            schedule.refresh_from_db()
            schedule.timed_run.refresh_from_db()

    look_on(), look_on(), look_on()
    hand.fire()
    ends = time.monotonic() + 10
    while not over(schedule, 1):
        assert time.monotonic() < ends
        time.sleep(0.02)
        look_on()
    assert acts(fleet) - before == 1
    assert Target.objects.filter(repeats=1, dispatch__fire_of__isnull=False).count() == 2
    assert Fire.objects.count() == 1


# --- What may be kept there ---------------------------------------------------------------------


def refused(client, data) -> str:
    page = client.post("/schedules/new/", data)
    assert not Schedule.objects.exists()
    return page.text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"expression": "rate(5s)"}, "60 seconds to 7 days"),
        ({"expression": "rate(8d)"}, "60 seconds to 7 days"),
        ({"expression": "0,5 * * * * *"}, "5 seconds between two times"),
        ({"expression": "*/20 * * * * *"}, "timeout of 90"),
        ({"expression": "rate(1m)"}, "longer than the script"),
        ({"expression": ""}, "6 to 8 fields"),
        ({"repeat_mode": "EveryReboot"}, "Leave it empty"),
        ({"repeat_mode": "EveryReboot", "expression": "", "kind": "portal"}, "Only ECS sees"),
        ({"concurrency": "2"}, "all instances at once"),
        ({"max_errors": "2"}, "all instances at once"),
    ],
)
def test_the_limits_of_ecs_are_named_by_field(client, operator, fields, says):
    made = command(operator, timeout=90)
    assert says in refused(client, told(made, [ready()], **fields))


def test_more_than_ecs_keeps_must_be_fired_by_the_portal(client, operator):
    made = command(operator)
    many = [ready() for _number in range(101)]
    assert "at most 100 instances, and this reaches 101" in refused(client, told(made, many))
    apart = [ready(), ready(region="cn-beijing")]
    assert "one account and region" in refused(client, told(made, apart))
    group = InstanceGroup.objects.create(name="all", owner=operator, filter={"os": "linux"})
    data = told(made, [], group=str(group.pk))
    assert "others tomorrow" in refused(client, data)
    old = ready(agent_version="2.2.3.100")
    assert "2.2.3.282 or newer" in refused(client, told(made, [old]))


def test_what_is_refused_at_the_preview_cannot_be_sent(client, operator):
    made = command(operator)
    page = client.post("/schedules/new/", told(made, [ready() for _number in range(101)]))
    answer = client.post("/schedules/new/", carried(page, typed="101"))
    assert answer.status_code == 400
    assert not Invocation.objects.exists()


def test_rules_and_approval_hold_as_for_any_run(client, operator):
    PolicyRule.objects.create(name="ask", pattern="hostname", verb="approve", message="ask first")
    schedule = make(client, [ready()])
    assert schedule.timed_run.state == "waiting"
    assert schedule.timed_run.dispatches.get().state == "held"
    page = client.get(f"/approvals/{schedule.timed_run.approval.pk}/")
    assert "rate(5m)" in page.text
    PolicyRule.objects.update(verb="refuse")
    made = SavedCommand.objects.get()
    page = client.post("/schedules/new/", told(made, [Instance.objects.get()]))
    assert client.post("/schedules/new/", carried(page)).status_code == 400
    assert Schedule.objects.count() == 1


def test_two_clicks_make_one_schedule(client, operator):
    page = client.post("/schedules/new/", told(command(operator), [ready()]))
    answers = [client.post("/schedules/new/", carried(page)) for _click in range(2)]
    assert answers[0].url == answers[1].url
    assert (Schedule.objects.count(), Invocation.objects.count()) == (1, 1)


def test_two_clicks_at_the_same_moment_make_one_schedule_too(client, operator, monkeypatch):
    page = client.post("/schedules/new/", told(command(operator), [ready()]))
    make = timed.make

    def beaten(*args, **fields):  # the first click ends between our look and our writing
        make(*args, **fields)
        return make(*args, **fields)

    monkeypatch.setattr(timed, "make", beaten)
    answer = client.post("/schedules/new/", carried(page))

    assert answer.url == Schedule.objects.get().get_absolute_url()
    assert Invocation.objects.count() == 1


def test_a_cron_is_sent_with_its_zone_and_shown_ahead(client, operator):
    fields = {"expression": "0 30 2 L * ?", "zone": "Asia/Shanghai"}
    page = client.post("/schedules/new/", told(command(operator), [ready()], **fields))
    assert page.text.count("18:30:00 UTC") >= 5
    client.post("/schedules/new/", carried(page))
    schedule = Schedule.objects.get()
    assert schedule.timed_run.frequency == "0 30 2 L * ? Asia/Shanghai"
    shown = client.get(schedule.get_absolute_url()).text
    assert shown.count("18:30:00 UTC") >= 5
    assert "knows no pause" in shown
    assert client.post(f"{schedule.get_absolute_url()}change/", {"act": "pause"}).status_code == 404


def test_long_lists_of_times_cost_no_more_questions(
    client, operator, django_assert_max_num_queries
):
    schedule = make(client, [ready()])
    at = timezone.now()
    Fire.objects.bulk_create(
        Fire(schedule=schedule, planned_at=at + timedelta(minutes=n), state="missed", reason="x")
        for n in range(40)
    )
    with django_assert_max_num_queries(25):
        assert client.get(schedule.get_absolute_url()).text.count("missed") >= 40
    with django_assert_max_num_queries(25):
        client.get("/schedules/")
