"""Administrators read the record; nobody finds a way to write it."""

import pytest

from portal import audit
from portal.audit.models import AuditEntry
from tests.factories import InstanceFactory, ScopeFactory, UserFactory, a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client):
    person = a_person("administrator")
    client.force_login(person)
    return person


def record(act="case.opened", label="web-1", **details):
    audit.record(
        actor=UserFactory(), act=act, subject=(label, f"x:{label}", ""), via="page", **details
    )


def test_entries_are_found(client, administrator):
    record(label="web-1")
    record(act="group.added", label="<b>", note="<script>")
    assert len(client.get("/audit/").context["page"]) == 2
    for asked in ({"act": "group.added"}, {"text": "<b>"}):
        assert len(client.get("/audit/", asked).context["page"]) == 1
    assert b"<script>" not in client.get("/audit/").content.replace(b"<script src", b"")


@pytest.mark.parametrize("field", ["text", "who", "act", "via", "since", "until", "at"])
@pytest.mark.parametrize("value", ["\x00", "' or 1=1", "9" * 500, "0001-01-01", "🦊"])
def test_hostile_filters_are_answered(client, administrator, field, value):
    record()
    assert client.get("/audit/", {field: value}).status_code == 200


def test_an_edit_in_the_admin_is_written_down(client, administrator):
    person = UserFactory()
    client.post("/admin/instances/scope/add/", {"user": person.pk, "region": "cn-beijing"})
    entry = AuditEntry.objects.get(act="scope.added")
    assert entry.actor == administrator and entry.via == "admin"
    scope = person.scopes.get()
    client.post(f"/admin/instances/scope/{scope.pk}/delete/", {"post": "yes"})
    assert AuditEntry.objects.filter(act="scope.deleted").exists()


def test_an_edit_without_its_entry_does_not_happen(client, administrator, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr("portal.audit.chain.seal", lambda entry: None)
    person = UserFactory()
    client.post("/admin/instances/scope/add/", {"user": person.pk, "region": "cn-beijing"})
    assert not person.scopes.exists()


@pytest.mark.parametrize(
    "model", ["audit/auditentry", "instances/instance", "diagnostics/finding", "commands/target"]
)
def test_history_is_not_edited_in_the_admin(client, administrator, model):
    assert client.get(f"/admin/{model}/add/").status_code == 403


def test_an_administrator_makes_no_superuser(client, administrator):
    asked = {"username": administrator.username, "is_active": "on", "is_superuser": "on"}
    asked["groups"] = [group.pk for group in administrator.groups.all()]
    asked |= {"scopes-TOTAL_FORMS": 0, "scopes-INITIAL_FORMS": 0, "email": "a@example.com"}
    asked |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    answer = client.post(f"/admin/auth/user/{administrator.pk}/change/", asked)
    administrator.refresh_from_db()
    assert answer.status_code == 302 and administrator.email == "a@example.com"
    assert not administrator.is_superuser


def test_the_admin_shows_a_persons_part_of_the_fleet_only(client):
    InstanceFactory(name="here")
    InstanceFactory(name="there", region="cn-beijing")
    client.force_login(a_person("administrator", region="cn-hangzhou"))
    shown = client.get("/admin/instances/instance/").content
    assert b"here" in shown and b"there" not in shown


def test_a_long_list_in_the_admin_costs_no_more_queries(
    client, administrator, django_assert_max_num_queries
):
    for _ in range(30):
        ScopeFactory()
    with django_assert_max_num_queries(20):
        client.get("/admin/instances/scope/")
