"""What was sent stays as it was; whoever got it is named when the verdict changes."""

import hashlib
import json

import pytest
from django.core.management import call_command

from diagnostics import sending
from diagnostics.models import DiagnosisCase, SentDocument, SentReport
from diagnostics.report import rendered
from portal.audit.models import AuditEntry
from tests.diagnostics.cases.kept import as_older_analyzers_saw_it, judged_case
from tests.factories import a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def support():
    return a_person("support")


@pytest.fixture
def outdated():
    """A case whose verdict today's analyzers will change."""
    return as_older_analyzers_saw_it(judged_case())


def send(client, case, **told):
    told = {"copy": "customer", "sent_to": "li@customer.example", "version": 1, **told}
    return client.post(f"/cases/{case.pk}/send/", told)


def test_exactly_what_was_sent_is_kept_with_hash_version_receiver_and_sender(client, support):
    case = judged_case()
    shown = {form: rendered(case, "customer", form) for form in ("md", "html", "json")}
    client.force_login(support)
    answer = send(client, case, note="ticket 17")
    kept = SentReport.objects.get()
    assert answer.status_code == 302 and answer.url == kept.get_absolute_url()
    assert (kept.judging.number, kept.copy, kept.sent_by) == (1, "customer", support)
    assert (kept.sent_to, kept.note, kept.outdated_at) == ("li@customer.example", "ticket 17", None)
    for document in kept.documents.all():
        body = shown[document.form].encode()
        assert document.body() == body
        assert document.sha256 == hashlib.sha256(body).hexdigest()
    entry = AuditEntry.objects.get(act="report.sent")
    assert entry.actor == support and entry.details["sent_to"] == "li@customer.example"
    assert set(entry.details["sha256"]) == {"md", "html", "json"}


def test_judged_anew_the_sent_report_stays_and_the_case_gets_a_new_version(
    client, support, outdated, capsys
):
    client.force_login(support)
    send(client, outdated)
    kept = SentReport.objects.get()
    before = {
        each.form: client.get(f"/cases/sent/{kept.pk}/report.{each.form}").content
        for each in kept.documents.all()
    }
    assert set(before) == {"md", "html", "json"}

    call_command("rejudge", "--apply")
    assert "tell li@customer.example: has the customer copy of version 1" in capsys.readouterr().out
    for form, body in before.items():
        assert client.get(f"/cases/sent/{kept.pk}/report.{form}").content == body
    case = DiagnosisCase.objects.get(pk=outdated.pk)
    old, new = json.loads(before["json"]), json.loads(rendered(case, "customer", "json"))
    assert (old["version"], old["verdict"]["kind"]) == (1, "hang")
    assert (new["version"], new["verdict"]["kind"]) == (2, "kernel_panic")

    page = client.get(kept.get_absolute_url()).content.decode()
    assert "A newer version says otherwise" in page
    page = client.get(case.get_absolute_url()).content.decode()
    assert "A newer version says otherwise: tell them." in page
    assert "li@customer.example has version 1" in page
    page = client.get("/cases/sent/?show=tell").content.decode()
    assert "1 receiver has a report that a newer version contradicts." in page
    assert "li@customer.example" in page


def test_whoever_got_the_new_version_has_been_told(client, support, outdated):
    client.force_login(support)
    send(client, outdated)
    call_command("rejudge", "--apply")
    send(client, outdated, version=2, sent_to="LI@customer.example")
    old, new = SentReport.objects.order_by("pk")
    assert old.outdated_at and not new.outdated_at
    assert list(SentReport.objects.to_tell()) == []
    assert "tell them" not in client.get(outdated.get_absolute_url()).content.decode()


def test_a_judging_that_says_the_same_outdates_nothing(client, support):
    case = judged_case()
    client.force_login(support)
    send(client, case)
    DiagnosisCase.objects.update(signature="older:way:to:write:it", read_by="")
    call_command("rejudge", "--apply")
    case.refresh_from_db()
    assert case.judgings.count() == 2 and case.signature != "older:way:to:write:it"
    assert SentReport.objects.get().outdated_at is None


def test_a_verdict_that_returns_is_told_as_before_again(client, support, outdated):
    client.force_login(support)
    send(client, outdated)
    call_command("rejudge", "--apply")
    assert SentReport.objects.get().outdated_at
    from diagnostics import history

    columns = history.verdict_of(outdated)  # the old verdict
    case = DiagnosisCase.objects.get(pk=outdated.pk)
    history.keep(case, columns, occasion="again", rests_on="", root_cause={})
    assert SentReport.objects.get().outdated_at is None


def test_a_verdict_that_changed_while_the_form_was_open_is_not_sent_unseen(
    client, support, outdated
):
    client.force_login(support)
    call_command("rejudge", "--apply")
    answer = send(client, outdated, version=1)
    assert answer.status_code == 400
    assert "judged again in the meantime" in answer.content.decode()
    assert not SentReport.objects.exists()


def test_a_double_click_keeps_it_once(client, support):
    case = judged_case()
    client.force_login(support)
    first, second = send(client, case), send(client, case)
    assert first.url == second.url and SentReport.objects.count() == 1
    assert AuditEntry.objects.filter(act="report.sent").count() == 1


@pytest.mark.parametrize("told", [{"sent_to": ""}, {"sent_to": "a\nb"}, {"copy": "secret"}])
def test_a_form_that_is_filled_wrongly_keeps_nothing(client, support, told):
    case = judged_case()
    client.force_login(support)
    assert send(client, case, **told).status_code == 400
    assert not SentReport.objects.exists()


def test_an_internal_copy_is_for_those_who_read_evidence(client, support):
    case = judged_case()
    kept = sending.mark_sent(
        case, by=support, via="page", version=1, copy="internal", sent_to="the team"
    )
    client.force_login(a_person("viewer"))
    assert client.get(kept.get_absolute_url()).status_code == 403
    assert client.get(f"/cases/sent/{kept.pk}/report.md").status_code == 403
    assert "the team" not in client.get("/cases/sent/").content.decode()
    client.force_login(support)
    assert client.get(kept.get_absolute_url()).status_code == 200


def test_reports_of_instances_that_one_does_not_see_are_not_there(client, support):
    kept = sending.mark_sent(
        judged_case(), by=support, via="page", version=1, copy="customer", sent_to="li"
    )
    client.force_login(a_person("support", region="cn-elsewhere"))
    assert client.get(kept.get_absolute_url()).status_code == 404
    assert client.get(f"/cases/{kept.case_id}/send/").status_code == 404
    assert "li" not in client.get("/cases/sent/?csv=1").getvalue().decode().split(",")


def test_a_document_that_was_changed_in_the_database_is_not_shown_as_sent(client, support):
    kept = sending.mark_sent(
        judged_case(), by=support, via="page", version=1, copy="customer", sent_to="li"
    )
    other = SentDocument.of(kept, "md", "another story")
    SentDocument.objects.filter(form="md").update(packed=other.packed)
    with pytest.raises(ValueError, match="SHA-256 differs"):
        kept.documents.get(form="md").body()
    client.force_login(support)
    answer = client.get(kept.get_absolute_url())
    assert answer.status_code == 200 and "another story" not in answer.content.decode()
    assert "changed after it was sent" in answer.content.decode()
    assert client.get(f"/cases/sent/{kept.pk}/report.md").status_code == 409
