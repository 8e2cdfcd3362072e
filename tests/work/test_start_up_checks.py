"""A wrong combination of settings stops the start, with an id and a hint."""

import copy
from types import SimpleNamespace

import pytest
from django.conf import settings as project
from django.core.checks import run_checks
from django.core.management.base import SystemCheckError

from portal import checks

QUEUE = project.Q_CLUSTER
KEY = "k" * 50
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "OPTIONS": {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL;",
    },
}


@pytest.fixture
def found(monkeypatch):
    """`found(ECS_ENDPOINT="...")`: the ids of what the checks then say."""
    fine = {
        "SECRET_KEY": KEY,
        "DEBUG": False,
        "ECS_ENDPOINT": "",
        "ECS_IS_LOCAL": False,
        "ECS_REGIONS": [],
        "PORTAL_MODE": "observe",
        "REDIS_URL": "",
        "PORTAL_URL": "https://portal.example.com",
        "EMAIL_URL": "",
        "RETENTION_DAYS": "",
        "Q_CLUSTER": QUEUE,
        "DATABASES": {"default": SQLITE},
    }

    def look(**changes) -> list[str]:
        monkeypatch.setattr(checks, "settings", SimpleNamespace(**fine | changes))
        said = run_checks(tags=[checks.TAG], include_deployment_checks=True)
        assert all(message.hint for message in said)
        return [message.id for message in said]

    return look


def queue(**changes) -> dict:
    return copy.deepcopy(QUEUE) | changes


def test_the_settings_as_they_come_are_fine(found):
    assert found() == []
    assert found(Q_CLUSTER=QUEUE) == []


def test_a_queue_that_would_hand_running_jobs_out_again(found):
    # 2 workers, 4 + 2 bells in hand: 120 x (2 + 3) + 60
    assert found(Q_CLUSTER=queue(retry=660)) == []
    assert found(Q_CLUSTER=queue(retry=659)) == ["portal.E001"]


def test_the_other_queues_are_judged_by_their_own_numbers(found):
    slow = {"analyze": QUEUE["ALT_CLUSTERS"]["analyze"] | {"retry": 1000}}
    assert found(Q_CLUSTER=queue(ALT_CLUSTERS=slow)) == ["portal.E001"]


@pytest.mark.parametrize("cycle", [0.7, 0.1, 2, 3])
def test_a_guard_that_never_counts_to_zero(found, cycle):
    assert "portal.E002" in found(Q_CLUSTER=queue(guard_cycle=cycle))


@pytest.mark.parametrize("cycle", [0.25, 0.5, 1])
def test_a_guard_that_does(found, cycle):
    assert found(Q_CLUSTER=queue(guard_cycle=cycle)) == []


def test_an_unknown_database(found):
    assert found(DATABASES={"default": {"ENGINE": "django.db.backends.mysql"}}) == ["portal.E003"]


@pytest.mark.parametrize(
    "wrong", [{"timeout": 5}, {"transaction_mode": "DEFERRED"}, {"init_command": ""}]
)
def test_sqlite_that_would_fail_under_several_writers(found, wrong):
    database = SQLITE | {"OPTIONS": SQLITE["OPTIONS"] | wrong}
    assert found(DATABASES={"default": database}) == ["portal.E004"]


def test_several_hosts_on_a_sqlite_file(found):
    assert found(REDIS_URL="redis://queue.internal:6379/0") == ["portal.E005"]
    assert found(REDIS_URL="redis://127.0.0.1:6379/0") == []
    postgres = {"default": {"ENGINE": "django.db.backends.postgresql"}}
    assert found(REDIS_URL="redis://queue.internal:6379/0", DATABASES=postgres) == []


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://127.0.0.1", "redis://h:port/0", "unix:"])
def test_a_redis_address_that_is_none(found, url):
    assert "portal.E006" in found(REDIS_URL=url)


def test_what_is_wrong_with_a_redis_address_does_not_print_its_password(settings):
    settings.REDIS_URL = "http://:hunter2@127.0.0.1"
    (message,) = checks.redis_url_is_one()
    assert "hunter2" not in str(message)


@pytest.mark.parametrize("key", ["unset-development-key", "short", "unset-" + "x" * 60])
def test_a_key_that_is_not_secret(found, key):
    assert found(SECRET_KEY=key) == ["portal.E007"]
    assert found(SECRET_KEY=key, ECS_IS_LOCAL=True) == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "127.0.0.1:8181",
        "ftp://127.0.0.1",
        "http://",
        "http://[1",
        "https://host:port",
        "https://key:secret@ecs.internal",
        "https://ecs.internal/path",
        "http://ecs.internal",
    ],
)
def test_an_endpoint_that_is_none(found, endpoint):
    assert found(ECS_ENDPOINT=endpoint) == ["portal.E008"]


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:8181", "http://[::1]:1", "https://ecs.internal:8443/"]
)
def test_an_endpoint(found, endpoint):
    assert found(ECS_ENDPOINT=endpoint) == []


def test_an_unknown_mode(found):
    assert found(PORTAL_MODE="everything") == ["portal.E009"]


@pytest.mark.parametrize("region", ["hangzhou", "cn_hangzhou", "cn-hangzhou\n", "../x", ""])
def test_a_region_that_is_none(found, region):
    assert found(ECS_REGIONS=["cn-hangzhou", region]) == ["portal.E010"]


def test_a_role_does_not_start_with_an_error(settings):
    settings.PORTAL_MODE = "everything"
    with pytest.raises(SystemCheckError, match="portal.E009"):
        checks.before_start()


@pytest.mark.parametrize(
    "url",
    ["portal.example.com", "ftp://portal.example.com", "https://", "https://a b", "https://x/?q=1",
     "https://me:word@portal.example.com", "https://x:99999", "https://[x"],
)  # fmt: skip
def test_an_address_of_the_portal_that_leads_nowhere(found, url):
    assert found(PORTAL_URL=url) == ["portal.E012"]


def test_e_mail_needs_a_server_and_a_place_for_its_links_to_lead_to(found):
    assert found(EMAIL_URL="smtp+tls://me:word@mail.example.com:587") == []
    assert found(EMAIL_URL="smtp://127.0.0.1:25", PORTAL_URL="") == ["portal.E011"]
    for url in ("mail.example.com", "http://mail.example.com:25", "smtp://mail", "smtp://x:99999"):
        assert found(EMAIL_URL=url) == ["portal.E013"]


@pytest.mark.parametrize("days", ["", "30", "365"])
def test_retention_may_be_unset_or_a_month_and_more(found, days):
    assert found(RETENTION_DAYS=days) == []


@pytest.mark.parametrize("days", ["29", "0", "-40", "a year", "30.5", "100000"])
def test_retention_of_less_than_a_month_is_an_error(found, days):
    assert found(RETENTION_DAYS=days) == ["portal.E014"]
