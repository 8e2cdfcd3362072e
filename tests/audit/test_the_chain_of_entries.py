"""What was done cannot be undone in the record, not even by who holds the database."""

import io
import json
import logging
import os
import threading

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from portal import audit
from portal.audit import chain
from portal.audit.models import AppendOnly, AuditEntry
from tests.factories import ScopeFactory, UserFactory

pytestmark = pytest.mark.django_db


def entries(number: int) -> list[AuditEntry]:
    bo = UserFactory(username="bo")
    subject = ScopeFactory(user=bo)
    return [
        audit.record(actor=bo, act="case.opened", subject=subject, via="page", place=place)
        for place in range(number)
    ]


def sql(text: str, *values: object) -> None:
    """What somebody with the database, but without the key, can do."""
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def test_an_entry_says_who_did_what_to_what():
    entry = AuditEntry.objects.get(pk=entries(1)[0].pk)
    assert (entry.actor_label, entry.act, entry.via) == ("bo", "case.opened", "page")
    assert entry.subject_key.startswith("instances.scope:") and entry.details == {"place": 0}


def test_a_whole_chain_has_no_problem():
    entries(5)
    assert list(chain.problems()) == []


def test_an_empty_chain_has_no_problem():
    assert list(chain.problems()) == []


@pytest.mark.parametrize(
    "change",
    [
        "actor_label = 'al'",
        "act = 'other'",
        "at = '2020-01-01 00:00:00+00:00'",
        "subject_label = 'x'",
        "details = '{\"place\": 7}'",
        "via = 'job'",
        "actor_id = null",
    ],
)
def test_a_changed_entry_is_found(change):
    entries(5)
    sql(f"update audit_auditentry set {change} where number = 3")
    assert list(chain.problems()) == ["entry 3 was changed, or written with another key"]


def test_a_deleted_entry_is_found():
    entries(5)
    sql("delete from audit_auditentry where number in (2, 3)")
    assert list(chain.problems()) == ["entries 2 to 3 are missing"]


def test_a_deleted_entry_is_found_when_the_rest_closes_up():
    entries(5)
    sql("delete from audit_auditentry where number = 2")
    for number in (3, 4, 5):
        sql("update audit_auditentry set number = %s where number = %s", number - 1, number)
    assert any("does not follow" in problem for problem in chain.problems())


def test_reordered_entries_are_found():
    entries(5)
    for old, new in ((2, 99), (4, 2), (99, 4)):
        sql("update audit_auditentry set number = %s where number = %s", new, old)
    assert any("inserted or reordered" in problem for problem in chain.problems())


def test_an_inserted_entry_is_found():
    entries(5)
    names = "at, actor_id, actor_label, via, act, subject_label, subject_key, subject_url, details"
    for number in (5, 4):
        sql("update audit_auditentry set number = %s where number = %s", number + 1, number)
    sql(
        f"insert into audit_auditentry ({names}, number, previous, mac)"
        f" select {names}, 4, mac, 'forged' from audit_auditentry where number = 3"
    )
    sql("update audit_chainhead set number = 6")
    found = list(chain.problems())
    assert "entry 4 was changed, or written with another key" in found
    assert "entry 5 does not follow entry 4: inserted or reordered" in found


def test_an_entry_written_without_the_key_is_found(settings):
    entries(2)
    key, settings.SECRETS_KEY = settings.SECRETS_KEY, "not the key"
    audit.record(actor="conductor", act="forged", subject=("x", "x:1", ""), via="job")
    settings.SECRETS_KEY = key
    assert list(chain.problems()) == ["entry 3 was changed, or written with another key"]


def test_a_cut_off_end_is_found():
    entries(5)
    sql("delete from audit_auditentry where number > 3")
    assert any("cut off" in problem for problem in chain.problems())


def test_a_cut_off_end_with_a_forged_head_is_found_by_the_log(
    caplog, django_capture_on_commit_callbacks
):
    with caplog.at_level(logging.INFO), django_capture_on_commit_callbacks(execute=True):
        kept = entries(5)
    logged = caplog.messages[-1].split()[-1]
    assert logged == kept[-1].mac
    sql("delete from audit_auditentry where number > 3")
    sql("update audit_chainhead set number = 3, mac = %s", kept[2].mac)
    assert list(chain.problems()) == []  # the database alone cannot tell
    assert any("head from the log" in problem for problem in chain.problems(logged))


def test_entries_are_neither_changed_nor_deleted():
    entry = entries(1)[0]
    entry.act = "other"
    for deed in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(act="other"),
    ):
        with pytest.raises(AppendOnly):
            deed()


def test_an_act_that_is_rolled_back_leaves_no_entry():
    with pytest.raises(RuntimeError), transaction.atomic():
        entries(1)
        raise RuntimeError
    assert not AuditEntry.objects.exists() and list(chain.problems()) == []


@pytest.mark.parametrize("hostile", ["\x00", "x" * 100_000, 0.1, 1e300, {"a": {1, 2}}, object()])
def test_hostile_details_are_kept_and_verify(hostile):
    audit.record(actor=None, act="x", subject=("\x00" * 300, "k" * 300, ""), via="job", it=hostile)
    assert list(chain.problems()) == []


def test_the_command_tells_by_its_exit_code():
    entries(2)
    call_command("verify_audit", stdout=io.StringIO())
    sql("update audit_auditentry set act = 'x' where number = 1")
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--format", "json", stdout=out)
    assert ended.value.code == 1 and len(json.loads(out.getvalue())["problems"]) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "memory" in str(connections["default"].settings_dict["NAME"])
    or not os.environ.get("DATABASE_URL"),
    reason="many writers need a database of their own (DATABASE_URL)",
)
def test_many_writers_make_one_chain():
    def write() -> None:
        for _ in range(10):
            audit.record(actor="conductor", act="x", subject=("x", "x:1", ""), via="job")
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert AuditEntry.objects.count() == 80 and list(chain.problems()) == []
