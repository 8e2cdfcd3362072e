"""What looks like a scenario of the table and is not; and that every scenario has both."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from diagnostics.conclusions import conclude
from diagnostics.facts import Agent, Capture, Dump, OutsideAct, OwnAct, Trail
from diagnostics.findings import Finding, Quote, Severity
from diagnostics.wording import say
from tests.diagnostics.cases.test_the_table_of_scenarios import (
    ARMED,
    BOOT,
    BSOD,
    DOWN,
    DUMP,
    HEALTHY,
    LINUX,
    MINUTE,
    NOW,
    REPORTED,
    UNARMED,
    WINDOWS,
    analysis,
    event,
    facts,
    panic,
    words,
)

LONG_AGO = NOW - timedelta(days=30)
SYSRQ = panic("sysrq", function="sysrq_handle_crash", reason="sysrq: Trigger a crash")


def finding(code, title, **more):
    return Finding(code, Severity.INFO, title, Quote(title, "history"), facts=more)


NAMING = finding("history.names", "The history of root names sysrq-trigger", word="sysrq-trigger")
THERE = finding("login.session", "root was logged in from 10.8.0.23 on pts/0")


def test_every_scenario_has_its_test_and_its_near_miss():
    folder = Path(__file__).parent
    text = "".join(
        (folder / name).read_text()
        for name in ("test_the_table_of_scenarios.py", Path(__file__).name)
    )
    told = set(map(int, re.findall(r"^def test_(\d+)_(?!near_miss)", text, re.M)))
    missed = set(map(int, re.findall(r"^def test_(\d+)_near_miss", text, re.M)))
    assert told == missed == set(range(1, 24))


def test_3_near_miss_with_kdump_ready_nobody_is_told_to_set_it_up():
    told = conclude(facts(panic(), capture=ARMED))
    assert "kdump is set up, but no crash dump" in words(told)
    assert "Set up kdump" not in words(told)


def test_4_near_miss_another_panic_on_a_machine_with_panic_on_oom():
    told = conclude(facts(panic(), capture=replace(ARMED, panic_on_oom=1)))
    assert told.verdict.subkind == "null_deref" and "panic_on_oom" not in words(told)


def test_6_near_miss_a_dump_of_another_crash():
    old = replace(DUMP, at=DOWN - timedelta(days=40))
    kept = Capture("windows", True, (old,), crash_dump_enabled=7, pagefile=True)
    told = conclude(facts(BSOD, machine=WINDOWS, capture=kept))
    assert "no dump of this crash was found" in words(told) and DUMP.path not in words(told)


def test_7_near_miss_a_dump_that_is_missing_although_dumps_are_on():
    fine = Capture("windows", True, crash_dump_enabled=7, pagefile=True)
    told = conclude(facts(BSOD, machine=WINDOWS, capture=fine))
    assert "CrashDumpEnabled=0" not in words(told) and "Turn on memory dumps" not in words(told)


def test_9_near_miss_a_minidump_of_last_month():
    old = Dump("C:\\Windows\\Minidump\\1.dmp", 10**6, LONG_AGO, small=True, bugcheck_code="0x1")
    kept = Capture("windows", True, (old,), crash_dump_enabled=3, pagefile=True)
    told = conclude(facts(BSOD, machine=WINDOWS, capture=kept))
    assert "minidump was captured" not in words(told) and told.verdict.bugcheck_code == "0x7A"


def test_10_near_miss_a_crashed_program_before_an_end_without_a_shutdown():
    unclean = analysis("unclean_no_bugcheck", title="41 without a code")
    told = conclude(facts(unclean, machine=WINDOWS))
    assert told.verdict.kind == "unclean_no_bugcheck" and told.went_down


def test_11_near_miss_maintenance_minutes_before_is_the_reason():
    told = conclude(facts(HEALTHY, events=(event("SystemMaintenance.Reboot", BOOT - MINUTE),)))
    assert told.verdict.kind == "platform_maintenance"


def test_14_near_miss_a_record_of_before_the_last_start_does_not_tell_of_it():
    told = conclude(facts(panic(at=LONG_AGO), boot=None, reported=None))
    assert told.verdict.kind == "undetermined"


@pytest.mark.parametrize("at", [None, LONG_AGO])
def test_16_near_miss_an_orderly_end_of_another_time_on_the_console(at):
    orderly = analysis("normal_reboot", "reboot", at=at, title="reboot: Restarting system")
    told = conclude(facts(None, boot=None, agent=Agent(False), console=orderly))
    assert told.verdict.kind == "undetermined"


def test_13_near_miss_an_old_panic_on_the_console_of_a_stopped_machine():
    stopped = replace(LINUX, status="Stopped")
    told = conclude(facts(None, machine=stopped, boot=None, console=panic(at=None)))
    assert told.verdict.kind == "undetermined"


HANDED = ("vmcore-dmesg.txt",)


def test_14_an_upload_is_enough_and_its_origin_is_said():
    down = {"agent": say("the agent is down")}
    told = conclude(facts(panic(), agent=Agent(False), handed=HANDED, boot=None, unasked=down))
    assert told.verdict.kind == "kernel_panic"
    assert "vmcore-dmesg.txt" in words(told) and "could not verify" in words(told)


def test_14_near_miss_an_upload_of_another_machine():
    told = conclude(facts(panic(), handed=HANDED, boot=None, other_host="db-09"))
    assert any("db-09" in str(said) for said in told.contradictions)


def test_15_a_triggered_crash_says_who_where_the_evidence_tells():
    told = conclude(facts(replace(SYSRQ, findings=(*SYSRQ.findings, NAMING, THERE))))
    assert told.verdict.subkind == "sysrq" and "by hand, through SysRq" in words(told)
    assert "names sysrq-trigger" in str(told.names) and "10.8.0.23" in str(told.names)
    assert "10.8.0.23" not in words(told), "what a customer reads names nobody"
    assert told.went_down_at == DOWN


def test_15_near_miss_a_history_that_names_it_proves_no_crash():
    quiet = replace(analysis("unexplained_reboot", "unknown"), findings=(NAMING, THERE))
    told = conclude(facts(quiet))
    assert told.verdict.kind == "unexplained_reboot" and told.names is None


def test_15_near_miss_a_triggered_crash_of_which_nothing_tells_who():
    assert conclude(facts(SYSRQ)).names is None


def test_16_near_miss_a_reboot_by_name_of_another_day():
    asked = analysis("normal_reboot", "reboot", title="li ran reboot", code="who.sudo")
    old = replace(asked.findings[0].quote, at=DOWN - timedelta(days=3))
    orderly = replace(asked, findings=(replace(asked.findings[0], quote=old),))
    told = conclude(facts(orderly))
    assert told.verdict.kind == "normal_reboot" and "li ran" not in words(told)


def test_18_near_miss_a_host_failure_of_last_week():
    old = event("SystemFailure.Reboot", BOOT - timedelta(days=7))
    assert conclude(facts(panic(), events=(old,))).verdict.kind == "kernel_panic"


def test_19_near_miss_an_expiry_that_was_only_announced():
    stopped = replace(LINUX, status="Stopped", started_at=NOW - timedelta(days=90))
    coming = event("InstanceExpiration.Stop", NOW, status="Scheduled")
    told = conclude(facts(None, machine=stopped, boot=None, reported=None, events=(coming,)))
    assert told.verdict.kind == "undetermined"


def test_20_near_miss_a_blocked_task_without_a_panic():
    hung = analysis("hang", "hung_task", at=NOW - MINUTE, title="blocked", source="dmesg")
    told = conclude(facts(hung, boot=LONG_AGO, reported=None))
    assert told.verdict.kind == "hang" and told.went_down is False


def test_23_near_miss_a_power_key_that_was_our_own():
    key = analysis("normal_reboot", "shutdown", title="power key", code="who.power-key")
    ours = OwnAct("batch 7", DOWN, "li", "wang", takes_down=True, reference="R-1")
    seen = OutsideAct("RebootInstances", DOWN, user="portal", request_id="R-1", our_key=True)
    trail = Trail(NOW - timedelta(days=2), NOW, (seen,))
    assert conclude(facts(key, acts=(ours,), trail=trail)).verdict.kind == "own_action"


@pytest.mark.parametrize(
    ("guest", "console"),
    [(panic(), analysis("normal_reboot", "reboot")), (analysis("normal_reboot"), panic())],
)
def test_records_that_contradict_each_other_are_shown(guest, console):
    told = conclude(facts(guest, console=console))
    assert told.verdict.kind == "kernel_panic"
    assert any("shows an orderly reboot" in str(said) for said in told.contradictions)


@pytest.mark.parametrize("failed", ["SystemFailure.Reboot", "InstanceFailure.Reboot"])
def test_an_orderly_end_beside_a_failure_of_the_platform_is_a_contradiction(failed):
    orderly = analysis("normal_reboot", "reboot", title="The system was restarted in order")
    told = conclude(facts(orderly, events=(event(failed),), capture=UNARMED))
    assert any("shows an orderly end" in str(said) for said in told.contradictions)
    planned = conclude(facts(orderly, events=(event("SystemMaintenance.Reboot"),)))
    assert not planned.contradictions, "maintenance presses the power key"


def test_nothing_contradicts_where_all_fits():
    assert not conclude(facts(panic(), reported=REPORTED)).contradictions
