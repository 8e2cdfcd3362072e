"""With RETENTION_DAYS set, what is old goes every day, a bounded part of it in one job."""

from datetime import timedelta

import pytest
from django.utils import timezone

from instances.models import SystemEvent
from portal import conductor, jobs, pruning, retention
from portal.audit.models import AuditEntry
from portal.models import Pruning
from portal.retention import Portion
from tests.factories import EventFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
OLD = NOW - timedelta(days=100)


@pytest.fixture(autouse=True)
def ninety_days(settings):
    settings.RETENTION_DAYS = "90"


@pytest.fixture
def events() -> None:
    for _number in range(5):
        EventFactory(published_at=OLD, seen_at=OLD, cycle_status="Executed")


@pytest.fixture
def one_portion_a_job(monkeypatch):
    monkeypatch.setattr(pruning, "AT_A_TIME", 0)
    monkeypatch.setattr(retention, "PORTION", 2)


def job() -> Pruning:
    """The bell rings, now."""
    Pruning.objects.update(due_at=timezone.now())
    jobs.prune(1)
    return Pruning.objects.get()


def entries() -> list[dict]:
    return [entry.details for entry in AuditEntry.objects.filter(act="retention.pruned")]


def test_a_conductor_that_starts_makes_it_due():
    pruning.begin_daily()
    row = Pruning.objects.get()
    assert row.due_at <= timezone.now() and row in conductor._due(Pruning)


def test_one_that_starts_again_changes_nothing(events):
    pruning.begin_daily()
    due_at = job().due_at
    pruning.begin_daily()
    assert Pruning.objects.get().due_at == due_at


def test_without_the_setting_there_is_none(settings):
    settings.RETENTION_DAYS = ""
    pruning.begin_daily()
    assert not Pruning.objects.exists()


def test_it_ends_when_the_setting_is_taken_away(settings, events):
    pruning.begin_daily()
    settings.RETENTION_DAYS = ""
    assert job().due_at is None
    assert SystemEvent.objects.count() == 5 and entries() == []
    settings.RETENTION_DAYS = "90"
    pruning.begin_daily()
    assert Pruning.objects.get().due_at is not None


def test_what_is_old_goes_and_tomorrow_again(events):
    pruning.begin_daily()
    row = job()
    assert not SystemEvent.objects.exists()
    assert timedelta(hours=23) < row.due_at - timezone.now() <= timedelta(days=1)
    assert row.before is None and row.gone == {} and row.ended_at is not None
    assert entries()[0]["gone"] == {"instances.systemevent": 5} and entries()[0]["whole"]
    EventFactory(published_at=OLD, seen_at=OLD, cycle_status="Executed")
    job()
    assert not SystemEvent.objects.exists()
    assert [told["gone"] for told in entries()[::-1]][1] == {"instances.systemevent": 1}


def test_one_job_does_a_part_and_the_next_goes_on(events, one_portion_a_job):
    pruning.begin_daily()
    left = []
    while not entries():
        row = job()
        left.append(SystemEvent.objects.count())
        assert row.gone.get("instances.systemevent", 0) == 5 - left[-1] or entries()
    assert sorted(set(left), reverse=True) == [5, 3, 1, 0]
    assert entries()[0]["gone"] == {"instances.systemevent": 5}


def test_what_a_broken_job_took_out_is_told_once(events, one_portion_a_job, monkeypatch):
    pruning.begin_daily()
    while not Pruning.objects.get().gone:
        job()
    real = retention.Kind.take_out

    def breaks(kind, before, after) -> Portion:
        real(kind, before, after)
        raise RuntimeError("the worker is killed after the DELETE")

    with monkeypatch.context() as patch:
        patch.setattr(retention.Kind, "take_out", breaks)
        row = job()
    assert row.attempts == 1 and "RuntimeError" in row.last_error
    assert SystemEvent.objects.count() == 3 and row.gone == {"instances.systemevent": 2}
    while not entries():
        job()
    assert [told["gone"] for told in entries()] == [{"instances.systemevent": 5}]


def test_a_setting_that_grew_holds_for_what_is_under_way(events, settings):
    before = NOW - timedelta(days=90)
    Pruning.objects.create(pk=1, due_at=NOW, before=before, kind="system events")
    settings.RETENTION_DAYS = "365"
    job()
    assert SystemEvent.objects.count() == 5


def test_what_another_version_began_is_begun_anew(events):
    Pruning.objects.create(pk=1, due_at=NOW, kind="a kind of old", after="zzz")
    job()
    assert not SystemEvent.objects.exists()


def test_whoever_was_taken_over_takes_nothing_out(events, monkeypatch):
    pruning.begin_daily()
    real = retention.Kind.take_out

    def slow(kind, before, after) -> Portion:
        Pruning.objects.update(fence=1000)
        return real(kind, before, after)

    monkeypatch.setattr(retention.Kind, "take_out", slow)
    job()
    assert SystemEvent.objects.count() == 5 and entries() == []
