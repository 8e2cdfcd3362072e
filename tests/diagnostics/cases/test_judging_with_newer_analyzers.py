"""Old evidence, today's analyzers: what would change is listed, and written only when asked for."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from diagnostics import judging, rejudging, version
from diagnostics.models import DiagnosisCase, Evidence, Finding, Judging
from portal import cli
from portal.audit.models import AuditEntry
from tests.diagnostics.cases.kept import OLDER, as_older_analyzers_saw_it, judged_case
from tests.factories import CaseFactory, a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def outdated():
    return as_older_analyzers_saw_it(judged_case())


def rejudge(capsys, *arguments) -> str:
    call_command("rejudge", *arguments)
    return capsys.readouterr().out


def as_json(capsys, *arguments) -> dict:
    return json.loads(rejudge(capsys, "--format", "json", *arguments))


def everything() -> list:
    return [
        list(model.objects.order_by("pk").values())
        for model in (DiagnosisCase, Judging, Finding, Evidence, AuditEntry)
    ]


def test_a_verdict_that_would_change_is_listed_and_nothing_is_written(capsys, outdated):
    before = everything()
    said = rejudge(capsys)
    assert f"case {outdated.pk} " in said
    assert (
        "hang soft_lockup schedule" in said and "-> kernel_panic null_deref nvme_queue_rq" in said
    )
    assert "why: " in said and "1 would change" in said and "--apply" in said
    assert everything() == before


def test_applied_the_new_verdict_stands_and_the_old_one_is_kept(capsys, outdated):
    told = as_json(capsys, "--apply")
    assert told["counts"]["changed"] == 1 and told["applied"] is True
    assert told["cases"][0]["before"]["kind"] == "hang"
    assert told["cases"][0]["after"]["function"] == "nvme_queue_rq"

    case = DiagnosisCase.objects.get(pk=outdated.pk)
    assert (case.kind, case.function) == ("kernel_panic", "nvme_queue_rq")
    assert (case.state, case.read_by) == ("concluded", version.analyzers())
    old, new = case.judgings.order_by("number")
    assert (old.number, old.kind, old.analyzers, old.occasion) == (1, "hang", OLDER, "first")
    assert (new.number, new.kind, new.analyzers) == (2, "kernel_panic", version.analyzers())
    assert new.occasion == "rejudged" and new.rests_on.startswith("panic.")
    assert "nvme_queue_rq" in new.cause


def test_the_act_stands_in_the_audit(capsys, outdated):
    person = a_person("support")
    rejudge(capsys, "--apply", "--as", person.username)
    entry = AuditEntry.objects.get(act="case.rejudged")
    assert entry.actor == person and entry.via == "command"
    assert entry.details["before"]["kind"] == "hang"
    assert entry.details["after"]["kind"] == "kernel_panic"
    assert Judging.objects.get(number=2).by == person


def test_a_second_run_changes_nothing(capsys, outdated):
    judged_case()  # and one whose verdict stays
    rejudge(capsys, "--apply", "--again")
    before = everything()
    told = as_json(capsys, "--apply", "--again")
    assert (told["read"], told["counts"]["same"]) == (2, 2)
    assert as_json(capsys, "--apply")["read"] == 0
    assert everything() == before


def test_a_run_that_was_broken_off_goes_on_where_it_stopped(outdated, monkeypatch):
    later = as_older_analyzers_saw_it(judged_case())
    read = judging.read

    def dies_at_the_second(case):
        if case.pk == later.pk:
            raise KeyboardInterrupt
        return read(case)

    monkeypatch.setattr(judging, "read", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        list(rejudging.rejudged(rejudging.due(DiagnosisCase.objects), apply=True, via="command"))
    monkeypatch.undo()
    left = list(rejudging.rejudged(rejudging.due(DiagnosisCase.objects), apply=True, via="command"))
    assert [outcome.case.pk for outcome in left] == [later.pk]


def test_time_that_passes_changes_no_verdict(capsys, time_machine):
    case = judged_case()
    time_machine.move_to(timezone.now() + timedelta(days=400))
    told = as_json(capsys, "--case", str(case.pk))
    assert told["counts"] == {"same": 1, "changed": 0, "unreadable": 0, "busy": 0}


def test_a_case_without_kept_judgings_gets_its_old_verdict_kept_first(capsys, outdated):
    Judging.objects.all().delete()
    rejudge(capsys, "--apply")
    assert [(row.number, row.kind, row.analyzers) for row in outdated.judgings.all()] == [
        (1, "hang", ""),
        (2, "kernel_panic", version.analyzers()),
    ]


def test_evidence_that_cannot_be_read_leaves_the_old_verdict(capsys, outdated):
    Evidence.objects.update(packed=b"no zlib")
    other = as_older_analyzers_saw_it(judged_case())
    told = as_json(capsys, "--apply")
    assert [each["result"] for each in told["cases"]] == ["unreadable", "changed"]
    assert "error" in told["cases"][0]["why"]
    assert told["cases"][1]["case"] == other.pk
    outdated.refresh_from_db()
    assert (outdated.kind, outdated.read_by) == ("hang", OLDER)


def test_a_case_whose_reading_failed_is_read_again(capsys):
    from diagnostics.models import CaseState
    from portal import work

    case = judged_case()
    rows = DiagnosisCase.objects.filter(pk=case.pk)
    rows.update(state=CaseState.JUDGING, due_at=timezone.now())
    judging.conclude_without_analysis(work.claim(DiagnosisCase, case.pk))
    case.refresh_from_db()
    assert case.kind != "kernel_panic" and case.read_by == ""
    rejudge(capsys, "--apply")
    case.refresh_from_db()
    assert case.kind == "kernel_panic"
    assert list(case.judgings.order_by("number").values_list("kind", flat=True))[::2] == [
        "kernel_panic",
        "kernel_panic",
    ]


def test_an_analyzer_that_breaks_overturns_no_verdict(capsys, outdated, monkeypatch):
    from diagnostics.analyzers import registry

    def breaks(*evidence):
        raise ZeroDivisionError("in a new rule")

    for name in [name for name in registry.ANALYZERS if name.startswith("panic.")]:
        monkeypatch.setitem(registry.ANALYZERS, name, (breaks, registry.ANALYZERS[name][1]))
    told = as_json(capsys, "--apply")
    assert told["cases"][0]["result"] == "unreadable"
    assert "in a new rule" in told["cases"][0]["why"]
    outdated.refresh_from_db()
    assert outdated.kind == "hang"


def test_evidence_that_came_in_the_meantime_is_not_passed_over(outdated, monkeypatch):
    read = judging.read

    def somebody_hands_in(case):
        opinion = read(case)
        Evidence.objects.create(
            case=case, name="upload-2", origin="upload", kind="text", **Evidence.pack(b"more")
        )
        return opinion

    monkeypatch.setattr(judging, "read", somebody_hands_in)
    due = rejudging.due(DiagnosisCase.objects)
    assert [o.result for o in rejudging.rejudged(due, apply=True, via="command")] == ["busy"]
    outdated.refresh_from_db()
    assert outdated.kind == "hang" and outdated.judgings.count() == 1


def test_a_case_that_is_being_judged_is_left_to_its_worker(outdated, monkeypatch):
    read = judging.read

    def somebody_asks_for_it(case):
        DiagnosisCase.objects.filter(pk=case.pk).update(state="judging")
        return read(case)

    monkeypatch.setattr(judging, "read", somebody_asks_for_it)
    due = rejudging.due(DiagnosisCase.objects)
    assert [o.result for o in rejudging.rejudged(due, apply=True, via="command")] == ["busy"]


def test_only_cases_since_a_day_are_read(capsys, outdated):
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert as_json(capsys, "--since", str(tomorrow))["read"] == 0
    assert as_json(capsys, "--since", str(timezone.localdate() - timedelta(days=1)))["read"] == 1


@pytest.mark.parametrize("words", ["yesterday", "2026-13-01", ""])
def test_a_since_that_is_no_time_is_refused(words):
    with pytest.raises(cli.BadUsage, match="--since: a date or time is allowed"):
        call_command("rejudge", "--since", words)


def test_cases_that_do_not_exist_or_are_not_concluded_are_named(outdated):
    waiting = CaseFactory()
    with pytest.raises(cli.BadUsage, match="there is no case 999999"):
        call_command("rejudge", "--case", str(outdated.pk), "999999")
    with pytest.raises(cli.BadUsage, match=f"not concluded yet: {waiting.pk}"):
        call_command("rejudge", "--case", str(waiting.pk))


def test_a_person_rejudges_only_what_they_see(capsys, outdated):
    narrow = a_person("support", region="cn-elsewhere")
    assert as_json(capsys, "--as", narrow.username)["read"] == 0
    with pytest.raises(cli.BadUsage, match="there is no case"):
        call_command("rejudge", "--case", str(outdated.pk), "--as", narrow.username)


def test_a_viewer_may_not(outdated):
    with pytest.raises(cli.BadUsage, match="lacks the permission"):
        call_command("rejudge", "--as", a_person("viewer").username)


def test_many_cases_are_walked_in_batches(monkeypatch):
    monkeypatch.setattr(rejudging, "BATCH", 2)
    keys = [judged_case().pk for _ in range(5)]
    with CaptureQueriesContext(connection) as queries:
        found = rejudging.rejudged(
            rejudging.due(DiagnosisCase.objects, again=True), apply=False, via="command"
        )
        assert [outcome.case.pk for outcome in found] == keys
    walks = [q for q in queries if q["sql"].endswith("LIMIT 2")]
    assert len(walks) == 4  # 2 + 2 + 1, and the empty one that ends it


def test_a_step_does_not_seem_to_last_until_it_was_judged_again(capsys, outdated):
    before = dict(outdated.steps.values_list("key", "finished_at"))
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert as_json(capsys, "--apply")["counts"]["changed"] == 1
    assert dict(outdated.steps.values_list("key", "finished_at")) == before
