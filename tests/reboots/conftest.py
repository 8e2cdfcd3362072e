"""A simulated fleet whose machines go down and come up in a tenth of a second."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from commands import answers
from instances import ecs
from tests.reboots import driving
from tests.reboots.driving import Fleet
from tests.simulation import Simulator, in_a_thread


@pytest.fixture(scope="session")
def rebooting() -> Iterator[Simulator]:
    with in_a_thread("fleet:24") as simulator:
        simulator.cloud.power.seconds = (0.1, 0.15)
        driving.RUNNING.append(simulator)
        yield simulator
        driving.RUNNING.remove(simulator)


@pytest.fixture
def fleet(db, rebooting, monkeypatch) -> Iterator[Fleet]:
    """The fleet, mirrored; the gateway talks to it in mode `full`."""
    before = ecs.ecs_mode.setup()
    ecs.configure(endpoint=rebooting.endpoint, mode="full")
    ecs.forget_connections()
    monkeypatch.setattr(answers, "YOUNG_LOOKS", (0.03, 0.05))
    for machine in rebooting.cloud.world.machines:  # ECS tells the minute of a start
        machine.started_at = datetime.now(UTC) - timedelta(days=30)
    yield Fleet.mirrored(rebooting)
    driving.settle()
    rebooting.restore()
    ecs.ecs_mode._setup = before
    ecs.forget_connections()
