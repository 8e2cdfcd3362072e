"""Shared fixtures. One behaviour a file; patch nothing but `ecs.*`, and that rarely."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from simulator import sandbox
from tests.simulation import REQUIRED, Simulator, as_a_process, in_a_thread


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
