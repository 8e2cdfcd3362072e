"""Each machine of the demo fleet, through the real SDK over HTTP, against its own truth."""

import pytest

from simulator.world import World
from tests.diagnostics.cases.conftest import carried, machine, mirrored, opened

pytestmark = pytest.mark.django_db

SHOWN = {1, 2, 3, 4, 5, 11, 13, 17, 18, 19, 20, 21, 22}
SILENT = {"legacy-01", "iot-01", "gw-02"}  # nobody can be asked: an honest "undetermined"
NAMES = [
    "web-01",
    "web-02",
    "web-03",
    "api-01",
    "api-02",
    "db-01",
    "cache-01",
    "batch-01",
    "batch-02",
    "media-01",
    "search-01",
    "log-01",
    "crm-01",
    "gw-01",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_the_truth(cloud, sandbox_needed, name):
    truth = machine(cloud, name).truth
    assert truth.scenario in SHOWN
    case = carried(opened(mirrored(cloud, name)))
    assert case.kind == truth.kind
    if truth.subkind and truth.kind != "unexplained_reboot":
        assert case.subkind == truth.subkind
    if truth.function:
        assert case.function == truth.function


@pytest.mark.parametrize("name", sorted(SILENT))
def test_a_machine_that_nobody_can_ask_stays_undetermined(cloud, name):
    case = carried(opened(mirrored(cloud, name)))
    assert case.kind == "undetermined"
    assert case.confidence == "none"


def test_the_demo_fleet_tells_the_scenarios_that_are_shown_here():
    import datetime

    told = {m.truth.scenario for m in World.demo(datetime.datetime.now(datetime.UTC)).machines}
    assert told >= SHOWN
