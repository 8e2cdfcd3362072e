"""Shared fixtures. One behaviour a file; patch nothing but `ecs.*`, and that rarely."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from instances import ecs
from simulator import sandbox
from tests.simulation import KEY, REQUIRED, Simulator, as_a_process, in_a_thread
from tests.sizes import LEFT_OUT, LONG

# The SDK reads its own variables once, when it is imported.
os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = KEY
os.environ["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that wait for real processes go first, so that the quick ones fill the gaps."""
    for item in items:
        if "journeys" in item.path.parts or item.path.stem == "test_pages_in_a_browser":
            # The tests of such a file share one portal and one browser.
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    waiting = [item for item in items if item.get_closest_marker("stack")]
    quick = [item for item in items if not item.get_closest_marker("stack")]
    items[:] = waiting[::-1] + quick


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


@pytest.fixture(autouse=True)
def _cheap_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
