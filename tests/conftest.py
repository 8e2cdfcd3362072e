"""Shared fixtures. One behaviour a file; patch nothing but `ecs.*`, and that rarely."""

import functools
import gc
import os
import shutil
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection
from xdist.scheduler import LoadGroupScheduling

from instances import ecs
from simulator import sandbox
from tests import ready_made, sizes
from tests.simulation import KEY, REQUIRED, Simulator, as_a_process, in_a_thread
from tests.sizes import LEFT_OUT, LONG

# The SDK reads its own variables once, when it is imported.
os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = KEY
os.environ["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true"
# A run starts a hundred processes of ours: let them share what the first one compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
CHROMIUM = "/usr/bin/chromium"


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # nothing of what is being imported and collected is garbage
    if not hasattr(config, "workerinput"):  # the first process, before it starts workers
        ready_made.begin(ahead=bool(config.getoption("numprocesses", 0)))


def pytest_collection_finish() -> None:
    """What is there now stays: the collector need not walk it again and again."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        ready_made.end()


@pytest.hookimpl(wrapper=True)  # pytest-django sorts inside
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """The tests that wait for real processes go first, so that the quick ones fill the gaps.

    But for those that empty the database of a worker: they stay behind all that need it.
    """
    yield
    if not LONG and not _named(config):
        items[:], left_out = sizes.quick(items)
        config.hook.pytest_deselected(items=left_out)
    waiting = [item for item in items if _waits(item)]
    quick = [item for item in items if not _waits(item)]
    waiting.sort(key=lambda item: item.path, reverse=True)  # the tests of a file keep their order
    items[:] = waiting + quick


def _named(config: pytest.Config) -> bool:
    """Whether somebody named the tests that are wanted."""
    return any("::" in word or word.endswith(".py") for word in config.args)


def _waits(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("stack") and not item.get_closest_marker("django_db"))


class Together(LoadGroupScheduling):
    """Which tests one worker runs in a row.

    xdist's own groups are not told to its scheduler by pytest 9.
    """

    def _split_scope(self, nodeid: str) -> str:
        path, _, name = nodeid.partition("::")
        if "/journeys/" in path or path.endswith("/test_pages_in_a_browser.py"):
            return path  # the tests of such a file share one portal and one browser
        return f"{path}::{name.partition('[')[0]}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> Together | None:
    return Together(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_terminal_summary(terminalreporter) -> None:
    if not LONG:
        terminalreporter.write_line(LEFT_OUT)


def requires(name: str, present: bool, why: str) -> None:
    """Skip without `name` (postgres, redis, browser, sandbox), or fail where it must be there."""
    if present:
        return
    if name in REQUIRED:
        pytest.fail(f"{name} is required by PORTAL_TEST_REQUIRE but absent: {why}")
    pytest.skip(f"needs {name}: {why}")


@pytest.fixture(scope="session")
def _one_simulator() -> Iterator[Simulator]:
    with in_a_thread() as simulator:
        yield simulator


@pytest.fixture
def simulator(_one_simulator: Simulator) -> Iterator[Simulator]:
    """The demo world in a thread, shared by a session; faults and changes end with the test.

    Counters only grow: compare before and after. Runs of earlier tests stay known.
    """
    yield _one_simulator
    _one_simulator.restore()


@pytest.fixture
def cloud(simulator: Simulator) -> Iterator[Simulator]:
    """The gateway talks to the simulator, in mode `full`; the simulator's own counters tell."""
    before = ecs.ecs_mode.setup()
    ecs.configure(endpoint=simulator.endpoint, mode="full")
    ecs.forget_connections()
    yield simulator
    ecs.ecs_mode._setup = before
    ecs.forget_connections()


@pytest.fixture
def start_simulator() -> Iterator[Callable[..., Simulator]]:
    """`start_simulator("--world", "fleet:200")`: real processes, stopped with the test."""
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(as_a_process(*arguments))


@pytest.fixture
def sandbox_needed() -> None:
    """For tests whose scripts must really run."""
    requires("sandbox", sandbox.offered(), "bubblewrap cannot start here")


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """One Chromium for the tests of a file; each opens contexts of its own, and closes them."""
    playwright = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or CHROMIUM
    requires("browser", os.path.exists(found), "no chromium here")
    with pytest.MonkeyPatch.context() as patch, playwright.sync_playwright() as driver:
        # The driver's event loop must not make Django refuse the test's own database calls.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = driver.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def django_db_setup(request, django_test_environment, django_db_blocker) -> Iterator[None]:
    """The database of this worker: on SQLite a copy, in memory, of the one that is ready made."""
    if connection.vendor != "sqlite":
        request.getfixturevalue("django_db_setup")  # pytest-django's own
        yield
        return
    before, name = connection.settings_dict["NAME"], "file:portal?mode=memory&cache=shared"
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = name
        connection.ensure_connection()
        ready_made.load_into(connection.connection)
    yield
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = before


@pytest.fixture(autouse=True, scope="session")
def _cheap(django_test_environment) -> None:
    """Quick hashes, no reading of every static file by each of a thousand test clients, and one
    reading of the machine's certificates for all the connections that the SDK is made to forget.
    """
    import darabonba.core

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_AUTOREFRESH = True
    once = functools.cache(ssl.create_default_context)
    darabonba.core.ssl = SimpleNamespace(**vars(ssl) | {"create_default_context": once})
