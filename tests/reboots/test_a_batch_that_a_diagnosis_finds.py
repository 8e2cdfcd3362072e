"""A diagnosis knows a reboot of ours by its RequestId, and says who asked and who agreed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from diagnostics import cases
from diagnostics.conclusions import conclude, outside
from diagnostics.facts import Boot, Facts, Machine
from diagnostics.steps import own, trail
from diagnostics.steps.outcome import Subject
from instances import ecs
from tests.factories import a_person
from tests.reboots.driving import approved, asked, over

pytestmark = pytest.mark.django_db


@pytest.fixture
def rebooted(fleet):
    """An instance that an approved batch rebooted just now, and what a case of it is told."""
    row = next(row for row in fleet.rows if untouched(fleet, row))
    over(approved(asked([row], by=a_person("operator")), by=a_person("manager")))
    assert fleet.counted("boots", row) == 1
    return row, known(row)


def untouched(fleet, row) -> bool:
    """No test before took it down: the trail outlives the database."""
    now = timezone.now()
    calls = fleet.simulator.cloud.trail.between(now - timedelta(days=1), now)
    return not any(row.instance_id in call.instance_ids for call in calls)


def known(row) -> Facts:
    case = cases.open_case(
        instance=row, instance_text=row.instance_id, opened_by=None, via="command", ring=False
    )
    subject = Subject(row.account.signing(), row.region, row.instance_id)
    acts = own.read(own.look(case).facts)
    seen = trail.read(trail.ask(subject, trail.span(case)).facts)
    boot = Boot(timezone.now())
    return Facts(
        now=boot.at + timedelta(hours=1),
        machine=Machine(row.instance_id, os_type="linux", status="Running"),
        acts=acts,
        trail=replace(seen, until=boot.at + timedelta(hours=1)),
        boot=boot,
    )


def test_the_trail_has_it_and_it_is_nobody_elses(rebooted):
    row, facts = rebooted
    item = row.reboot_items.get()
    assert item.request_id in {act.request_id for act in facts.trail.acts}
    assert all(act.our_key for act in facts.trail.acts)
    assert outside.others(facts) == ()


def test_the_verdict_names_batch_requester_and_approver(rebooted):
    row, facts = rebooted
    batch = row.reboot_items.get().batch
    told = conclude(facts)
    assert told.verdict.kind == "own_action"
    approver = batch.approvals.get().decisions.get().person
    cause = str(told.root_cause)
    assert all(name in cause for name in (batch.name, str(batch.asked_by), str(approver)))


def test_a_second_reboot_past_the_portal_is_somebody_elses(rebooted):
    row, _facts = rebooted
    ecs.power(row.account.signing(), row.region, [row.instance_id], "reboot")
    facts = known(row)
    (other,) = outside.others(facts)
    assert other.name == "RebootInstances" and other.our_key
    assert conclude(facts).verdict.kind == "outside_action"
