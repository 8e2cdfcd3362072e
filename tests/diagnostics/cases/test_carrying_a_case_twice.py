"""A stage may be carried out twice, or be cut off anywhere: the case ends once, with one answer."""

import random

import pytest
from django.db import transaction
from django.utils import timezone

from diagnostics import cases, jobs, judging
from diagnostics.models import DiagnosisCase, Evidence, Finding
from diagnostics.verdicts import KINDS
from portal.audit.models import AuditEntry
from portal.notices.models import Notification
from tests.diagnostics.cases.conftest import carried, mirrored, opened
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(cloud, sandbox_needed, db):
    return mirrored(cloud, "api-01")


def runs(cloud) -> int:
    return sum(cloud.counters()["scripts"].get("linux", {}).values())


def test_a_second_bell_after_the_end_changes_nothing(cloud, api):
    case = carried(opened(api))
    before = runs(cloud)
    DiagnosisCase.objects.filter(pk=case.pk).update(due_at=timezone.now())
    jobs.advance(case.pk)
    again = DiagnosisCase.objects.get(pk=case.pk)
    assert (again.concluded_at, again.due_at) == (case.concluded_at, None)
    assert runs(cloud) == before


def test_who_opened_it_is_told_the_verdict_once(cloud, api, settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    person = UserFactory(email="support@example.com")
    case = carried(opened(api, opened_by=person))
    row = Notification.objects.get()
    assert (row.event, row.person, row.url) == ("case.finished", person, case.get_absolute_url())
    assert row.title == f"{case}: {KINDS[case.kind]}" and row.body
    cases.judge_again(case, by=person, via="page")
    carried(case)
    assert Notification.objects.count() == 1


class Killed(BaseException):
    """As sudden as a kill: nothing catches it on the way."""


def test_a_worker_that_dies_at_any_write_leaves_a_case_that_ends_once(cloud, api, monkeypatch):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    whole = transaction.Atomic.__exit__
    before, countdown = runs(cloud), [0]

    def dying(self, kind, *rest):
        countdown[0] -= 1
        if countdown[0] == 0 and kind is None:
            whole(self, Killed, Killed(), None)
            raise Killed
        return whole(self, kind, *rest)

    case, deaths = opened(api), 0
    monkeypatch.setattr(transaction.Atomic, "__exit__", dying)
    for _turn in range(60):
        countdown[0] = dice.randint(1, 12) if deaths < 12 else 0
        due = {"due_at": timezone.now(), "lease_until": None, "attempts": 0}
        DiagnosisCase.objects.filter(pk=case.pk).exclude(state="concluded").update(**due)
        try:
            jobs.advance(case.pk)
            if case.invocation_id or DiagnosisCase.objects.get(pk=case.pk).invocation_id:
                carry_run(case)
        except Killed:
            deaths += 1
        case.refresh_from_db()
        if case.over:
            break
    assert case.over and deaths
    assert case.kind == "kernel_panic"
    assert runs(cloud) <= before + 1
    assert case.steps.count() == 10
    names = list(Evidence.objects.filter(case=case).values_list("name", flat=True))
    assert len(names) == len(set(names))


def carry_run(case) -> None:
    from commands import jobs as command_jobs

    case.refresh_from_db()
    for dispatch in case.invocation.dispatches.all():
        type(dispatch).objects.filter(pk=dispatch.pk).exclude(state="finished").update(
            due_at=timezone.now(), lease_until=None
        )
        command_jobs.carry_on(dispatch.pk)


def test_judging_again_replaces_the_findings_in_one_transaction(cloud, api, support):
    case = carried(opened(api))
    first = [(f.code, f.title) for f in case.findings.all()]
    cases.judge_again(case, by=support, via="page")
    case.refresh_from_db()
    assert case.state == "judging" and case.bell() == ("diagnostics.jobs.judge", "analyze")
    jobs.judge(case.pk)
    case.refresh_from_db()
    assert case.over and [(f.code, f.title) for f in case.findings.all()] == first
    assert AuditEntry.objects.filter(act="case.judged_again").count() == 1


def test_a_judging_that_fails_keeps_the_old_findings(cloud, api, support, monkeypatch):
    case = carried(opened(api))
    kept = Finding.objects.filter(case=case).count()
    cases.judge_again(case, by=support, via="page")
    monkeypatch.setattr(judging, "_tell_steps", lambda *args: 1 / 0)
    jobs.judge(case.pk)
    case.refresh_from_db()
    assert Finding.objects.filter(case=case).count() == kept > 0
    assert case.state == "judging" and "ZeroDivisionError" in case.last_error


def test_big_evidence_goes_to_the_queue_for_it(cloud, api, monkeypatch):
    monkeypatch.setattr("diagnostics.pipeline.INLINE", 10)
    case = opened(api)
    for _turn in range(30):
        jobs.advance(case.pk)
        case.refresh_from_db()
        if case.state == "judging":
            break
        carry_run(case)
    assert case.bell() == ("diagnostics.jobs.judge", "analyze")
    jobs.judge(case.pk)
    case.refresh_from_db()
    assert case.kind == "kernel_panic"
