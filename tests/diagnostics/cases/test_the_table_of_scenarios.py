"""The scenarios that must come out right, as facts, each with a near miss that must not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from diagnostics.conclusions import conclude
from diagnostics.facts import Agent, Boot, Capture, Dump, Event, Facts, Machine, OwnAct
from diagnostics.findings import Analysis, Confidence, Finding, Quote, Severity, Verdict, Window
from diagnostics.wording import say

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DOWN, BOOT = NOW - timedelta(hours=3, minutes=4), NOW - timedelta(hours=3)
REPORTED = Window(DOWN - timedelta(minutes=20), DOWN + timedelta(minutes=40))
MINUTE = timedelta(minutes=1)


def event(type, finished=BOOT, status="Executed", published=None, **more):
    return Event("e-1", type, status, published or finished - 4 * MINUTE, None, finished, **more)


def panic(subkind="null_deref", at=DOWN, **more):
    verdict = Verdict(
        "kernel_panic", subkind, True, more.pop("function", None), confidence=Confidence.CERTAIN
    )
    reason = more.pop("reason", "Kernel panic - not syncing: Fatal exception in interrupt")
    proof = Finding("kernel.panic", Severity.CRITICAL, reason, Quote(reason, "vmcore_dmesg", at))
    return Analysis(verdict, findings=(proof,), at=at, reason=reason, **more)


def analysis(kind, subkind=None, at=DOWN, title="", source="journal_previous", **more):
    crashed = more.pop("crashed", kind in ("unexplained_reboot", "unclean_no_bugcheck", "bugcheck"))
    code = more.pop("bugcheck_code", None)
    verdict = Verdict(
        kind, subkind, crashed, bugcheck_code=code, confidence=more.pop("sure", Confidence.LIKELY)
    )
    found = Finding(more.pop("code", "x.y"), Severity.INFO, title, Quote(title, source, at))
    return Analysis(verdict, findings=(found,) if title else (), at=at, **more)


HEALTHY = analysis("none", "healthy", at=None)
LINUX = Machine("i-1", "cn-hangzhou", "web", "linux", "Running", BOOT)
WINDOWS = replace(LINUX, os_type="windows")
VMCORE = Dump("/var/crash/127.0.0.1/vmcore", 10**8, DOWN + MINUTE)
ARMED = Capture("rhel", armed=True)
UNARMED = Capture("rhel", armed=False)


def facts(guest=HEALTHY, *, machine=LINUX, boot=BOOT, reported=REPORTED, **more):
    agent = more.pop("agent", Agent(True, NOW))
    return Facts(
        now=NOW,
        machine=machine,
        reported=reported,
        agent=agent,
        boot=Boot(boot, "b-1") if boot else None,
        guest=guest,
        **more,
    )


def words(conclusion) -> str:
    return " ".join(map(str, (conclusion.root_cause, *conclusion.recommendations)))


def test_1_maintenance_in_the_window_ends_the_search():
    told = conclude(facts(guest=None, boot=None, events=(event("SystemMaintenance.Reboot"),)))
    assert told.verdict.kind == "platform_maintenance"
    assert told.ends_search and told.verdict.confidence == Confidence.CERTAIN
    assert told.outage_minutes == 4


@pytest.mark.parametrize("status", ["Scheduled", "Inquiring", "Avoided", "Canceled", "Failed"])
def test_1_near_miss_maintenance_that_never_ran(status):
    planned = event("SystemMaintenance.Reboot", status=status)
    told = conclude(facts(panic(), events=(planned,)))
    assert told.verdict.kind == "kernel_panic"


def test_2_a_panic_in_a_driver_with_its_dump():
    crash = panic(function="nvme_queue_rq", module="nvme")
    told = conclude(facts(crash, capture=replace(ARMED, dumps=(VMCORE,))))
    assert (told.verdict.kind, told.verdict.function) == ("kernel_panic", "nvme_queue_rq")
    assert "module nvme" in words(told) and "dump was captured" in words(told)
    assert VMCORE.path in words(told) and "support" in words(told)
    assert "kexec-tools" not in words(told)


def test_2_near_miss_an_old_dump_is_not_of_this_crash():
    old = replace(VMCORE, at=DOWN - timedelta(days=9))
    told = conclude(facts(panic(), capture=replace(ARMED, dumps=(old,))))
    assert "no crash dump of it was found" in words(told)


@pytest.mark.parametrize(
    ("family", "step"),
    [("rhel", "yum install -y kexec-tools"), ("debian", "apt-get install -y kdump-tools")],
)
def test_3_a_panic_without_kdump_gets_the_steps_of_its_family(family, step):
    told = conclude(facts(panic(), capture=Capture(family, armed=False)))
    assert told.verdict.kind == "kernel_panic"
    assert "Nothing was captured: kdump is not set up" in words(told) and step in words(told)


def test_4_memory_ran_out_and_panic_on_oom_made_it_a_panic():
    crash = panic("oom_panic", details={"eaters": ["java 13 GB", "mysqld 1 GB"]})
    told = conclude(facts(crash, capture=replace(ARMED, panic_on_oom=1, dumps=(VMCORE,))))
    assert told.verdict.subkind == "oom_panic"
    assert "vm.panic_on_oom=0" in words(told) and "java 13 GB" in words(told)


def test_5_a_killed_process_is_no_reboot():
    kill = analysis("oom_kill", "global", at=NOW - MINUTE, title="killed java", source="dmesg")
    told = conclude(facts(kill, boot=NOW - timedelta(days=40), reported=None))
    assert told.verdict.kind == "oom_kill" and told.went_down is False
    assert "not a reboot" in words(told) and "There was no outage".lower() not in words(told)


def test_5_near_miss_a_kill_before_a_reboot_does_not_explain_it():
    kill = analysis("oom_kill", "global", at=DOWN, title="killed java")
    told = conclude(facts(kill))
    assert told.verdict.kind == "unexplained_reboot"
    assert "killed java" in words(told) and "does not reboot a machine" in words(told)


BSOD = analysis("bugcheck", bugcheck_code="0x7A", reason="0x7A KERNEL_DATA_INPAGE_ERROR")
DUMP = Dump("C:\\Windows\\MEMORY.DMP", 10**9, BOOT)


def test_6_a_blue_screen_with_its_dump():
    kept = Capture("windows", True, (DUMP,), crash_dump_enabled=7, pagefile=True)
    told = conclude(facts(BSOD, machine=WINDOWS, capture=kept))
    assert (told.verdict.kind, told.verdict.bugcheck_code) == ("bugcheck", "0x7A")
    assert "KERNEL_DATA_INPAGE_ERROR" in words(told) and DUMP.path in words(told)


def test_7_a_blue_screen_with_dumps_turned_off():
    off = Capture("windows", False, crash_dump_enabled=0, pagefile=True)
    told = conclude(facts(BSOD, machine=WINDOWS, capture=off))
    assert told.verdict.kind == "bugcheck"
    assert "CrashDumpEnabled=0" in words(told) and "CrashDumpEnabled=7" in words(told)


def test_8_no_dump_because_there_is_no_page_file():
    none = Capture("windows", False, crash_dump_enabled=7, pagefile=False)
    unclean = analysis("unclean_no_bugcheck", sure=Confidence.POSSIBLE, title="41 without a code")
    told = conclude(facts(unclean, machine=WINDOWS, capture=none))
    assert told.verdict.kind == "unclean_no_bugcheck" and told.verdict.crashed
    assert "no page file" in words(told) and "page file managed by the system" in words(told)


def test_8_near_miss_with_a_page_file_nobody_is_told_to_make_one():
    fine = Capture("windows", True, crash_dump_enabled=7, pagefile=True)
    told = conclude(facts(BSOD, machine=WINDOWS, capture=fine))
    assert "page file" not in words(told)


def test_9_a_minidump():
    small = Dump("C:\\Windows\\Minidump\\1.dmp", 10**6, BOOT, small=True, bugcheck_code="0x7A")
    kept = Capture("windows", True, (small,), crash_dump_enabled=3, pagefile=True)
    told = conclude(facts(BSOD, machine=WINDOWS, capture=kept))
    assert "minidump was captured" in words(told) and told.verdict.bugcheck_code == "0x7A"


def test_10_application_crashes_are_no_system_crash():
    crash = analysis("none_app_crash", at=NOW - MINUTE, title="shop.exe crashed", source="events")
    long_ago = NOW - timedelta(days=20)
    told = conclude(facts(crash, machine=WINDOWS, boot=long_ago))
    assert told.verdict.kind == "none_app_crash" and told.went_down is False
    assert "shop.exe" in words(told) and "but Windows did not" in words(told)


def test_11_maintenance_three_weeks_before_is_not_the_reason():
    old = event("SystemMaintenance.Reboot", BOOT - timedelta(days=21))
    for reported in (REPORTED, None):
        told = conclude(facts(panic(), events=(old,), reported=reported))
        assert told.verdict.kind == "kernel_panic"
        assert "none of its 1 system events" in " ".join(str(e.because) for e in told.excluded)


def test_12_our_own_reboot_is_named_with_who_asked_and_approved():
    ours = OwnAct("nightly batch", DOWN, "li", "wang", takes_down=True, reference="batch 7")
    told = conclude(facts(analysis("normal_reboot", "reboot"), acts=(ours,)))
    assert told.verdict.kind == "own_action"
    assert all(word in words(told) for word in ("nightly batch", "batch 7", "li", "wang"))


def test_12_near_miss_a_harmless_run_or_one_of_yesterday():
    harmless = OwnAct("df -h", DOWN, "li", takes_down=False)
    yesterday = OwnAct("reboot", DOWN - timedelta(days=1), "li", takes_down=True)
    told = conclude(facts(analysis("normal_reboot", "reboot"), acts=(harmless, yesterday)))
    assert told.verdict.kind == "normal_reboot"


def test_12_near_miss_our_reboot_does_not_hide_a_panic():
    ours = OwnAct("reboot", DOWN, "li", takes_down=True)
    assert conclude(facts(panic(), acts=(ours,))).verdict.kind == "kernel_panic"


def test_13_the_panic_stands_on_the_serial_console_only():
    failed = event("InstanceFailure.Reboot")
    told = conclude(facts(HEALTHY, events=(failed,), console=panic(at=None)))
    assert told.verdict.kind == "kernel_panic" and told.origin == "console"
    assert "serial console" in words(told)


def test_13_the_same_when_the_guest_cannot_be_asked():
    told = conclude(
        facts(
            None,
            boot=None,
            agent=Agent(False),
            console=panic(at=None),
            unasked={"guest": say("agent down")},
        )
    )
    assert told.verdict.kind == "kernel_panic" and told.not_checked


def test_16_an_orderly_reboot_by_a_named_user():
    orderly = analysis(
        "normal_reboot", "reboot", title="li ran reboot through sudo", code="who.sudo"
    )
    told = conclude(facts(orderly))
    assert told.verdict.kind == "normal_reboot" and "li ran reboot" in words(told)


SINCE_MAY = replace(LINUX, started_at=NOW - timedelta(days=200))


@pytest.mark.parametrize("told", ["guest", "console"])
def test_14_a_dated_record_tells_the_time_where_nobody_gave_one(told):
    records = {"guest": None, told: panic()}
    found = conclude(facts(machine=SINCE_MAY, boot=None, reported=None, **records))
    assert found.verdict.kind == "kernel_panic"
    assert found.went_down_at == DOWN
    assert found.window_start < DOWN < found.window_end


def test_16_the_console_tells_of_an_orderly_reboot_where_the_guest_cannot_be_asked():
    orderly = analysis("normal_reboot", "reboot", title="reboot: Restarting system")
    told = conclude(facts(None, boot=None, agent=Agent(False), console=orderly))
    assert (told.verdict.kind, told.origin) == ("normal_reboot", "console")
    assert told.verdict.confidence == Confidence.LIKELY
    assert "serial console" in words(told) and told.went_down_at == DOWN


def test_17_no_end_before_the_boot_is_never_a_guess():
    reset = analysis("unexplained_reboot", "power_reset")
    told = conclude(facts(reset, capture=UNARMED))
    assert told.verdict.kind == "unexplained_reboot" and told.verdict.crashed
    assert "cannot be told" in words(told)
    assert "/var/log/journal" in words(told) and "console=ttyS0" in words(told)


def test_17_near_miss_without_records_of_the_time_before_nothing_is_said():
    told = conclude(facts(HEALTHY, reaches_back=False))
    assert told.verdict.kind == "undetermined"


def test_17_an_unasked_platform_is_not_a_silent_one():
    unasked = {"events": say("403")}
    told = conclude(facts(analysis("unexplained_reboot", "unknown"), unasked=unasked))
    assert told.verdict.confidence == Confidence.POSSIBLE
    assert "could not be asked" in words(told)
    assert not any("platform" in str(each.what).lower() for each in told.excluded)


def test_18_a_host_failure():
    told = conclude(facts(None, boot=None, events=(event("SystemFailure.Reboot"),)))
    assert told.verdict.kind == "platform_failure"
    assert "support" in words(told) and "migrated" in words(told)


def test_19_an_expired_instance():
    stopped = replace(LINUX, status="Stopped", started_at=NOW - timedelta(days=90))
    expired = event("InstanceExpiration.Stop", NOW - timedelta(hours=5))
    told = conclude(facts(None, machine=stopped, boot=None, reported=None, events=(expired,)))
    assert told.verdict.kind == "instance_expired" and "Renew" in words(told)
    assert told.came_back_at is None


def stopped_with(console):
    machine = replace(LINUX, status="Stopped", started_at=NOW - timedelta(days=90))
    return conclude(facts(None, machine=machine, boot=None, reported=None, console=console))


def test_a_stopped_instance_whose_console_ends_in_order_is_known_to_be_down_since_then():
    ended = NOW - timedelta(days=6)
    told = stopped_with(analysis("normal_reboot", "shutdown", at=ended))
    assert told.verdict.kind == "undetermined" and told.went_down_at == ended
    assert "ends with an orderly shutdown" in words(told) and "down since" in str(told.impact)


@pytest.mark.parametrize(("kind", "days"), [("normal_reboot", 91), ("none", 6)])
def test_near_miss_a_console_of_before_the_last_start_or_without_an_end_tells_no_time(kind, days):
    told = stopped_with(analysis(kind, at=NOW - timedelta(days=days)))
    assert told.went_down_at is None and "no record tells since when" in str(told.impact)


def test_19_an_expiry_after_the_reported_time_is_why_it_is_stopped_now():
    stopped = replace(LINUX, status="Stopped", started_at=NOW - timedelta(days=90))
    expired = event("InstanceExpiration.Stop", REPORTED.end + timedelta(hours=2))
    told = conclude(facts(None, machine=stopped, boot=None, events=(expired,)))
    assert told.verdict.kind == "instance_expired"
    assert told.went_down_at > REPORTED.end


@pytest.mark.parametrize("moved", [timedelta(hours=-6), timedelta(hours=2)])
def test_19_near_miss_an_expiry_before_the_report_or_the_last_start(moved):
    """Renewed and started since, or long before what was asked about."""
    started = REPORTED.end + timedelta(minutes=90) if moved > timedelta(0) else None
    stopped = replace(LINUX, status="Stopped", started_at=started)
    expired = event("InstanceExpiration.Stop", REPORTED.start + moved)
    told = conclude(facts(None, machine=stopped, boot=None, events=(expired,)))
    assert told.verdict.kind == "undetermined"


def test_20_a_blocked_task_behind_storage():
    crash = panic("hung_task", reason="Kernel panic - not syncing: hung_task: blocked tasks")
    told = conclude(facts(crash))
    assert told.verdict.subkind == "hung_task" and "NFS" in words(told)


@pytest.mark.parametrize("subkind", ["soft_lockup", "hard_lockup", "rcu_stall"])
def test_20_near_miss_a_cpu_that_was_stuck_waited_for_nothing(subkind):
    told = conclude(facts(panic(subkind)))
    assert "what the CPU was running" in words(told)
    assert "blocked task" not in words(told) and "NFS" not in words(told)


def test_21_the_platform_saw_it_fail_and_the_guest_wrote_nothing():
    told = conclude(facts(HEALTHY, events=(event("InstanceFailure.Reboot"),)))
    assert told.verdict.kind == "unexplained_reboot" and not told.ends_search
    assert "below the level at which the kernel still writes logs" in words(told)


def test_21_near_miss_the_guests_panic_wins():
    told = conclude(facts(panic(), events=(event("InstanceFailure.Reboot"),)))
    assert told.verdict.kind == "kernel_panic"


def test_22_it_did_not_go_down():
    long_ago = NOW - timedelta(days=30, hours=2)
    told = conclude(facts(boot=long_ago))
    assert (told.verdict.kind, told.verdict.confidence) == ("none", Confidence.CERTAIN)
    assert "30 days 2 hours" in words(told) and "b-1" in words(told)
    assert told.went_down is False and told.outage_minutes is None


def test_22_near_miss_a_boot_after_the_reported_time_is_pointed_at():
    early = Window(NOW - timedelta(hours=9), NOW - timedelta(hours=8))
    before = Window(NOW - timedelta(days=3), DOWN)
    told = conclude(facts(panic(), reported=early, earlier_boots=(before,)))
    assert told.verdict.kind == "none"
    assert any("after the reported time" in str(each) for each in told.contradictions)


def test_22_near_miss_a_panic_of_last_month_does_not_count():
    crash = panic(at=NOW - timedelta(days=30))
    told = conclude(facts(crash, boot=NOW - timedelta(days=30) + MINUTE))
    assert told.verdict.kind == "none"


def test_a_crash_without_a_time_is_not_blamed_for_another_time():
    early = Window(DOWN - timedelta(days=2), DOWN - timedelta(days=2) + MINUTE)
    told = conclude(facts(HEALTHY, reported=early, console=panic(at=None)))
    assert told.verdict.kind == "undetermined"
    before, at_boot = Window(early.start - MINUTE, early.start), early.end + MINUTE
    between = Window(at_boot, DOWN)
    told = conclude(
        facts(HEALTHY, reported=early, earlier_boots=(before, between), console=panic(at=None))
    )
    assert told.verdict.kind == "unexplained_reboot"


def test_23_asked_through_the_platform_by_somebody_else():
    key = analysis(
        "normal_reboot", "shutdown", title="the power key was pressed", code="who.power-key"
    )
    told = conclude(facts(key))
    assert told.verdict.kind == "outside_action" and "ActionTrail" in words(told)


def test_nothing_to_judge_by_is_undetermined_never_none():
    silent = {name: say("no answer") for name in ("instance", "events", "agent", "guest")}
    nobody = Machine("i-1")
    told = conclude(facts(None, machine=nobody, boot=None, reported=None, unasked=silent))
    assert told.verdict.kind == "undetermined"
    assert told.verdict.confidence == Confidence.NONE
    assert len(told.not_checked) == 4 and not told.excluded


@pytest.mark.parametrize("system", ["linux", "windows", ""])
@pytest.mark.parametrize("status", ["Running", "Stopped", ""])
@pytest.mark.parametrize("reported", [None, REPORTED])
def test_there_is_always_an_answer_with_recommendations(system, status, reported):
    machine = Machine("i-1", os_type=system, status=status)
    told = conclude(Facts(now=NOW, machine=machine, reported=reported))
    assert told.recommendations and str(told.root_cause) and str(told.impact)
    assert told.verdict.kind == "undetermined"


@pytest.mark.parametrize("alive", [True, False])
def test_nobody_is_sent_to_repair_an_agent_that_answers(alive):
    silent = facts(guest=None, boot=None)
    told = words(conclude(replace(silent, agent=Agent(alive=alive))))
    assert ("reinstall its agent" in told) is not alive
    assert ("needs no repair" in told) is alive


def test_half_the_output_never_leaves_a_negative_certain():
    reset = analysis("unexplained_reboot", "power_reset", sure=Confidence.CERTAIN)
    assert conclude(facts(reset, guest_complete=False)).verdict.confidence == Confidence.POSSIBLE


def test_half_a_minute_is_not_told_as_an_outage_of_none():
    told = conclude(facts(panic(at=BOOT - timedelta(seconds=29))))
    assert told.outage_minutes == 1


def test_what_went_down_after_the_reported_time_is_not_said_to_have_been_up_since():
    asked = Window(DOWN - timedelta(hours=6), DOWN - timedelta(hours=5))
    lived = Window(DOWN - timedelta(days=30), DOWN)
    told = conclude(facts(panic(), reported=asked, earlier_boots=(lived,)))
    assert told.verdict.kind == "none" and "up since" not in words(told)
    assert "It went down later than that, before its boot" in words(told)


HEARTBEAT = analysis(
    "bugcheck",
    at=DOWN - 9 * MINUTE,
    bugcheck_code="0x7A",
    details={"heartbeat": DOWN - 9 * MINUTE, "down_at": DOWN - 9 * MINUTE},
)


def test_a_heartbeat_of_windows_is_a_last_sign_of_life_too():
    told = conclude(facts(HEARTBEAT, machine=WINDOWS))
    assert told.last_sign and told.went_down_at == DOWN - 9 * MINUTE


@pytest.mark.parametrize(("at", "last_sign"), [(DOWN, False), (BOOT + MINUTE, True)])
def test_the_header_of_the_dump_tells_the_moment_its_file_does_not(at, last_sign):
    dump = Dump("C:\\Windows\\MEMORY.DMP", 10**9, at, bugcheck_code="0x7A")
    known = Capture("windows", armed=True, dumps=(dump,))
    told = conclude(facts(HEARTBEAT, machine=WINDOWS, capture=known))
    assert told.last_sign == last_sign
    assert told.went_down_at == (DOWN - 9 * MINUTE if last_sign else DOWN)


LIVED = Window(DOWN - timedelta(days=30), DOWN - timedelta(minutes=50))


def test_the_last_sign_of_life_is_not_called_the_time_of_the_end():
    told = conclude(facts(analysis("unexplained_reboot", at=None), earlier_boots=(LIVED,)))
    assert told.last_sign and told.went_down_at == LIVED.end
    assert "at most 54 min" in str(told.impact)


def test_near_miss_a_failing_host_tells_when_it_took_the_instance_down():
    cut = analysis("unexplained_reboot", at=None)
    failed = event("SystemFailure.Reboot", published=DOWN)
    told = conclude(facts(cut, earlier_boots=(LIVED,), events=(failed,)))
    assert (told.went_down_at, told.last_sign, told.outage_minutes) == (DOWN, False, 4)


def test_a_record_that_was_written_after_the_return_does_not_tell_when_it_went_down():
    told = conclude(facts(panic(at=BOOT + timedelta(seconds=4)), earlier_boots=(LIVED,)))
    assert told.verdict.kind == "kernel_panic" and told.went_down_at == LIVED.end
    assert told.last_sign


def test_near_miss_without_a_last_sign_either_no_time_is_made_up():
    told = conclude(facts(panic(at=BOOT + timedelta(seconds=4))))
    assert told.went_down_at is None and told.outage_minutes is None
