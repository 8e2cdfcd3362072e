"""Each machine of the demo fleet, through the real SDK over HTTP, against its own truth."""

import pytest

from diagnostics.report import rendered
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


WINDOWS = {  # what the cause has to say beside the verdict
    "erp-01": (6, "dump was captured"),
    "sql-01": (7, "CrashDumpEnabled=0"),
    "file-01": (8, "no page file"),
    "rds-01": (9, "minidump was captured"),
    "iis-01": (10, "Applications crashed"),
    "wsus-01": (16, "Windows Update"),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_the_verdict_on_windows_is_the_truth(cloud, name):
    truth = machine(cloud, name).truth
    scenario, words = WINDOWS[name]
    assert truth.scenario == scenario
    case = carried(opened(mirrored(cloud, name)))
    assert (case.kind, case.bugcheck_code) == (truth.kind, truth.bugcheck_code or "")
    assert words in rendered(case, "internal", "md")


@pytest.mark.parametrize("name", sorted(SILENT))
def test_a_machine_that_nobody_can_ask_stays_undetermined(cloud, name):
    case = carried(opened(mirrored(cloud, name)))
    assert case.kind == "undetermined"
    assert case.confidence == "none"


def test_the_demo_fleet_tells_the_scenarios_that_are_shown_here():
    import datetime

    told = {m.truth.scenario for m in World.demo(datetime.datetime.now(datetime.UTC)).machines}
    assert told >= SHOWN
