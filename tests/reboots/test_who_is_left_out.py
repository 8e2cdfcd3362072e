"""Whoever became unfit after the request stays up, with the reason, and the rest goes on."""

import pytest

from commands import approvals
from commands.invocations import invoke
from commands.models import AutoPass, RebootItem
from commands.reboots import waves
from commands.reboots.preflight import Risk
from commands.targets import Reason, Selection, reach
from instances import refresh
from portal.transitions import WrongState
from tests.factories import a_person
from tests.reboots.driving import approved, asked, draft, outcomes, over, reasons, turn, until_stage

BECAME = [
    ({"released": True}, "gone"),
    ({"status": "Stopped"}, "status: Stopped"),
    ({"agent": "stopped", "for_seconds": 600}, "no_proof"),
]


@pytest.mark.parametrize(("change", "reason"), BECAME, ids=[reason for _, reason in BECAME])
def test_whoever_became_unfit_since_the_approval_is_skipped_with_the_reason(fleet, change, reason):
    unfit, fit = rows = fleet.rows[:2]
    batch = approved(asked(rows, sizes=["1"]))
    fleet.simulator.change(unfit.instance_id, **change)
    over(batch)
    assert outcomes(batch) == ["skipped", "proven"]
    assert reasons(batch)[0] == reason
    assert fleet.counted("reboots", unfit) == 0


def test_whoever_became_protected_since_the_yes_is_spared(fleet):
    unfit, fit = rows = fleet.rows[:2]
    batch = approved(asked(rows))
    fleet.simulator.change(unfit.instance_id, tags={"protected": "yes"})
    over(batch)
    assert outcomes(batch) == ["skipped", "proven"]
    assert reasons(batch)[0] == "protected"
    assert fleet.counted("reboots", unfit) == 0


def test_whoever_was_protected_when_somebody_decided_goes_down(fleet):
    row = fleet.rows[0]
    batch = asked([row])
    fleet.simulator.change(row.instance_id, tags={"protected": "yes"})
    assert outcomes(over(approved(batch))) == ["proven"]


def test_a_rule_lets_nobody_pass_who_lost_its_tag_meanwhile(fleet):
    unfit, fit = rows = fleet.rows[:2]
    for row in rows:
        fleet.simulator.change(row.instance_id, tags={"env": "staging"})
    refresh.look_again(rows, planned=False)
    rule = {"name": "staging", "tag_key": "env", "tag_value": "staging", "at_most": 5}
    AutoPass.objects.create(author=a_person("manager"), **rule)
    batch = asked(rows)
    assert batch.state == "ready"
    fleet.simulator.change(unfit.instance_id, tags={"env": "production"})
    over(batch)
    assert outcomes(batch) == ["skipped", "proven"]
    assert reasons(batch)[0] == "untagged"
    assert fleet.counted("reboots", unfit) == 0


def test_a_locked_one_too(fleet, monkeypatch):
    unfit, fit = rows = fleet.rows[:2]
    batch = approved(asked(rows))
    monkeypatch.setattr(fleet.machine(unfit), "lock_reasons", ("financial",))
    over(batch)
    assert (outcomes(batch), reasons(batch)[0]) == (["skipped", "proven"], "locked: financial")


def test_whoever_another_batch_has_under_way_is_left_to_it(fleet):
    shared, own = rows = fleet.rows[:2]
    first, second = approved(asked([shared])), approved(asked(rows))
    until_stage(first, "before", "power", "proving")
    turn()
    over(second)
    assert outcomes(second) == ["skipped", "proven"]
    assert reasons(second)[0] == f"in_flight: #{first.pk}"
    over(first)
    assert fleet.counted("reboots", shared) == 1


def test_a_run_that_takes_it_down_is_another_power_act(fleet):
    row = fleet.rows[0]
    batch = approved(asked([row]))
    wave = until_stage(batch, "checking")
    told = {"script": "exit 194", "type": "RunShellScript"}
    run = invoke(name="by hand", instances=[row], asked_by=None, **told)
    waves.carry_on(wave.pk)
    assert outcomes(batch) == ["skipped"]
    assert reasons(batch) == [f"run: #{run.pk}"]
    over(batch)
    assert fleet.counted("reboots", row) == 1  # by the run


def test_a_run_whose_turn_is_still_to_come_is_one_too(fleet):
    first, row = fleet.rows[:2]
    batch = approved(asked([row]))
    wave = until_stage(batch, "checking")
    told = {"script": "exit {{code}}", "type": "RunShellScript", "parameters": {"code": "194"}}
    run = invoke(name="by hand", instances=[first, row], asked_by=None, concurrency=1, **told)
    assert run.targets.get(instance=row).dispatch.state == "held"
    waves.carry_on(wave.pk)
    assert reasons(batch) == [f"run: #{run.pk}"]
    assert fleet.counted("reboots", row) == 0


def test_a_run_that_is_approved_in_the_middle_of_a_reboot_waits_for_its_end(fleet):
    row = fleet.rows[0]
    told = {"script": "exit 194", "type": "RunShellScript", "hold_for_approval": True}
    run = invoke(name="by hand", instances=[row], asked_by=a_person("operator"), **told)
    approval = approvals.ask(run, ["it goes down"])
    batch = approved(asked([row]))
    until_stage(batch, "power")
    word = {"by": a_person("manager"), "yes": True, "comment": "", "via": "page"}
    with pytest.raises(WrongState, match=row.name):
        approvals.decide(approval, **word)
    over(batch)
    assert outcomes(batch) == ["proven"]
    assert approvals.decide(approval, **word).state == "approved"


def test_and_the_other_way_round_such_a_run_leaves_it_out(fleet):
    row, other = fleet.rows[:2]
    until_stage(approved(asked([row])), "power")
    picked = Selection(picked=(row.pk, other.pk))
    told = reach(picked, None, script="exit 194", type="RunShellScript", container=False)
    assert told.fit == [other]
    assert told.left_out == {Reason.GOING_DOWN: [row]}
    told = reach(picked, None, script="uptime", type="RunShellScript", container=False)
    assert set(told.fit) == {row, other}


def test_whoever_another_request_has_too_is_told_by_name(fleet, client):
    shared, own = rows = fleet.rows[:2]
    first = asked([shared])
    second = asked(rows)
    turn()
    client.force_login(a_person("manager"))
    page = client.get(second.approvals.get().get_absolute_url())
    assert [item.instance for item in page.context["risky"][Risk.ALSO_ASKED]] == [shared]
    assert "another open request has it too" in page.text
    assert second.items.get(instance=shared).facts["also_asked"] == first.pk
    changed = client.get(first.approvals.get().get_absolute_url()).context["changed"]
    assert [found for _item, found in changed] == [{"also_asked": (None, second.pk)}]


def test_more_than_the_approver_allowed_stop_the_rest(fleet):
    rows = fleet.rows[:4]
    batch = approved(asked(rows, sizes=["2"]), may_shrink=0)
    fleet.simulator.change(rows[0].instance_id, released=True)
    over(batch)
    assert outcomes(batch) == ["skipped", "not_started", "not_started", "not_started"]
    assert batch.ending == "shrunk"
    assert [fleet.counted("reboots", row) for row in rows] == [0, 0, 0, 0]


def test_without_proof_only_who_was_accepted_by_name_goes_down(fleet):
    accepted, left = rows = fleet.rows[:2]
    for row in rows:
        fleet.simulator.change(row.instance_id, agent="stopped", for_seconds=600)
    batch = asked(rows, max_errors="100%")
    item = RebootItem.objects.get(batch=batch, instance=accepted)
    over(approved(batch, accepted=[item.pk]))
    assert outcomes(batch) == ["unverified", "skipped"]
    assert reasons(batch)[1] == "no_proof"
    assert [fleet.counted("reboots", row) for row in rows] == [1, 0]


def test_what_does_not_fit_at_the_request_is_named_in_it(fleet):
    from commands.reboots import asking

    stopped, fit = rows = fleet.rows[:2]
    stopped.status = "Stopped"
    stopped.save()
    batch = asking.ask(draft(), [*rows, fit], by=a_person("operator"), via="page", once=None)
    assert batch.size == batch.items.count() == 1
    assert batch.left_out == {"status": {"count": 1, "names": [str(stopped)]}}
