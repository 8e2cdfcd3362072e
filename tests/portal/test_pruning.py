"""`manage.py prune` takes out what is old and nothing else; without --apply it only looks."""

import json
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import get_resolver
from django.utils import timezone

from commands.models import RebootItem
from instances.models import Instance, SystemEvent
from portal import cli, pruning, retention
from portal.audit import chain
from portal.audit.models import AuditEntry
from portal.models import Heartbeat
from portal.notices.models import Channel, Kind, Notification
from portal.retention import Portion
from tests.factories import CaseFactory, EventFactory
from tests.reboots.waiting import waiting

pytestmark = pytest.mark.django_db
NOW = timezone.now()
OLD, YOUNG = NOW - timedelta(days=100), NOW - timedelta(days=80)


def prune(*words: str) -> None:
    call_command("prune", "--days", "90", *words)


def applied() -> None:
    prune("--apply")


def an_event(**told) -> SystemEvent:
    told = {"published_at": OLD, "seen_at": OLD, "cycle_status": "Executed"} | told
    return EventFactory(**told)


def a_message(**told) -> Notification:
    channel = Channel.objects.get(kind=Kind.PEOPLE)
    said = {"once": f"case.finished:{Notification.objects.count()}", "event": "case.finished"}
    said |= {"severity": 0, "state": "sent", "sent_at": OLD, "channel": channel} | told
    return Notification.objects.create(key=said["once"], **said)


def everything() -> dict[str, list]:
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
    }


def a_world() -> None:
    an_event()
    a_message()
    Session.objects.create(session_key="old", session_data="", expire_date=OLD)
    Heartbeat.objects.create(role="conductor", host="a", pid=1, started_at=OLD, at=OLD)


def test_without_apply_nothing_changes_and_it_is_told_what_would_go(capsys):
    a_world()
    before = everything()
    prune("--format", "json")
    told = json.loads(capsys.readouterr().out)
    prune()
    assert everything() == before
    found = {kind["kind"]: kind for kind in told["kinds"]}
    assert not told["applied"] and len(found) == len(retention.kinds())
    assert found["system events"]["rows"] == {"instances.systemevent": 1}
    assert found["system events"]["oldest"].startswith(OLD.strftime("%Y-%m-%d"))
    assert found["runs"] == {"kind": "runs", "rows": {}, "oldest": None}
    assert "instances.systemevent" in capsys.readouterr().out


def test_with_apply_it_goes_and_the_audit_says_what(capsys):
    a_world()
    applied()
    assert not SystemEvent.objects.exists() and not Notification.objects.exists()
    assert not Session.objects.exists() and not Heartbeat.objects.exists()
    entry = AuditEntry.objects.get(act="retention.pruned")
    assert entry.actor_label.startswith("shell") and entry.via == "command"
    assert entry.details["whole"] and entry.details["gone"] == {
        "instances.systemevent": 1,
        "notices.notification": 1,
        "sessions.session": 1,
        "portal.heartbeat": 1,
    }
    assert list(chain.problems()) == []
    assert "instances.systemevent" in capsys.readouterr().out


def test_it_goes_portion_by_portion(monkeypatch):
    monkeypatch.setattr(retention, "PORTION", 2)
    for _number in range(5):
        an_event()
    portions = []
    real = retention.Kind.take_out

    def take_out(kind, before, after):
        taken = real(kind, before, after)
        portions.append(taken.gone["instances.systemevent"])
        return taken

    monkeypatch.setattr(retention.Kind, "take_out", take_out)
    applied()
    assert [count for count in portions if count] == [2, 2, 1]


def test_one_that_is_broken_off_says_in_the_audit_how_far_it_came(monkeypatch):
    a_world()

    def breaks(kind, before, after) -> Portion:
        if kind.name == "sessions":
            raise KeyboardInterrupt
        return real(kind, before, after)

    real = retention.Kind.take_out
    monkeypatch.setattr(retention.Kind, "take_out", breaks)
    with pytest.raises(KeyboardInterrupt):
        applied()
    entry = AuditEntry.objects.get(act="retention.pruned")
    assert not entry.details["whole"] and Session.objects.exists()
    assert entry.details["gone"] == {"instances.systemevent": 1, "notices.notification": 1}


@pytest.mark.parametrize("days", ["29", "0", "-1", "x", "36501", "9" * 5000, ""])
def test_what_is_no_sound_number_of_days_is_refused(days):
    a_world()
    before = everything()
    with pytest.raises(CommandError) as refused:
        call_command("prune", "--apply", f"--days={days}")
    assert refused.value.returncode == cli.USAGE and everything() == before


def test_with_neither_days_nor_the_setting_everything_is_kept(settings):
    settings.RETENTION_DAYS = ""
    with pytest.raises(CommandError, match="everything is kept") as refused:
        call_command("prune", "--apply")
    assert refused.value.returncode == cli.USAGE


def test_the_setting_says_how_long(settings, capsys):
    settings.RETENTION_DAYS = "120"
    an_event()
    call_command("prune", "--apply")
    assert SystemEvent.objects.exists()
    settings.RETENTION_DAYS = "90"
    call_command("prune", "--apply")
    assert not SystemEvent.objects.exists()


def test_it_is_done_from_the_command_line_only():
    names = [str(name) for name in get_resolver().reverse_dict]
    assert not [name for name in names if "prun" in name or "retention" in name]


@pytest.mark.parametrize("status", ["Inquiring", "Scheduled", "Executing"])
def test_an_event_that_is_not_over_stays_while_its_instance_is_there(status):
    kept = an_event(cycle_status=status)
    gone = an_event(cycle_status=status)
    Instance.objects.filter(pk=gone.instance_id).update(released_at=OLD)
    applied()
    assert SystemEvent.objects.get() == kept


@pytest.mark.parametrize("time", ["seen_at", "published_at", "finished_at"])
def test_an_event_with_any_younger_time_stays(time):
    an_event(**{time: YOUNG})
    applied()
    assert SystemEvent.objects.exists()


def test_an_event_of_an_instance_that_had_a_case_stays():
    event = an_event()
    CaseFactory(instance=event.instance, state="concluded", concluded_at=OLD)
    loose = an_event(instance=None, account=event.account, region="cn-x", instance_id_text="i-x")
    CaseFactory(instance=None, account=None, region="", instance_text="i-x")
    an_event()
    applied()
    assert set(SystemEvent.objects.all()) == {event, loose}


def test_an_event_that_a_batch_of_reboots_was_made_for_stays():
    event = an_event()
    RebootItem.objects.filter(batch=waiting().batch).update(event_id=event.event_id)
    applied()
    assert SystemEvent.objects.get() == event


@pytest.mark.parametrize("state", ["waiting", "failed", "given_up"])
def test_a_message_that_was_not_delivered_stays(state):
    a_message(state=state, sent_at=None)
    Notification.objects.update(made_at=OLD)
    applied()
    assert Notification.objects.exists()


def test_a_young_message_stays():
    a_message(sent_at=YOUNG)
    applied()
    assert Notification.objects.exists()


def test_a_message_of_what_still_lasts_stays_until_its_end_was_told():
    lasts = a_message(event="sync.stopped", once="sync.stopped:1:x")
    a_message(event="sync.stopped", once="sync.stopped:2:x")
    end = a_message(event="back_to_normal", once="back_to_normal:sync.stopped:2:x", sent_at=YOUNG)
    applied()
    assert set(Notification.objects.all()) == {lasts, end}


def test_only_expired_sessions_go():
    tomorrow = NOW + timedelta(days=1)
    Session.objects.create(session_key="open", session_data="", expire_date=tomorrow)
    Session.objects.create(session_key="over", session_data="", expire_date=NOW)
    applied()
    assert Session.objects.get().session_key == "open"


def test_old_wrong_passwords_go():
    for name, at in (("old", OLD), ("young", YOUNG)):
        row = AccessAttempt.objects.create(username=name, failures_since_start=1)
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=at)
    applied()
    assert AccessAttempt.objects.get().username == "young"


def test_the_heartbeat_of_a_host_goes_when_it_is_silent_for_longer_than_a_day():
    for host, hours in (("alive", 0), ("quiet", 23), ("replaced", 25)):
        at = NOW - timedelta(hours=hours)
        Heartbeat.objects.create(role="conductor", host=host, pid=1, started_at=OLD, at=at)
    applied()
    assert set(Heartbeat.objects.values_list("host", flat=True)) == {"alive", "quiet"}


def test_old_jobs_of_the_queue_go_when_they_ended_well():
    task = apps.get_model("django_q.Task")
    for key, well, at in (("a", True, OLD), ("b", True, YOUNG), ("c", False, OLD)):
        task.objects.create(id=key, name=key, func="f", success=well, started=at, stopped=at)
    applied()
    assert set(task.objects.values_list("pk", flat=True)) == {"b", "c"}


def test_the_audit_stays():
    pruning.record(pruning.Walk(OLD), actor="x", via="command")
    applied()
    assert AuditEntry.objects.count() == 2
