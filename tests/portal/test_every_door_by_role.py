"""Every address with every role, compared with the table in docs/access.md."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, get_resolver

from portal.access import ROLES
from tests.factories import UserFactory, a_person
from tests.sizes import LONG, sample

pytestmark = pytest.mark.django_db
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "access.md").read_text()
RANKS = ["anybody", "person", *ROLES]
VALUES = {"int": "987654321", "uuid": "00000000-0000-4000-8000-000000000000"}


def rows(heading: str) -> list[list[str]]:
    part = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


PAGES = {name: (method, rank) for name, method, rank in rows("Pages")}


def addresses(patterns=None, prefix: str = "/", space: str = "") -> Iterator[tuple[str, str]]:
    """(name, an address that leads there) of every pattern; the admin is one rule of its own."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + re.sub(
            r"<(?:(\w+):)?\w+>", lambda m: VALUES.get(m[1], "x"), str(entry.pattern)
        )
        if isinstance(entry, URLPattern):
            yield f"{space}{entry.name}", path
        elif entry.namespace != "admin":
            inside = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from addresses(entry.url_patterns, path, inside)


EVERY = sorted(addresses())


def client_of(role: str) -> Client:
    client = Client(raise_request_exception=False)
    if role != "anybody":
        client.force_login(UserFactory() if role == "person" else a_person(role))
    return client


def let_in(client: Client, method: str, path: str) -> bool:
    answer = getattr(client, method.lower())(path)
    assert answer.status_code < 500 or path == "/healthz", (path, answer.status_code)
    to_login = answer.status_code == 302 and answer.url.startswith("/login/?next=")
    return not to_login and answer.status_code != 403


@pytest.mark.parametrize("role", RANKS)
def test_every_address_opens_for_exactly_the_roles_of_the_table(role):
    client, wrong = client_of(role), []
    for name, path in EVERY:
        assert name in PAGES, f"{name} ({path}) has no row in the table of docs/access.md"
        method, rank = PAGES[name]
        above = RANKS.index(role) - RANKS.index(rank)
        expected = above >= 0
        if above not in (-1, 0) and not LONG:
            continue  # the quick form asks only who is just let in, and who is just not
        if let_in(client, method, path) != expected:
            wrong.append(f"{method} {path}: {role} should {'' if expected else 'not '}be let in")
        if name == "logout":
            client = client_of(role)
    assert not wrong, "\n".join(wrong)


def test_the_table_names_no_page_that_is_gone():
    assert set(PAGES) - {"admin:*"} == {name for name, _path in EVERY}


def test_a_number_that_no_column_holds_leads_nowhere():
    client = client_of("administrator")
    for name, path in EVERY:
        if VALUES["int"] in path:
            far = path.replace(VALUES["int"], "9" * 20)
            answer = getattr(client, PAGES[name][0].lower())(far)
            assert answer.status_code in (302, 400, 404), far


def test_a_page_that_acts_refuses_to_be_read():
    client = client_of("administrator")
    for name, path in EVERY:
        if PAGES[name][0] == "POST":
            assert client.get(path).status_code == 405, path


def test_every_act_wants_a_token_of_its_form():
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(a_person("administrator"))
    for name, path in EVERY:
        if PAGES[name][0] == "POST":
            assert client.post(path).status_code == 403, path


def admin_pages() -> list[str]:
    lists = [f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in admin.site._registry]
    return ["/admin/", *lists, *(f"{path}add/" for path in lists)]


@pytest.mark.parametrize("role", sample(RANKS, 3))
def test_the_admin_opens_for_administrators_only(role):
    client = client_of(role)
    for path in admin_pages():
        answer = client.get(path)
        if role != "administrator":
            assert answer.status_code in (302, 403), path
            if answer.status_code == 302:
                assert "/login/" in answer.url
        elif not path.endswith("add/"):
            assert answer.status_code == 200, path


def test_the_roles_hold_what_the_table_says():
    said: dict[str, set[str]] = {}
    for role, text in rows("Roles"):
        base = re.match(r"as (\w+)", text)
        own = set(re.findall(r"\w+\.[\w*]+", text))
        said[role] = own | (said[base[1]] if base else set())
    assert said == {role: set(permissions) for role, permissions in ROLES.items()}


def test_every_permission_of_the_table_exists():
    for role, permissions in ROLES.items():
        held = {
            f"{p.content_type.app_label}.{p.codename}"
            for p in Group.objects.get(name=role).permissions.select_related("content_type")
        }
        for permission in permissions:
            pattern = re.escape(permission).replace(r"\*", ".*")
            assert any(re.fullmatch(pattern, own) for own in held), permission


def test_a_view_that_declares_nothing_is_closed(settings):
    settings.ROOT_URLCONF = "tests.portal.careless_urls"
    client = client_of("administrator")
    assert client.get("/careless/").status_code == 403
