"""A case asks the account's audit trail who else rebooted the machine."""

import json

import pytest

from diagnostics.models import DiagnosisCase
from diagnostics.report import rendered
from instances import ecs
from tests.diagnostics.cases.conftest import carried, machine, mirrored, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def trailless(cloud):
    """The identity of the portal lacks the right to read the audit trail."""
    cloud.control(
        "POST",
        "faults",
        {"kind": "error", "operation": "LookupEvents", "status": 403, "code": "NoPermission"},
    )


def test_the_tool_that_did_it_is_named_to_us_and_to_no_customer(cloud, sandbox_needed):
    case = carried(opened(mirrored(cloud, "edge-01")))
    assert (case.kind, case.confidence) == ("outside_action", "certain")
    ours = rendered(case, "internal", "md")
    assert "terraform-ci" in ours and "203.0.113.77" in ours
    asked = machine(cloud, "edge-01").trail[0]
    assert asked.request_id in ours and "audit" in ours
    for form in ("md", "html", "json"):
        theirs = rendered(case, "customer", form)
        assert "terraform-ci" not in theirs and "203.0.113.77" not in theirs
        assert "by a call to ECS that somebody" in theirs
    kept = case.evidence.get(name="audit_trail")
    assert json.loads(kept.body())[0]["request_id"] == asked.request_id
    cited = case.findings.get(source="audit_trail")
    assert cited.evidence == kept and asked.request_id in cited.quote


def test_without_the_right_the_step_says_so_and_names_the_lookup(cloud, sandbox_needed, trailless):
    case = carried(opened(mirrored(cloud, "edge-01")))
    assert case.kind == "outside_action", "the power key still tells that it came from outside"
    step = case.steps.get(key="own")
    assert step.state == "done"
    said = step.facts["beside"]["audit_trail"]
    assert said["state"] == "failed" and "LookupEvents" in json.dumps(said)
    ours = rendered(case, "internal", "md")
    assert "Audit trail of the account" in ours and "terraform-ci" not in ours
    assert "Look up RebootInstance" in ours


def test_it_is_asked_in_observe_mode_too_and_once(cloud):
    ecs.configure(endpoint=cloud.endpoint, mode="observe")
    before = cloud.counters()["calls"].get("LookupEvents", 0)
    case = carried(opened(mirrored(cloud, "edge-01")))
    assert cloud.counters()["calls"]["LookupEvents"] == before + 1
    assert case.kind == "outside_action" and "terraform-ci" in rendered(case, "internal", "md")


def test_nothing_of_others_is_found_on_a_machine_that_was_left_alone(cloud, sandbox_needed):
    case = carried(opened(mirrored(cloud, "api-01")))
    assert case.kind == "kernel_panic"
    assert not case.evidence.filter(name="audit_trail").exists()
    assert DiagnosisCase.objects.get(pk=case.pk).steps.get(key="own").facts["trail"]["acts"] == []
