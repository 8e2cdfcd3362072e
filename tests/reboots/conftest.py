"""A simulated fleet whose machines go down and come up in a tenth of a second."""

from collections.abc import Iterator

import pytest

from instances import ecs
from tests.reboots.driving import Fleet
from tests.simulation import Simulator, in_a_thread


@pytest.fixture(scope="session")
def _simulated() -> Iterator[Simulator]:
    with in_a_thread("fleet:24") as simulator:
        simulator.cloud.power.seconds = (0.1, 0.2)
        yield simulator


@pytest.fixture
def fleet(db, _simulated) -> Iterator[Fleet]:
    """The fleet, mirrored; the gateway talks to it in mode `full`."""
    before = ecs.ecs_mode.setup()
    ecs.configure(endpoint=_simulated.endpoint, mode="full")
    ecs.forget_connections()
    yield Fleet.mirrored(_simulated)
    _simulated.restore()
    ecs.ecs_mode._setup = before
    ecs.forget_connections()
