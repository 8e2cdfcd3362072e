"""Old runs go whole, unless anything that stays refers to them; then what nothing refers to."""

import threading
import time
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from commands import retention
from commands.models import (
    Approval,
    Dispatch,
    Fire,
    Invocation,
    Output,
    RebootItem,
    RebootWave,
    SavedCommand,
    Schedule,
    Target,
    WaveRun,
    digest_of,
)
from diagnostics.models import Readiness, ReadinessRun
from portal.pruning import Walk
from portal.retention import kinds
from tests.commands import a_run
from tests.factories import CaseFactory, InstanceFactory, a_person
from tests.reboots.waiting import waiting

pytestmark = pytest.mark.django_db
LONG_AGO, NOW = timezone.now() - timedelta(days=100), timezone.now()
BEFORE = NOW - timedelta(days=90)
TABLES = (Invocation, Dispatch, Target, Fire, Output, ReadinessRun)


def a_run_of(*outputs: bytes, at=LONG_AGO, **fields) -> Invocation:
    """A run that was over at this time, on one instance for each output."""
    run = a_run.over([(InstanceFactory(), "Success", 0, body) for body in outputs], **fields)
    Invocation.objects.filter(pk=run.pk).update(finished_at=at, asked_at=at)
    return run


def a_schedule(**fields) -> Schedule:
    owner = a_person("operator")
    command = SavedCommand.objects.create(name=f"of {owner}", owner=owner)
    revision = command.revise(by=owner, parameters=[], script="id", type="RunShellScript")
    return Schedule.objects.create(
        **{"name": "hourly", "revision": revision, "zone": "UTC", "owner": owner}
        | {"expression": "0 0 * * * *"}
        | fields
    )


def a_fire(run: Invocation | None, schedule: Schedule, at=LONG_AGO) -> Fire:
    fire = Fire.objects.create(
        schedule=schedule, planned_at=at, state="fired" if run else "missed", invocation=run
    )
    Fire.objects.filter(pk=fire.pk).update(at=at)
    return fire


def prune() -> Walk:
    walk = Walk(BEFORE)
    while not walk.over:
        walk.step()
    return walk


def everything() -> dict[str, list]:
    return {m._meta.label: sorted(m.objects.values_list("pk", flat=True)) for m in TABLES}


def of(run: Invocation) -> list[int]:
    """How much of a run is there."""
    parts = run.dispatches.count(), run.targets.count(), Fire.objects.filter(invocation=run).count()
    return [Invocation.objects.filter(pk=run.pk).count(), *parts]


def test_an_old_run_goes_with_its_dispatches_targets_outputs_and_fire():
    run = a_run_of(b"one", b"two", b"two")
    a_fire(run, a_schedule())
    assert of(run) == [1, 1, 3, 1]
    gone = prune().gone
    assert everything() == {model._meta.label: [] for model in TABLES}
    assert gone == {
        "commands.invocation": 1,
        "commands.dispatch": 1,
        "commands.target": 3,
        "commands.fire": 1,
        "commands.output": 2,
    }


def test_a_young_run_and_one_that_goes_on_stay():
    young, open_one = a_run_of(b"young", at=NOW), a_run_of(b"open")
    Invocation.objects.filter(pk=open_one.pk).update(state="running", finished_at=None)
    before = everything()
    prune()
    assert everything() == before and of(young) == of(open_one) == [1, 1, 1, 0]


def test_a_run_stays_while_somebody_has_to_look_at_it_again():
    run = a_run_of(b"x")
    run.dispatches.update(due_at=NOW)
    prune()
    assert of(run) == [1, 1, 1, 0]


def in_a_wave(run):
    wave = RebootWave.objects.create(batch=waiting().batch, number=1)
    WaveRun.objects.create(wave=wave, invocation=run, purpose="before")


def as_pre_command(run):
    RebootItem.objects.filter(batch=waiting().batch).update(pre_target=run.targets.get())


def as_post_check(run):
    RebootItem.objects.filter(batch=waiting().batch).update(post_target=run.targets.get())


def approved(run):
    Approval.objects.create(invocation=run, digest="x", state="rejected", expires_at=LONG_AGO)


def kept_in_ecs(run):
    a_schedule(kind="ecs", timed_run=run, state="ended")


def of_a_case(run):
    CaseFactory(invocation=run, state="concluded", concluded_at=LONG_AGO)


def newest_readiness(run):
    instance = run.targets.get().instance
    Readiness.objects.create(instance=instance, run=run, tried_at=LONG_AGO)


def with_a_younger_time(run):
    Dispatch.objects.filter(invocation=a_run_of(b"y", at=NOW)).update(fire_of=run.dispatches.get())


REFERRING = {
    "commands.WaveRun.invocation": in_a_wave,
    "commands.RebootItem.pre_target": as_pre_command,
    "commands.RebootItem.post_target": as_post_check,
    "commands.Approval.invocation": approved,
    "commands.Schedule.timed_run": kept_in_ecs,
    "commands.Dispatch.fire_of": with_a_younger_time,
    "diagnostics.DiagnosisCase.invocation": of_a_case,
    "diagnostics.Readiness.run": newest_readiness,
}


@pytest.mark.parametrize("refer", REFERRING.values(), ids=REFERRING)
def test_a_run_that_is_referred_to_stays_whole(refer):
    run, other = a_run_of(b"x"), a_run_of(b"other")
    refer(run)
    kept = of(run)
    assert prune().gone["commands.invocation"] == 1
    assert of(run) == kept == [1, 1, 1, 0] and of(other) == [0, 0, 0, 0]
    assert Output.objects.filter(pk=digest_of(b"x")).exists()


def test_every_relation_to_a_run_was_thought_of():
    assert {str(field) for field, _lookup in retention.referring()} == set(REFERRING)


def test_a_check_of_readiness_goes_with_its_run_once_its_answers_are_read():
    read, unread = a_run_of(b"x"), a_run_of(b"y")
    ReadinessRun.objects.create(run=read, finished_at=LONG_AGO)
    ReadinessRun.objects.create(run=unread, due_at=LONG_AGO)
    prune()
    assert of(read)[0] == 0 and of(unread)[0] == 1
    assert ReadinessRun.objects.get().run == unread


def test_a_run_stays_while_one_that_repeats_it_stays():
    first = a_run_of(b"1")
    second = a_run_of(b"2", rerun_of=first)
    third = a_run_of(b"3", rerun_of=second, at=NOW)
    prune()
    assert [of(run)[0] for run in (first, second, third)] == [1, 1, 1]


@pytest.mark.parametrize("portion", [1, 2, 500])
def test_runs_that_repeat_each_other_go_together(monkeypatch, portion):
    monkeypatch.setattr(retention, "PORTION", portion)
    first = a_run_of(b"1")
    for again in (b"2", b"3"):
        a_run_of(again, rerun_of=a_run_of(b"x", rerun_of=first))
    found = kinds_named("runs").find(BEFORE)
    assert found.rows["commands.invocation"] == 5 and found.oldest == LONG_AGO
    assert prune().gone["commands.invocation"] == 5


def test_what_is_told_before_is_what_goes(monkeypatch):
    monkeypatch.setattr(retention, "PORTION", 3)
    kept = a_run_of(b"kept")
    approved(a_run_of(b"approved", rerun_of=kept))
    for number in range(5):
        a_fire(a_run_of(b"%d" % number, b"a", b"b"), a_schedule())
    a_fire(None, a_schedule())
    before = everything()
    told = (
        kinds_named("runs").find(BEFORE).rows + kinds_named("times of schedules").find(BEFORE).rows
    )
    assert everything() == before
    gone = prune().gone
    del gone["commands.output"]
    assert gone == told and gone["commands.target"] == 15 and gone["commands.fire"] == 6


def kinds_named(name: str):
    return next(kind for kind in kinds() if kind.name == name)


def test_an_output_that_a_younger_run_shares_stays():
    a_run_of(b"shared", b"own")
    young = a_run_of(b"shared", at=NOW)
    prune()
    assert Output.objects.get() == young.targets.get().output


def test_a_time_at_which_nothing_began_goes_when_it_is_old():
    schedule = a_schedule()
    a_fire(None, schedule)
    young = a_fire(None, schedule, at=NOW)
    prune()
    assert Fire.objects.get() == young


@pytest.mark.parametrize("deletes", range(1, 24, 3))
def test_wherever_it_is_killed_each_run_is_whole_or_gone(monkeypatch, deletes):
    monkeypatch.setattr(retention, "PORTION", 1)
    kept = a_run_of(b"kept", b"shared")
    approved(kept)
    runs = [a_run_of(b"shared", b"%d" % number) for number in range(5)]
    killed = patch.object(retention, "_delete", side_effect=dies_after(deletes, retention._delete))
    with killed, pytest.raises(DatabaseError):
        prune()
    there = [of(run) for run in runs]
    assert [1, 1, 2, 0] in there
    assert all(parts in ([1, 1, 2, 0], [0, 0, 0, 0]) for parts in there)
    assert of(kept) == [1, 1, 2, 0]
    prune()
    assert list(Invocation.objects.all()) == [kept]
    assert {output.body() for output in Output.objects.all()} == {b"kept", b"shared"}


def dies_after(calls: int, real):
    made = []

    def delete(rows):
        made.append(rows)
        if len(made) > calls:
            raise DatabaseError("the connection is gone")
        return real(rows)

    return delete


def test_what_is_begun_to_be_referred_to_meanwhile_is_looked_at_again():
    run, first = a_run_of(b"x"), []
    real = retention._delete

    def delete(rows):
        if not first:
            first.append(of_a_case(run))
            raise IntegrityError
        return real(rows)

    with patch.object(retention, "_delete", side_effect=delete):
        # The case was opened in the transaction that is undone: so it goes.
        assert prune().gone["commands.invocation"] == 1
    assert first


@pytest.mark.django_db(transaction=True)
def test_an_output_that_somebody_is_about_to_refer_to_stays():
    """A worker finds it stored; nothing refers to it yet when it is looked for."""
    run = a_run_of(b"old")
    Target.objects.update(output=None)
    found, pruned = threading.Event(), threading.Event()

    def take_out():
        try:
            found.wait(10)
            while not prune_outputs():
                time.sleep(0.05)
        finally:
            pruned.set()
            connection.close()

    other = threading.Thread(target=take_out)
    other.start()
    with transaction.atomic():
        Output.keep([b"old"])
        found.set()
        assert not pruned.wait(0.5)  # it waits for us
        Target.objects.filter(invocation=run).update(output=digest_of(b"old"))
    other.join()
    assert Output.objects.get().body() == b"old"


def prune_outputs() -> bool:
    """False if the database let nobody in: SQLite in memory does not wait."""
    try:
        with transaction.atomic():
            kinds_named("outputs").take_out(BEFORE, "")
    except OperationalError:
        return False
    return True
