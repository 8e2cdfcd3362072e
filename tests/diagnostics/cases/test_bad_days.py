"""Whatever goes wrong outside ends in a concluded case that says so and keeps what was gathered."""

from datetime import timedelta

import pytest
from django.utils import timezone

from commands import answers
from diagnostics import pipeline, reading
from diagnostics.models import DiagnosisCase
from diagnostics.report import COPIES, FORMS, rendered
from diagnostics.steps import console
from instances import ecs, ecs_call
from tests.diagnostics.cases.conftest import carried, machine, mirrored, opened, told
from tests.factories import AccountFactory, InstanceFactory, RegionFactory, a_person
from tests.simulation import KEY_WITHOUT_RUNS
from tests.sizes import LONG, sample

pytestmark = pytest.mark.django_db
CRASHED = "api-01"  # a kernel panic on its disk
LISTING, EVENTS, AGENT = (
    "DescribeInstances",
    "DescribeInstanceHistoryEvents",
    "DescribeCloudAssistantStatus",
)
READS = (LISTING, EVENTS, AGENT)
STEP_OF = {LISTING: "instance", EVENTS: "events", AGENT: "agent"}


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    monkeypatch.setattr(ecs_call, "PATIENCE", 0.3)
    monkeypatch.setattr(answers, "MISSED_FOR", timedelta(seconds=0.5))
    monkeypatch.setattr(answers, "MISSED_AGAIN", timedelta(seconds=0.1))
    monkeypatch.setattr(pipeline, "SEND_WITHIN", timedelta(seconds=2))
    monkeypatch.setattr(pipeline, "ANSWER_WITHIN", timedelta(seconds=6))


@pytest.fixture
def api(cloud, db):
    return mirrored(cloud, CRASHED)


def sound(case: DiagnosisCase) -> dict:
    """What must be true of every concluded case; the steps by key."""
    steps = {step.key: step for step in case.steps.all()}
    assert len(steps) == 10 and all(step.over for step in steps.values())
    for step in steps.values():
        if step.state == "failed":
            assert step.reason_lines and step.instead_lines, step.key
        if step.state == "not_needed":
            assert step.reason_lines, step.key
    for copy in COPIES:
        for form in FORMS:
            assert rendered(case, copy, form)
    report = told(case)
    assert report["recommendations"] and report["root_cause"] and report["impact"]
    if case.kind in ("none", "none_healthy"):
        assert case.judgement["boot"], "stayed up, says a case that knows no boot time"
    return steps


FAULTS = [
    {"kind": "throttle", "retry_after": 100},
    {"kind": "error"},
    {"kind": "error", "status": 403, "code": "Forbidden.RAM", "message": "not authorized"},
    {"kind": "html"},
    {"kind": "reset"},
    {"kind": "shape"},
]
# Every fault with every read; the quick form takes each fault once, and each read twice.
PAIRS = [
    (operation, fault)
    for place, operation in enumerate(READS)
    for number, fault in enumerate(FAULTS)
    if LONG or number % len(READS) == place
]


@pytest.mark.parametrize(
    ("operation", "fault"),
    sample(PAIRS, 3),
    ids=lambda told: told if isinstance(told, str) else f"{told['kind']}{told.get('status', '')}",
)
def test_a_read_that_fails_is_named_and_the_rest_still_speaks(
    cloud, sandbox_needed, api, operation, fault
):
    cloud.faults({**fault, "operation": operation})
    case = carried(opened(api))
    step = sound(case)[STEP_OF[operation]]
    assert step.state == "failed" and step.reason_lines
    assert case.kind == "kernel_panic"  # the guest tells it all the same
    assert any(line for line in told(case)["not_checked"])


@pytest.mark.parametrize("kind", sample(["error", "html", "reset", "throttle"], 3))
def test_a_cloud_that_answers_nothing_leaves_the_case_undetermined(cloud, api, kind):
    cloud.faults({"kind": kind})
    case = carried(opened(api))
    steps = sound(case)
    assert case.kind == "undetermined" and case.confidence == "none"
    assert {steps[key].state for key in ("instance", "events", "agent", "guest")} == {"failed"}
    assert not told(case)["findings"]


def test_a_slow_cloud_counts_as_no_answer(cloud, api):
    ecs.configure(endpoint=cloud.endpoint, mode="full", read_seconds=0.2)
    cloud.faults({"kind": "slow", "seconds": 0.6, "operation": EVENTS})
    steps = sound(carried(opened(api)))
    assert steps["events"].state == "failed" and steps["instance"].state == "done"


def test_an_identity_without_rights_is_told_so(cloud, api, rightless):
    with rightless(api.account):
        case = carried(opened(api))
    sound(case)
    assert case.kind == "undetermined"
    assert "check_access" in rendered(case, "internal", "md")
    assert "check_access" not in rendered(case, "customer", "md")


def test_an_identity_that_may_not_run_commands(cloud, api, rightless):
    with rightless(api.account, KEY_WITHOUT_RUNS):
        steps = sound(carried(opened(api)))
    assert steps["guest"].state == "failed" and steps["instance"].state == "done"


def test_mode_observe_forbids_the_script_and_names_the_mode(cloud, api):
    ecs.configure(endpoint=cloud.endpoint, mode="observe")
    before = cloud.counters()
    case = carried(opened(api))
    steps = sound(case)
    assert steps["guest"].state == "failed"
    assert "PORTAL_MODE" in " ".join(steps["guest"].reason_lines)
    assert cloud.counters()["scripts"] == before["scripts"]
    assert steps["guest"].facts["beside"].keys() == {"console", "screenshot"}


def test_mode_diagnose_is_enough(cloud, sandbox_needed, api):
    ecs.configure(endpoint=cloud.endpoint, mode="diagnose")
    assert carried(opened(api)).kind == "kernel_panic"


def test_a_lost_answer_to_the_script_runs_it_once(cloud, sandbox_needed, api):
    cloud.faults({"kind": "lost", "operation": "RunCommand", "count": 1})
    before = ran(cloud)
    assert carried(opened(api)).kind == "kernel_panic"
    assert ran(cloud) == before + 1


def ran(cloud) -> int:
    return sum(cloud.counters()["scripts"].get("linux", {}).values())


@pytest.mark.parametrize("state", ["stopped", "silent"])
def test_a_dead_agent_leads_to_the_console_the_screen_and_the_script_by_hand(cloud, api, state):
    cloud.change(api.instance_id, agent=state, for_seconds=900)
    case = carried(opened(api))
    steps = sound(case)
    assert steps["guest"].state == "failed" and not steps["agent"].facts["alive"]
    assert steps["guest"].facts["beside"].keys() == {"console", "screenshot"}
    text = rendered(case, "internal", "md")
    assert "journalctl -b -1" in text and "reinstall" in text


def test_a_machine_that_stops_answering_in_the_middle(cloud, api, monkeypatch):
    cloud.faults({"kind": "silent", "seconds": 120})
    monkeypatch.setattr(pipeline, "ANSWER_WITHIN", timedelta(seconds=2))
    case = carried(opened(api))
    assert sound(case)["guest"].state == "failed"


def test_a_run_that_ecs_forgot_is_no_answer(cloud, api):
    cloud.faults({"kind": "empty", "operation": "DescribeInvocationResults"})
    case = carried(opened(api))
    guest = sound(case)["guest"]
    assert guest.state == "failed"
    assert "no longer knows this run" in " ".join(guest.reason_lines)


@pytest.mark.parametrize("mode", ["truncate", "corrupt", "empty", "dropped"])
def test_half_an_output_is_read_as_far_as_it_goes(cloud, sandbox_needed, api, mode):
    fault = {"kind": "output", "mode": mode}
    cloud.faults({**fault, "bytes": 3000} if mode == "dropped" else fault)
    case = carried(opened(api))
    steps = sound(case)
    assert case.kind != "none"
    if mode == "empty":
        assert steps["guest"].state == "failed"
    else:
        assert case.evidence.get(name="guest_output").size > 0
        assert told(case)["not_checked"]


@pytest.mark.parametrize("name", ["erp-01", "ad-01"])  # a bugcheck and a healthy one
@pytest.mark.parametrize("mode", sample(["truncate", "corrupt", "empty", "dropped"], 2))
def test_half_an_output_of_windows_is_read_as_far_as_it_goes(cloud, db, mode, name):
    instance = mirrored(cloud, name)
    fault = {"kind": "output", "mode": mode}
    cloud.faults({**fault, "bytes": 1000} if mode == "dropped" else fault)
    case = carried(opened(instance))
    steps = sound(case)
    truth = machine(cloud, name).truth
    assert case.kind in ("undetermined", truth.kind)
    if mode == "empty":
        assert steps["guest"].state == "failed"
    else:
        assert case.evidence.get(name="guest_output").size > 0
        assert told(case)["not_checked"]


@pytest.mark.parametrize("change", [{"status": "Stopped"}, {"released": True}])
def test_a_machine_that_is_stopped_or_released(cloud, api, change):
    cloud.change(api.instance_id, **change)
    case = carried(opened(api))
    steps = sound(case)
    assert case.kind == "undetermined" and steps["guest"].state == "failed"
    assert cloud.counters()


def test_an_unknown_id_or_a_wrong_region_is_said_plainly(cloud, db):
    nowhere = InstanceFactory(instance_id="i-bp1nosuchmachine00x")
    case = carried(opened(nowhere))
    assert "lists no instance" in " ".join(sound(case)["instance"].reason_lines)
    elsewhere = InstanceFactory(
        instance_id=machine(cloud, CRASHED).instance_id, region="ap-southeast-1"
    )
    assert carried(opened(elsewhere)).kind == "undetermined"


def test_an_instance_outside_our_accounts_cannot_be_asked(cloud, db):
    case = carried(opened(None, instance_text="their-machine"))
    steps = sound(case)
    assert case.kind == "undetermined"
    assert all(steps[key].state == "failed" for key in ("instance", "events", "agent", "guest"))


def test_an_instance_that_is_not_mirrored_yet_is_fetched(cloud, sandbox_needed, db):
    real = machine(cloud, CRASHED)
    RegionFactory(account=AccountFactory(), region_id=real.region)
    case = carried(opened(None, instance_text=real.instance_id))
    assert case.instance.instance_id == real.instance_id and case.kind == "kernel_panic"


def test_fetching_shows_nobody_what_they_may_not_see(cloud, db):
    real = machine(cloud, CRASHED)
    RegionFactory(account=AccountFactory(), region_id=real.region)
    narrow = a_person("support", region="ap-southeast-1")
    case = carried(opened(None, instance_text=real.instance_id, opened_by=narrow))
    assert case.instance is None and case.kind == "undetermined"


def test_an_analyzer_that_raises_is_told_beside_the_rest(cloud, sandbox_needed, api, monkeypatch):
    def breaks(*args):
        raise ZeroDivisionError("by the analyzer")

    monkeypatch.setattr(reading.linux.linux, "judge", breaks)
    case = carried(opened(api))
    sound(case)
    assert case.kind == "undetermined"
    assert "by the analyzer" in str(told(case)["broken"])
    assert case.evidence.filter(name="guest_output").exists()


def test_a_step_in_which_the_portal_itself_fails_is_given_up(cloud, api, monkeypatch):
    monkeypatch.setattr(console, "ask", lambda subject: 1 / 0)
    cloud.change(api.instance_id, agent="stopped", for_seconds=900)
    case = opened(api)
    for _turn in range(8):
        DiagnosisCase.objects.filter(pk=case.pk).update(due_at=timezone.now())
        pipeline_turn(case)
        case.refresh_from_db()
    steps = sound(case)
    assert "division by zero" in " ".join(steps["guest"].reason_lines)


def pipeline_turn(case):
    from diagnostics import jobs

    jobs.advance(case.pk)
