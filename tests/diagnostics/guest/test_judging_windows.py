"""What a Windows log tells about the last going-down; each rule with a near miss."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.analyzers import windows
from diagnostics.findings import Confidence, Window
from diagnostics.readers import windows_record

from .fuzzing import SEED, fuzz
from .windows_answers import dump, filetime
from .windows_log import MORNING, Log

UNPLANNED = {
    "bugcheck",
    "unclean_no_bugcheck",
    "unclean_unknown_code",
    "power_button_forced",
    "critical_process_restart",
}
WINLOGON = "C:\\Windows\\system32\\winlogon.exe (WEB01)"
SYSTEM = {"param7": "NT AUTHORITY\\SYSTEM"}


@pytest.fixture
def log():
    return Log()


def verdict(log, window=None, **parts):
    analysis = windows.judge(log.record(**parts), window)
    assert analysis.broken == {}
    return analysis.verdict


def kind(log, **parts):
    return verdict(log, **parts).kind


def test_a_blue_screen_is_named_by_the_record_of_the_next_boot(log):
    log.crash(0, 209)
    log.blue(4, 0xD1)
    analysis = windows.judge(log.record())
    assert (analysis.verdict.kind, analysis.verdict.bugcheck_code) == ("bugcheck", "0xD1")
    assert analysis.reason == "0xD1 DRIVER_IRQL_NOT_LESS_OR_EQUAL"
    assert analysis.verdict.confidence is Confidence.CERTAIN
    assert analysis.findings[0].quote.text.startswith("2026-11-20T02:04:00")


@pytest.mark.parametrize(
    ("noted", "kind_of_end"),
    [
        ("true", "planned_unknown_initiator"),
        ("false", "unclean_no_bugcheck"),
        (None, "undetermined"),
    ],
)
def test_what_windows_noted_of_the_stop_before_counts_where_nothing_else_tells(
    log, noted, kind_of_end
):
    log.started(0)
    if noted:
        log.say(0, 20, "Microsoft-Windows-Kernel-Boot", LastShutdownGood=noted)
    assert kind(log) == kind_of_end


def test_event_41_counts_in_decimal(log):
    log.crash(0, 307)
    assert verdict(log).bugcheck_code == "0x133"


def test_a_code_printed_with_a_sign_is_read_without(log):
    log.crash(0, -1073741286)
    assert verdict(log).bugcheck_code == "0xC000021A"


def test_the_mark_of_a_minidump_is_no_part_of_the_code(log):
    log.crash(0, 0x1000007E)
    assert verdict(log).bugcheck_code == "0x7E"


def test_when_sources_disagree_the_bugcheck_record_wins_and_both_are_shown(log):
    log.crash(0, 209)
    log.blue(4, 0x9F)
    analysis = windows.judge(log.record())
    assert analysis.verdict.bugcheck_code == "0x9F"
    assert any(f.code == "windows.bugcheck.contradiction" for f in analysis.findings)


def test_a_blue_screen_of_an_earlier_boot_says_nothing_of_the_last(log):
    log.crash(0, 209)
    log.blue(4, 0xD1)
    log.asked(600)
    log.stop(601)
    assert kind(log) == "planned_user"


def test_a_failed_dump_alone_proves_a_blue_screen(log):
    log.crash(0, 0)
    log.say(3.1, 161, "volmgr")
    read = verdict(log)
    assert (read.kind, read.bugcheck_code) == ("bugcheck", None)


def test_a_failed_dump_of_a_month_ago_does_not(log):
    log.say(-40000, 161, "volmgr")
    log.crash(0, 0)
    assert kind(log) == "unclean_no_bugcheck"


def test_the_header_of_a_dump_names_what_no_event_names(log):
    log.crash(0, 0)
    first = dump(0x133, at=filetime(MORNING))
    minidump = {"path": "C:\\Windows\\Minidump\\1.dmp", "first": first}
    read = verdict(log, dumps=[minidump])
    assert (read.kind, read.bugcheck_code) == ("bugcheck", "0x133")


@pytest.mark.parametrize("bits", [32, 64])
def test_a_header_that_ends_before_its_time_names_nothing(log, bits):
    log.crash(0, 0)
    first = dump(0x133, at=filetime(MORNING), bits=bits)[:2000]
    cut = {"path": "C:\\Windows\\MEMORY.DMP", "size": 2000, "first": first.ljust(8192, b"\0")}
    assert kind(log, dumps=[cut]) == "unclean_no_bugcheck"


def test_a_dump_of_an_older_crash_does_not(log):
    log.crash(0, 0)
    first = dump(0x133, at=filetime(MORNING - timedelta(days=30)))
    minidump = {"path": "C:\\Windows\\Minidump\\1.dmp", "first": first}
    assert kind(log, dumps=[minidump]) == "unclean_no_bugcheck"


def test_another_program_that_uses_1001_is_no_blue_screen(log):
    log.say(0, 1001, "Windows Error Reporting", "Application", Data=["0x000000d1 (1, 2)"])
    log.say(1, 1000, "Application Error", "Application", Data=["w3wp.exe"])
    assert kind(log) == "none_app_crash"


def test_power_lost_leaves_41_with_code_0(log):
    log.crash(0, 0)
    read = verdict(log)
    assert (read.kind, read.crashed, read.planned) == ("unclean_no_bugcheck", True, False)


def test_a_41_without_its_fields_leaves_the_code_unknown(log):
    log.crash(0)
    del log.events[-1]["data"]["BugcheckCode"]
    assert kind(log) == "unclean_unknown_code"


@pytest.mark.parametrize(
    "power",
    [{"PowerButtonTimestamp": "131728546170882432"}, {"LongPowerButtonPressDetected": "true"}],
)
def test_a_held_power_button_is_told_by_41(log, power):
    log.crash(0, 0, **power)
    assert kind(log) == "power_button_forced"


def test_a_blue_screen_outweighs_the_button_that_ended_it(log):
    log.crash(0, 209, PowerButtonTimestamp="131728546170882432")
    assert kind(log) == "bugcheck"


def test_it_went_down_at_its_last_sign_of_life(log):
    log.crash(0, 0, booted=20)
    analysis = windows.judge(log.record())
    assert analysis.at == MORNING
    assert analysis.details["gap"] == timedelta(minutes=20)


REQUESTS = [
    ("planned_user", "C:\\Windows\\Explorer.EXE (WEB01)", {}),
    ("planned_user", "C:\\Windows\\system32\\shutdown.exe (WEB01)", SYSTEM),
    ("planned_update", "C:\\Windows\\servicing\\TrustedInstaller.exe (WEB01)", SYSTEM),
    (
        "planned_update",
        "C:\\Windows\\system32\\svchost.exe (WEB01)",
        SYSTEM | {"param4": "0x80020010"},
    ),
    ("planned_software", "msiexec.exe", SYSTEM | {"param4": "0x80030002"}),
    ("planned_platform", WINLOGON, SYSTEM | {"param4": "0x500ff", "param5": "power off"}),
    ("planned_unknown_initiator", WINLOGON, SYSTEM | {"param4": "0x500ff"}),
    ("planned_user", WINLOGON, {"param4": "0x500ff"}),
    ("planned_setup", WINLOGON, SYSTEM | {"param2": "WIN-ABCDEF12345", "param4": "0x80020003"}),
    ("planned_platform", "C:\\Program Files\\aliyun\\AliyunService.exe (WEB01)", SYSTEM),
    (
        "critical_process_restart",
        "C:\\Windows\\system32\\wininit.exe (WEB01)",
        SYSTEM | {"param4": "0x50006"},
    ),
]


@pytest.mark.parametrize("wanted, process, fields", REQUESTS)
def test_an_orderly_stop_is_told_by_who_asked(log, wanted, process, fields):
    log.asked(0, process, **fields)
    log.stop(1, action=6 if fields.get("param5") == "power off" else 5)
    read = verdict(log)
    assert read.kind == wanted
    assert read.planned is wanted.startswith("planned")


def test_the_first_of_two_requests_names_the_reason(log):
    log.asked(0, "msiexec.exe", param4="0x80030002", **SYSTEM)
    log.asked(0.2, WINLOGON, param4="0x500ff", **SYSTEM)
    log.stop(1)
    assert kind(log) == "planned_software"


def test_the_localised_words_of_a_request_do_not_matter(log):
    log.asked(0, WINLOGON, param3="找不到此原因的标题", param4="0x500ff", param5="重启", **SYSTEM)
    log.stop(1)
    assert kind(log) == "planned_unknown_initiator"


def test_a_stop_that_hangs_and_is_cut_off_is_both_told(log):
    log.asked(0)
    log.crash(2, 0)
    analysis = windows.judge(log.record())
    assert analysis.verdict.kind == "unclean_no_bugcheck"
    assert any(finding.code == "windows.stop.hung" for finding in analysis.findings)


def test_a_stop_without_a_request_has_an_unknown_initiator(log):
    log.stop(0)
    assert kind(log) == "planned_unknown_initiator"


def test_a_vetoed_request_is_no_reboot(log):
    log.say(0, 1073, "User32", param1="WEB01\\Administrator", param2="WEB01")
    assert kind(log) == "none_reason_recorded"


def test_sleep_is_no_reboot_even_with_words_of_the_kernels_start(log):
    log.say(0, 42, "Microsoft-Windows-Kernel-Power", TargetState="5")
    log.say(60, 107, "Microsoft-Windows-Kernel-Power")
    log.say(60, 27, "Microsoft-Windows-Kernel-Boot", BootType="2")
    assert kind(log) == "none_sleep_resume"


def test_uptime_alone_is_a_healthy_machine(log):
    for day in range(5):
        log.say(day * 1440, 6013, "EventLog", Data=["", "", "", "", str(day * 86400 + 900), "60"])
    assert kind(log) == "none_healthy"


def test_memory_that_runs_out_without_a_reboot_is_no_crash(log):
    log.say(0, 2004, "Microsoft-Windows-Resource-Exhaustion-Detector")
    assert kind(log) == "none_resource_exhaustion"


def test_another_source_that_uses_2004_is_nothing(log):
    log.say(0, 2004, "Microsoft-Windows-Setup")
    assert kind(log) == "none_healthy"


def test_nothing_to_judge_by_is_undetermined():
    assert windows.judge({"events": []}).verdict.kind == "undetermined"


def test_an_early_clock_that_is_hours_off_does_not_split_a_boot(log):
    log.crash(0, 0)
    for event in log.events:
        if event["id"] in (12, 20, 41):
            event["time"] = event["time"].replace("T02:", "T10:")
    analysis = windows.judge(log.record())
    assert analysis.verdict.kind == "unclean_no_bugcheck"
    assert analysis.details["booted_at"] == MORNING + timedelta(minutes=3.2)


def window(start, end):
    return Window(MORNING + timedelta(minutes=start), MORNING + timedelta(minutes=end))


def test_a_window_chooses_the_boot_that_fell_into_it(log):
    log.crash(0, 209)
    log.blue(4, 0xD1)
    log.asked(600)
    log.stop(601)
    assert verdict(log, window(-10, 30)).kind == "bugcheck"
    assert verdict(log, window(590, 610)).kind == "planned_user"


def test_no_boot_in_the_window_means_that_it_stayed_up(log):
    log.crash(0, 209)
    log.say(500, 1000, "Application Error", "Application", Data=["w3wp.exe"])
    assert verdict(log, window(200, 300)).kind == "none_healthy"
    assert verdict(log, window(400, 600)).kind == "none_app_crash"


def test_a_log_that_ends_before_the_last_boot_decides_nothing(log):
    log.crash(0, 209)
    system = {"last_boot": "2026-11-22T00:00:00Z"}
    analysis = windows.judge(log.record(system=system))
    assert analysis.verdict.kind == "undetermined"
    assert analysis.findings[0].code == "windows.log.lost"


def test_a_request_after_the_last_boot_of_a_running_machine_is_pending(log):
    log.stop(0)
    log.asked(100)
    system = {"last_boot": "2026-11-20T02:02:00Z"}
    analysis = windows.judge(log.record(system=system))
    assert analysis.verdict.kind == "planned_unknown_initiator"
    assert any(finding.code == "windows.stop.pending" for finding in analysis.findings)


DUMPS = [
    ("saved", {"dumps": [{"path": "C:\\Windows\\MEMORY.DMP", "modified": "2026-11-20T02:05:00Z"}]}),
    ("missing", {"dumps": []}),
    ("not configured", {"crash_control": {"CrashDumpEnabled": 0}, "dumps": []}),
    ("saved", {}),
]


@pytest.mark.parametrize("wanted, parts", DUMPS)
def test_what_became_of_the_dump_is_told(log, wanted, parts):
    log.crash(0, 209)
    log.blue(4, 0xD1)
    assert windows.judge(log.record(**parts)).details["dump"] == wanted


def test_a_dump_that_failed_is_told_though_a_path_is_named(log):
    log.crash(0, 209)
    log.say(3.1, 161, "volmgr")
    log.blue(4, 0xD1)
    assert windows.judge(log.record(dumps=[])).details["dump"] == "failed"


def test_the_same_crash_on_two_machines_has_one_signature():
    first, second = Log(), Log()
    for log, address in ((first, "0xffffbe89dbdd9010"), (second, "0xffffd7000abc1230")):
        log.crash(0, 209)
        log.blue(4, 0xD1, first=address)
        log.say(4.1, 1019, "Microsoft-Windows-WER-SystemErrorReporting", param1="netkvm.sys")
    assert (
        verdict(first).signature == verdict(second).signature == "bugcheck:0xD1:address:netkvm.sys"
    )


CALM = [
    lambda log, minute: log.say(minute, 6013, "EventLog", Data=["", "", "", "", "90000"]),
    lambda log, minute: log.say(minute, 19, "Microsoft-Windows-WindowsUpdateClient"),
    lambda log, minute: log.say(minute, 46, "Microsoft-Windows-Time-Service"),
    lambda log, minute: log.say(minute, 41, "Microsoft-Windows-Other"),
    lambda log, minute: log.say(minute, 1001, "LoadPerf", "Application"),
    lambda log, minute: log.say(minute, 18, "TPM"),
    lambda log, minute: log.say(minute, 7034, "Service Control Manager", param1="lsass"),
    lambda log, minute: log.say(minute, 42, "Microsoft-Windows-Kernel-Power"),
    lambda log, minute: (log.asked(minute), log.stop(minute + 1)),
]


@fuzz()
@given(st.lists(st.sampled_from(CALM), max_size=12), st.randoms(use_true_random=False))
def test_calm_logs_never_blame_however_they_are_cut(parts, chance):
    log = Log()
    for number, part in enumerate(parts):
        part(log, number * 300)
    events = [event for event in log.events if chance.random() < 0.9]
    analysis = windows.judge({"events": events})
    assert analysis.broken == {}
    assert analysis.verdict.kind not in UNPLANNED


values = st.none() | st.integers() | st.text(max_size=30) | st.booleans()
events = st.fixed_dictionaries(
    {
        "id": st.sampled_from([12, 13, 20, 41, 109, 161, 1001, 1074, 1076, 6005, 6008, 2004])
        | values
    },
    optional={
        "time": st.sampled_from(["2026-11-20T02:00:00Z", "2026-13-40", "0001-01-01", None])
        | values,
        "provider": st.sampled_from(
            ["EventLog", "User32", "volmgr", "BugCheck", "Microsoft-Windows-Kernel-Power"]
        ),
        "channel": st.sampled_from(["System", "Application"]) | values,
        "record_id": values,
        "message": values,
        "data": st.dictionaries(
            st.sampled_from(
                ["BugcheckCode", "PowerButtonTimestamp", "param1", "param4", "Data", "Binary"]
            ),
            values | st.lists(values, max_size=5),
        ),
    },
)


@fuzz()
@given(st.lists(events, max_size=8))
def test_no_events_break_the_judge(found):
    assert windows.judge({"events": found}).broken == {}
    assert windows.judge(windows_record.read({"record": "{}"}) | {"events": found}).broken == {}


def test_the_order_in_which_a_record_holds_its_events_does_not_matter(log):
    log.asked(0)
    log.stop(1)
    log.crash(600, 209)
    log.blue(605, 0xD1)
    for _ in range(50):
        random.Random(SEED).shuffle(log.events)
        assert verdict(log).bugcheck_code == "0xD1", f"FUZZ_SEED={SEED}"


def test_times_are_aware(log):
    log.crash(0, 0)
    assert windows.judge(log.record()).at.tzinfo is not None
    assert windows.judge(log.record()).at == datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
