from __future__ import annotations

import contextlib
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from portal import checks, queue
from portal.supervisor import AlreadyRunning, Role, Supervisor, only_one

MANAGE = (sys.executable, str(settings.BASE_DIR / "manage.py"))
DEMO_KEY = ("simulator", "simulator-secret")
# What a second shell needs to stand in the same world: the same rows, keys and cloud.
KEPT = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "SECRET_KEY_FILE",
    "SECRETS_KEY",
    "SECRETS_KEY_FILE",
    "ECS_REGIONS",
    "TIME_ZONE",
    "LANGUAGE_CODE",
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
)


class Command(BaseCommand):
    help = (
        "Runs the whole portal under one parent: web, conductor and both queues; and, when "
        "ECS_ENDPOINT leads to this machine, the simulator."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT")
        parser.add_argument("--no-simulator", action="store_true", help="one runs already")

    def handle(self, *, bind: str, no_simulator: bool, **options: object) -> None:
        checks.before_start()
        web = _address(bind)
        demo = settings.ECS_IS_LOCAL and not no_simulator
        try:
            with only_one(settings.STATE_DIR):
                _must_be_free(web, "--bind", "PORT=8001 make run")
                if demo:
                    _must_be_free(_endpoint(), "ECS_ENDPOINT", "ECS_ENDPOINT=http://127.0.0.1:8182")
                    _sign_as_the_demo()
                self._supervise(bind, web, demo)
        except AlreadyRunning as problem:
            raise CommandError(str(problem)) from None

    def _supervise(self, bind: str, web: tuple[str, int], demo: bool) -> None:
        supervisor = Supervisor(list(_roles(bind, demo)))
        supervisor.run(
            ready=lambda: _answers(web),
            when_ready=lambda: self._tell(supervisor, bind, demo),
        )

    def _tell(self, supervisor: Supervisor, bind: str, demo: bool) -> None:
        if demo and "demo_users" in get_commands():
            call_command("demo_users")
            connections.close_all()
            supervisor.tell(f"for commands in another shell: set -a; . {_write_environment()}")
        supervisor.tell(f"ready: http://{bind}/")


def _roles(bind: str, demo: bool) -> Iterator[Role]:
    def cloud_is_there() -> bool:
        return not demo or _answers(_endpoint())

    if demo:
        port = str(_endpoint()[1])
        key = ":".join(DEMO_KEY)
        command = (sys.executable, "-m", "simulator", "--port", port, "--access-key", key)
        yield Role("simulator", command)
    for name in queue.QUEUES:
        yield Role(
            name, (*MANAGE, "cluster", "--queue", name), {"Q_CLUSTER_NAME": name}, cloud_is_there
        )
    yield Role("conductor", (*MANAGE, "conductor"), first=cloud_is_there)
    gunicorn = (sys.executable, "-m", "gunicorn", "-c", "python:portal.gunicorn")
    yield Role("web", gunicorn, {"BIND": bind}, cloud_is_there)


def _sign_as_the_demo() -> None:
    """The children sign with the simulator's key, never with a real one from the environment."""
    for name in [name for name in os.environ if name.startswith("ALIBABA_CLOUD_")]:
        del os.environ[name]
    os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = (
        DEMO_KEY
    )


def _write_environment() -> Path:
    """What a command needs to reach this demo, in a file for a shell to read."""
    wanted = {"ECS_ENDPOINT": settings.ECS_ENDPOINT, "PORTAL_MODE": settings.PORTAL_MODE}
    for name in KEPT:
        if name in os.environ:
            wanted[name] = os.environ[name]
    path = settings.STATE_DIR / "demo.env"
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in wanted.items()))
    with contextlib.suppress(ValueError):
        return path.relative_to(Path.cwd())
    return path


def _endpoint() -> tuple[str, int]:
    parts = urlsplit(settings.ECS_ENDPOINT)
    return parts.hostname, parts.port or 80


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise CommandError(f"--bind {bind!r}: must be HOST:PORT, such as 127.0.0.1:8000")
    return host.strip("[]"), int(port)


def _must_be_free(address: tuple[str, int], setting: str, instead: str) -> None:
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise CommandError(
                f"{setting}: {host}:{port} cannot be used ({error.strerror}). "
                f"Stop what uses it, or choose another: {instead}"
            ) from None


def _answers(address: tuple[str, int]) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False
