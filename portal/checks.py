"""Start-up checks: a combination of settings that would fail later fails now, with a hint.

`manage.py check --deploy` prints them; every role of the portal refuses to start with an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.management.base import SystemCheckError

from portal import retention

TAG = "portal"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
MODES = ("observe", "diagnose", "commands", "full")
KEY_LENGTH = 32  # characters
LOCK_WAIT = 10  # seconds that a writer of SQLite must be ready to wait


def before_start() -> None:
    """Raise SystemCheckError unless the settings are fit for serving people."""
    found = checks.run_checks(tags=[TAG], include_deployment_checks=True)
    if errors := [message for message in found if message.is_serious()]:
        raise SystemCheckError("\n\n".join(map(str, errors)))


@checks.register(TAG)
def queue_outwaits_its_jobs(**_: object) -> list[CheckMessage]:
    """The library hands a job out again `retry` s after it was *fetched*, not started."""
    return [
        Error(
            f"Q_CLUSTER of queue {name}: retry is {queue['retry']} s, must be at least {least} s",
            hint="retry >= timeout x (2 + ceil((queue_limit + bulk) / workers)) + 60",
            id="portal.E001",
        )
        for name, queue in _queues()
        if queue["retry"] < (least := _least_retry(queue))
    ]


def _least_retry(queue: dict) -> int:
    in_hand = math.ceil((queue["queue_limit"] + queue["bulk"]) / queue["workers"])
    return queue["timeout"] * (2 + in_hand) + 60


@checks.register(TAG)
def guard_can_count_to_zero(**_: object) -> list[CheckMessage]:
    """The library kills a job that is too long only when its countdown hits 0 exactly."""
    return [
        Error(
            f"Q_CLUSTER of queue {name}: guard_cycle {queue['guard_cycle']} never counts "
            f"timeout + 3 = {queue['timeout'] + 3} down to 0",
            hint="use a guard_cycle of 0.5 or 1 and a timeout in whole seconds",
            id="portal.E002",
        )
        for name, queue in _queues()
        if not _counts_to_zero(queue["timeout"] + 3, queue["guard_cycle"])
    ]


def _counts_to_zero(seconds: float, cycle: float) -> bool:
    exact = math.frexp(cycle)[0] == 0.5  # a power of two, so that nothing is rounded away
    return exact and (seconds / cycle).is_integer()


def _queues() -> Iterator[tuple[str, dict]]:
    first = {key: value for key, value in settings.Q_CLUSTER.items() if key != "ALT_CLUSTERS"}
    yield first["cluster_name"], first
    for name, other in settings.Q_CLUSTER.get("ALT_CLUSTERS", {}).items():
        yield name, first | other


@checks.register(TAG)
def database_bears_many_writers(**_: object) -> list[CheckMessage]:
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("postgresql"):
        return []
    if not database["ENGINE"].endswith("sqlite3"):
        return [
            Error(
                f"DATABASE_URL: {database['ENGINE']} is not supported",
                hint="use postgres://... or sqlite:///...",
                id="portal.E003",
            )
        ]
    options = database.get("OPTIONS", {})
    fit = (
        options.get("transaction_mode") == "IMMEDIATE"
        and "journal_mode=wal" in options.get("init_command", "").lower().replace(" ", "")
        and options.get("timeout", 0) >= LOCK_WAIT
    )
    hint = f"transaction_mode IMMEDIATE, journal_mode=WAL, timeout of {LOCK_WAIT} s or more"
    return (
        []
        if fit
        else [Error("SQLite would fail under several writers", hint=hint, id="portal.E004")]
    )


@checks.register(TAG)
def several_hosts_need_postgresql(**_: object) -> list[CheckMessage]:
    sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    shared = _parts(settings.REDIS_URL).hostname if settings.REDIS_URL else None
    if not sqlite or shared in LOOPBACK | {None}:
        return []
    return [
        Error(
            "REDIS_URL names another host while the database is a SQLite file",
            hint="several hosts need PostgreSQL: set DATABASE_URL=postgres://...",
            id="portal.E005",
        )
    ]


@checks.register(TAG)
def redis_url_is_one(**_: object) -> list[CheckMessage]:
    if not settings.REDIS_URL:
        return []
    parts = _parts(settings.REDIS_URL)
    if parts.scheme in {"redis", "rediss"} and parts.hostname and _port(parts) is not False:
        return []
    if parts.scheme == "unix" and parts.path:
        return []
    # The URL itself may hold a password: never print it.
    return [
        Error(
            "REDIS_URL is not the address of a Redis server",
            hint="such as redis://127.0.0.1:6379/0, rediss:// or unix:///path",
            id="portal.E006",
        )
    ]


@checks.register(TAG, deploy=True)
def secret_key_is_secret(**_: object) -> list[CheckMessage]:
    """Sessions and the queue's pickled bells are signed with it."""
    key = settings.SECRET_KEY
    if settings.DEBUG or settings.ECS_IS_LOCAL:
        return []
    if not key.startswith("unset-") and len(key) >= KEY_LENGTH:
        return []
    return [
        Error(
            f"SECRET_KEY is unset or shorter than {KEY_LENGTH} characters",
            hint="set SECRET_KEY, or SECRET_KEY_FILE to the path of a file that holds it",
            id="portal.E007",
        )
    ]


@checks.register(TAG)
def endpoint_is_one(**_: object) -> list[CheckMessage]:
    if not settings.ECS_ENDPOINT or not (problem := _endpoint_problem(settings.ECS_ENDPOINT)):
        return []
    hint = "such as http://127.0.0.1:8181; empty for the real cloud"
    return [Error(f"ECS_ENDPOINT {problem}", hint=hint, id="portal.E008")]


def _endpoint_problem(endpoint: str) -> str:
    parts = _parts(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname or _port(parts) is False:
        return "must be http:// or https://, a host, and a port if need be"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password: keys belong in ALIBABA_CLOUD_*"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "must end after the port"
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        return "must be https:// unless it is this machine: scripts and outputs travel on it"
    return ""


@checks.register(TAG)
def mode_is_known(**_: object) -> list[CheckMessage]:
    if settings.PORTAL_MODE in MODES:
        return []
    message = f"PORTAL_MODE is {settings.PORTAL_MODE!r}"
    return [Error(message, hint=f"allowed: {', '.join(MODES)}", id="portal.E009")]


@checks.register(TAG)
def regions_look_like_regions(**_: object) -> list[CheckMessage]:
    return [
        Error(
            f"ECS_REGIONS: {region!r} is not a region",
            hint="comma-separated, such as cn-hangzhou,ap-southeast-1; empty for all",
            id="portal.E010",
        )
        for region in settings.ECS_REGIONS
        if not re.fullmatch(r"[a-z]{2}(-[a-z0-9]+){1,4}", region)
    ]


@checks.register(TAG)
def portal_url_is_one(**_: object) -> list[CheckMessage]:
    """Links in messages begin with it: a wrong one sends people nowhere, or elsewhere."""
    hint = "such as https://portal.example.com, the address that people type"
    if not settings.PORTAL_URL:
        if not settings.EMAIL_URL:
            return []
        return [Error("EMAIL_URL is set and PORTAL_URL is not", hint=hint, id="portal.E011")]
    parts = _parts(settings.PORTAL_URL)
    fit = (
        parts.scheme in {"http", "https"}
        and parts.hostname
        and _port(parts) is not False
        and parts.username is None
        and not (parts.query or parts.fragment)
        and settings.PORTAL_URL.isprintable()
        and " " not in settings.PORTAL_URL
    )
    message = "PORTAL_URL must be http:// or https://, a host, and nothing after its path"
    return [] if fit else [Error(message, hint=hint, id="portal.E012")]


@checks.register(TAG)
def email_url_is_one(**_: object) -> list[CheckMessage]:
    if not settings.EMAIL_URL:
        return []
    parts = _parts(settings.EMAIL_URL)
    if parts.scheme in {"smtp", "smtp+tls", "smtps"} and parts.hostname and _port(parts):
        return []
    # The URL itself may hold a password: never print it.
    hint = "such as smtp://127.0.0.1:25, smtp+tls://user:password@host:587 or smtps://host:465"
    return [Error("EMAIL_URL is not the address of a mail server", hint=hint, id="portal.E013")]


@checks.register(TAG)
def retention_is_long_enough(**_: object) -> list[CheckMessage]:
    days = settings.RETENTION_DAYS
    if not days or retention.is_sound(days):
        return []
    hint = f"days, {retention.SHORTEST} to {retention.LONGEST}; empty to keep everything"
    return [Error(f"RETENTION_DAYS is {days!r}", hint=hint, id="portal.E014")]


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # such as a bracket that never closes
        return urlsplit("")


def _port(parts: SplitResult) -> int | None | bool:
    """The port, None if there is none, False if it is not a port."""
    try:
        return parts.port
    except ValueError:
        return False
