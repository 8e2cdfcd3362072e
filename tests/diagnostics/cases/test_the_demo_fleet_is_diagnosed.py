"""Each machine of the demo fleet, through the real SDK over HTTP, against its own truth."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from diagnostics import rejudging
from diagnostics.models import DiagnosisCase
from diagnostics.report import rendered
from diagnostics.wording import unpacked
from simulator.world import World
from tests.diagnostics.cases.conftest import carried, machine, mirrored, opened

pytestmark = pytest.mark.django_db

SHOWN = {1, 2, 3, 4, 5, 11, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23}
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
    "test-01",
    "job-01",
    "edge-01",
]


def read_a_year_later(case) -> rejudging.Outcome:
    """What the same analyzers say of the same evidence when much time has passed."""
    with time_machine.travel(timezone.now() + timedelta(days=400), tick=False):
        due = rejudging.due(DiagnosisCase.objects, keys=[case.pk])
        (outcome,) = rejudging.rejudged(due, apply=False, via="command")
    return outcome


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
    later = read_a_year_later(case)
    assert later.before == later.after, later.why


@pytest.mark.parametrize("name", ["api-01", "batch-02", "search-01", "gw-01"])
def test_when_it_went_down_is_true_or_called_its_last_sign_of_life(cloud, sandbox_needed, name):
    case = carried(opened(mirrored(cloud, name)))
    told = unpacked(case.judgement)["conclusion"]
    down = machine(cloud, name).truth.down_at
    assert told["went_down_at"] <= told["came_back_at"] and told["outage_minutes"] > 0
    if told["last_sign"]:
        assert told["went_down_at"] <= down <= told["came_back_at"]
        report = rendered(case, "customer", "md")
        assert "or later: this is its last sign of life" in report and "at most" in report
        assert "down for about" not in report
    else:
        assert abs((told["went_down_at"] - down).total_seconds()) < 120


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
    later = read_a_year_later(case)
    assert later.before == later.after, later.why


@pytest.mark.parametrize("name", sorted(SILENT))
def test_a_machine_that_nobody_can_ask_stays_undetermined(cloud, name):
    case = carried(opened(mirrored(cloud, name)))
    assert case.kind == "undetermined"
    assert case.confidence == "none"
    assert read_a_year_later(case).result == "same"


def test_the_demo_fleet_tells_the_scenarios_that_are_shown_here():
    import datetime

    told = {m.truth.scenario for m in World.demo(datetime.datetime.now(datetime.UTC)).machines}
    assert told >= SHOWN
