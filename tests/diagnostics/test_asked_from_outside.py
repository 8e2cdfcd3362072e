"""A reboot asked through the cloud by somebody else: who, when, from where; never our own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from diagnostics.conclusions import conclude
from diagnostics.facts import OutsideAct, OwnAct, Trail
from diagnostics.findings import Confidence
from diagnostics.wording import say
from tests.diagnostics.cases.test_the_table_of_scenarios import (
    BOOT,
    DOWN,
    HEALTHY,
    LINUX,
    MINUTE,
    NOW,
    WINDOWS,
    analysis,
    event,
    facts,
    panic,
    words,
)

CALL = OutsideAct(
    "RebootInstance",
    DOWN - timedelta(seconds=5),
    user="terraform-ci",
    user_type="ram-user",
    source_ip="203.0.113.77",
    agent="Terraform/1.9",
    request_id="R-1",
)
KEYED = analysis(
    "normal_reboot", "shutdown", title="the power key was pressed", code="who.power-key"
)
SUDO = analysis("normal_reboot", "reboot", title="li ran reboot through sudo", code="who.sudo")
RESET = analysis("unexplained_reboot", "power_reset")


def trail(*calls, **more):
    return Trail(NOW - timedelta(days=2), NOW, calls, **more)


def test_who_when_and_from_where_stand_in_the_verdict_and_are_cited():
    told = conclude(facts(KEYED, trail=trail(CALL)))
    assert told.verdict.kind == "outside_action" and told.origin == "trail"
    assert told.verdict.confidence == Confidence.CERTAIN
    cause = str(told.root_cause)
    assert all(word in cause for word in ("terraform-ci", "203.0.113.77", "RebootInstance", "R-1"))
    assert f"{CALL.at:%Y-%m-%d %H:%M:%S}" in cause
    (cited,) = told.cites
    assert cited.quote.source == "audit_trail" and "R-1" in cited.quote.text


@pytest.mark.parametrize("guest", [None, HEALTHY, RESET])
def test_it_explains_a_going_down_of_which_the_guest_says_nothing(guest):
    told = conclude(facts(guest, trail=trail(replace(CALL, forced=True))))
    assert told.verdict.kind == "outside_action" and "forced" in words(told)


def test_the_platform_signature_on_windows_gets_its_name():
    planned = analysis("planned_platform", title="1074 by the platform")
    told = conclude(facts(planned, machine=WINDOWS, trail=trail(CALL)))
    assert told.verdict.kind == "outside_action" and "terraform-ci" in words(told)


def test_a_stopped_machine_that_nobody_can_ask_is_explained_too():
    stopped = replace(LINUX, status="Stopped", started_at=NOW - timedelta(days=1))
    call = replace(CALL, name="StopInstance")
    told = conclude(facts(None, machine=stopped, boot=None, reported=None, trail=trail(call)))
    assert told.verdict.kind == "outside_action" and told.came_back_at is None


OURS = OwnAct("nightly", DOWN - timedelta(seconds=9), "li", takes_down=True, reference="R-1")


def test_our_own_call_is_known_by_its_request():
    assert conclude(facts(KEYED, acts=(OURS,), trail=trail(CALL))).verdict.kind == "own_action"


def test_our_own_call_without_an_answer_is_known_by_key_and_time():
    unanswered = replace(OURS, reference="")
    ours = replace(CALL, our_key=True)
    told = conclude(facts(KEYED, acts=(unanswered,), trail=trail(ours)))
    assert told.verdict.kind == "own_action"


def test_somebody_who_followed_our_reboot_with_another_is_the_one():
    later = replace(CALL, request_id="R-2", at=DOWN + timedelta(seconds=20))
    told = conclude(facts(KEYED, acts=(OURS,), trail=trail(later)))
    assert told.verdict.kind == "outside_action"


def test_our_key_in_other_hands_is_said_in_words():
    told = conclude(facts(KEYED, trail=trail(replace(CALL, our_key=True, user="portal"))))
    assert told.verdict.kind == "outside_action"
    assert "used this portal's own key (portal) outside of it" in words(told)


@pytest.mark.parametrize(
    "other",
    [
        {"error": "IncorrectInstanceStatus"},
        {"name": "StartInstance"},
        {"at": DOWN - timedelta(days=1)},
        {"at": BOOT + 30 * MINUTE},
    ],
)
def test_near_miss_a_call_that_did_not_take_it_down(other):
    told = conclude(facts(RESET, trail=trail(replace(CALL, **other))))
    assert told.verdict.kind == "unexplained_reboot"
    assert "terraform-ci" not in words(told)


def test_near_miss_the_guest_names_somebody_of_its_own():
    told = conclude(facts(SUDO, trail=trail(CALL)))
    assert told.verdict.kind == "normal_reboot" and "li ran reboot" in words(told)
    assert any("names another" in str(said) for said in told.contradictions)


def test_near_miss_a_panic_that_was_answered_by_a_reboot():
    answer = replace(CALL, at=DOWN + MINUTE)
    told = conclude(facts(panic(), trail=trail(answer)))
    assert told.verdict.kind == "kernel_panic"
    assert any("an answer to it" in str(said) for said in told.contradictions)


def test_near_miss_maintenance_still_ends_the_search():
    told = conclude(facts(KEYED, events=(event("SystemMaintenance.Reboot"),), trail=trail(CALL)))
    assert told.verdict.kind == "platform_maintenance"


def test_a_machine_that_stayed_up_was_rebooted_by_nobody():
    told = conclude(facts(boot=NOW - timedelta(days=9), trail=trail(CALL)))
    assert told.verdict.kind == "none"


def test_a_hang_before_the_forced_reboot_is_told_beside_it():
    late = replace(CALL, at=BOOT - timedelta(seconds=30), forced=True)
    record = replace(RESET, at=BOOT - 20 * MINUTE)
    told = conclude(facts(record, trail=trail(late)))
    assert told.verdict.kind == "outside_action"
    assert any("may have hung before" in str(said) for said in told.contradictions)


def test_a_trail_that_was_asked_rules_others_out_and_one_that_was_not_does_not():
    def ruled_out(**more):
        return [str(each.what) for each in conclude(facts(RESET, **more)).excluded]

    through = "A reboot asked through the ECS console or API"
    assert through in ruled_out(trail=trail())
    assert through not in ruled_out()
    assert through not in ruled_out(trail=trail(whole=False))
    assert through not in ruled_out(trail=Trail(NOW - timedelta(days=2), DOWN))


def test_what_could_not_be_asked_is_listed_and_the_lookup_is_named():
    told = conclude(facts(KEYED, unasked={"audit_trail": say("no right")}))
    assert told.verdict.kind == "outside_action" and "ActionTrail" in words(told)
    assert [str(each) for each in told.not_checked] == ["Audit trail of the account: no right"]
    stayed = conclude(facts(boot=NOW - timedelta(days=9), unasked={"audit_trail": say("no")}))
    assert not stayed.not_checked, "nothing went down, so nobody has to have done it"
