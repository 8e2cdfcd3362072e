"""Logging in, looking around, logging out."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.urls import reverse

from instances.models import Scope
from portal.access import ROLES
from portal.audit.models import AuditEntry
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client):
    user = UserFactory(username="bo")
    user.set_password("a long enough word")
    user.save()
    return user


def test_a_stranger_is_sent_to_the_login_page(client):
    answer = client.get("/")
    assert answer.status_code == 302 and answer.url == "/login/?next=/"


def test_the_right_password_opens_the_door(client, person):
    answer = client.post("/login/", {"username": "bo", "password": "a long enough word"})
    assert answer.status_code == 302 and answer.url == "/"
    assert client.get("/").status_code == 200


def test_logging_out_needs_a_post(client, person):
    client.force_login(person)
    assert client.get(reverse("logout")).status_code == 405
    assert client.post(reverse("logout")).status_code == 302
    assert client.get("/").status_code == 302


def test_the_theme_is_remembered_without_a_script(client):
    answer = client.post(reverse("theme"), {"theme": "dark", "next": "/login/"})
    assert answer.url == "/login/"
    assert b'data-theme="dark"' in client.get("/login/").content


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example", "javascript:x", ""])
def test_a_switch_leads_nowhere_else(client, there):
    assert client.post(reverse("theme"), {"theme": "dark", "next": there}).url == "/"


def test_a_made_up_theme_is_ignored(client):
    assert "theme" not in client.post(reverse("theme"), {"theme": '"><x'}).cookies


def test_the_language_follows_the_choice(client):
    client.post(reverse("language"), {"language": "zh-hans", "next": "/login/"})
    assert b'lang="zh-hans"' in client.get("/login/").content


def guess(client, times: int, username: str = "bo", **where: str) -> list[int]:
    wrong = {"username": username, "password": "wrong"}
    return [client.post("/login/", wrong, **where).status_code for _ in range(times)]


def test_guessing_ends_at_a_wall_that_even_the_right_password_does_not_pass(client, person):
    assert guess(client, 5)[-1] == 429
    right = {"username": "bo", "password": "a long enough word"}
    assert client.post("/login/", right).status_code == 429
    assert AuditEntry.objects.filter(act="login.locked").exists()


def test_the_wall_stands_before_the_guesser_only(client, person):
    guess(client, 6, REMOTE_ADDR="10.9.9.9")
    right = {"username": "bo", "password": "a long enough word"}
    assert client.post("/login/", right, REMOTE_ADDR="10.1.1.1").status_code == 302


def test_coming_and_going_is_written_down(client, person):
    client.post("/login/", {"username": "bo", "password": "a long enough word"})
    client.post(reverse("logout"))
    acts = AuditEntry.objects.order_by("number").values_list("actor_label", "act")
    assert list(acts) == [("bo", "login"), ("bo", "logout")]


@pytest.mark.parametrize("name", ["\x00", "a" * 10_000, "' or 1=1", "🦊"])
def test_a_hostile_name_is_only_a_wrong_one(client, name):
    asked = {"username": name, "password": "x"}
    agent = {"HTTP_USER_AGENT": "a" * 3000, "HTTP_ACCEPT": "b" * 3000}
    assert client.post("/login/", asked, **agent).status_code == 200


def test_a_person_changes_the_password_and_stays_logged_in(client, person):
    client.post("/login/", {"username": "bo", "password": "a long enough word"})
    new = "another long enough word"
    asked = {"old_password": "a long enough word", "new_password1": new, "new_password2": new}
    assert client.post("/password/", asked).url == "/"
    assert client.get("/").status_code == 200
    person.refresh_from_db()
    assert person.check_password(new)
    assert AuditEntry.objects.filter(act="password.changed", actor=person).exists()


@pytest.mark.parametrize("weak", ["short", "password1234", "1234567890123"])
def test_a_weak_password_is_refused(client, person, weak):
    client.force_login(person)
    asked = {"old_password": "a long enough word", "new_password1": weak, "new_password2": weak}
    assert client.post("/password/", asked).status_code == 200
    person.refresh_from_db()
    assert person.check_password("a long enough word")


def test_demo_people_are_made_on_the_simulated_cloud_only(settings):
    settings.ECS_IS_LOCAL = False
    with pytest.raises(CommandError, match="loopback"):
        call_command("demo_users")
    assert not User.objects.exists()


def test_demo_people_get_in_and_stay_out_when_the_cloud_is_real(client, settings):
    settings.ECS_IS_LOCAL = True
    call_command("demo_users", stdout=io.StringIO())
    demo = {"username": "support", "password": "demo-support"}
    assert client.post("/login/", demo).status_code == 302
    assert client.get("/").status_code == 200
    settings.ECS_IS_LOCAL = False
    assert client.get("/").status_code == 302  # the session they had is over
    assert client.post("/login/", demo).status_code == 200


def test_demo_people_are_made_once(settings):
    settings.ECS_IS_LOCAL = True
    for _ in range(2):
        call_command("demo_users", stdout=io.StringIO())
    assert User.objects.count() == len(ROLES) == Scope.objects.count()


def settings_with(**environment: str) -> dict:
    code = (
        "import json; from portal import settings as s; print(json.dumps([s.SESSION_COOKIE_SECURE,"
        " s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS, s.SECURE_SSL_REDIRECT]))"
    )
    root = Path(__file__).resolve().parents[2]
    plain = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code], env=plain | environment, cwd=root, capture_output=True
    )
    return json.loads(done.stdout)


def test_behind_https_cookies_are_secure_and_browsers_stay():
    assert settings_with(CSRF_TRUSTED_ORIGINS="https://portal.example") == [
        True,
        True,
        31536000,
        True,
    ]
    assert settings_with() == [False, False, 0, False]
