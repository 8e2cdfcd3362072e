"""Readiness of demo machines: their own answers, through the real SDK over HTTP."""

from datetime import timedelta

import pytest

from diagnostics.models import Readiness, ReadinessRun
from diagnostics.readiness import jobs
from diagnostics.readiness.checks import MISSING, OK
from instances import ecs
from portal.audit.models import AuditEntry

from .conftest import checked, fleet

pytestmark = pytest.mark.django_db


def told(name: str) -> dict[str, dict]:
    row = Readiness.objects.get(instance__name=name)
    return {check["name"]: check for check in row.checks}


def state(name: str, check: str) -> str:
    return told(name)[check]["state"]


def test_machines_with_and_without_kdump_tell_so(cloud, sandbox_needed, monkeypatch):
    monkeypatch.setattr(jobs, "PORTION", 2)
    checked(fleet(cloud, "cache-01", "web-01", "api-02", "erp-01", "sql-01", "file-01"))
    assert Readiness.objects.get(lacks=0).instance.name == "cache-01"
    assert state("web-01", "crash_kernel") == OK
    assert state("web-01", "journal") == MISSING
    assert told("web-01")["crash_kernel"]["line"] == "crash_loaded=1"
    unready = [r.instance.name for r in Readiness.objects.with_check("crash_kernel", MISSING)]
    assert unready == ["api-02"]
    assert state("erp-01", "dump_enabled") == OK
    assert state("sql-01", "dump_enabled") == MISSING
    assert state("file-01", "page_file") == MISSING
    counts = Readiness.objects.counts()
    assert counts["dump_enabled"] == {"missing": 1, "unknown": 0, "ok": 2}
    assert counts["crash_kernel"] == {"missing": 1, "unknown": 0, "ok": 2}


def test_a_newer_answer_replaces_the_row_and_an_older_one_does_not(cloud):
    rows = fleet(cloud, "sql-01")
    (first,) = checked(rows)
    kept = Readiness.objects.get()
    (second,) = checked(rows)
    newer = Readiness.objects.get()
    assert (kept.run, newer.run, newer.pk) == (first, second, kept.pk)
    Readiness.keep(rows[0], [], at=newer.as_of - timedelta(hours=1), family="windows", run=first)
    assert Readiness.objects.get().run == second


def test_reading_the_same_answers_twice_changes_nothing(cloud):
    (run,) = checked(fleet(cloud, "erp-01"))
    kept = Readiness.objects.values().get()
    ReadinessRun.objects.filter(run=run).update(finished_at=None, read_to=0, due_at=kept["as_of"])
    for _turn in range(2):
        jobs.read_answers(ReadinessRun.objects.get().pk)
    assert Readiness.objects.values().get() == kept
    assert ReadinessRun.objects.get().finished_at is not None


def test_a_machine_that_does_not_answer_keeps_what_was_known_and_why(cloud):
    rows = fleet(cloud, "erp-01")
    checked(rows)
    known = Readiness.objects.get()
    refusal = {"kind": "error", "operation": "RunCommand", "status": 403, "code": "Forbidden.RAM"}
    cloud.faults(refusal)
    checked(rows)
    row = Readiness.objects.get()
    assert (row.as_of, row.checks) == (known.as_of, known.checks)
    assert row.tried_at > known.tried_at
    assert "Forbidden" in row.trouble


def test_the_mode_of_diagnosis_suffices_and_less_does_not(cloud):
    rows = fleet(cloud, "erp-01")
    ecs.configure(endpoint=cloud.endpoint, mode="observe")
    checked(rows)
    row = Readiness.objects.get()
    assert row.as_of is None and "PORTAL_MODE=observe" in row.trouble
    ecs.configure(endpoint=cloud.endpoint, mode="diagnose")
    checked(rows)
    row.refresh_from_db()
    assert row.as_of is not None and row.trouble == ""


def test_whoever_asks_stands_in_the_audit(cloud, django_user_model):
    person = django_user_model.objects.create(username="lihua", is_superuser=True)
    (run,) = checked(fleet(cloud, "erp-01"), by=person)
    entry = AuditEntry.objects.get(act="readiness.asked")
    assert (entry.actor_label, entry.details["instances"]) == ("lihua", 1)
    assert run.asked_by == person
