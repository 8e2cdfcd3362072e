"""What went down in the window, by all records of the machine together."""

from datetime import timedelta

import pytest

from diagnostics.analyzers import linux
from diagnostics.findings import Confidence, Window

from .linux_bundle import (
    AT_HALF_PAST_TWO,
    BOOTED,
    NOW,
    STARTED,
    STOPPING,
    WORKING,
    bundle,
    captured,
    logged,
    report,
)

DOWN = BOOTED - timedelta(minutes=1)


def verdict(sections, window=AT_HALF_PAST_TWO):
    analysis = linux.judge(sections, window)
    assert not analysis.broken
    return analysis.verdict


def test_a_captured_crash_is_the_panic_with_its_function_and_time():
    analysis = linux.judge(bundle(**captured("null-irq", DOWN)), AT_HALF_PAST_TWO)
    assert (analysis.verdict.kind, analysis.verdict.subkind) == ("kernel_panic", "null_deref")
    assert analysis.verdict.function == "acs_stats_update"
    assert analysis.module == "acmestor"
    assert analysis.at == DOWN
    assert analysis.verdict.confidence == Confidence.CERTAIN


def test_a_panic_told_by_three_records_is_one_finding_that_names_the_others():
    sections = bundle(
        **captured("null-irq", DOWN),
        journal_previous=WORKING + logged("null-irq", DOWN),
        console=report("null-irq"),
    )
    panics = [f for f in linux.judge(sections).findings if f.code == "kernel.panic"]
    assert [panic.quote.source for panic in panics] == ["vmcore_dmesg"]
    assert set(panics[0].facts["also_seen"]) == {"journal_previous", "console"}


def test_a_panic_of_three_weeks_ago_is_not_blamed():
    old = DOWN - timedelta(days=21)
    sections = bundle(**captured("null-irq", old), journal_previous=WORKING + STOPPING)
    analysis = linux.judge(sections, AT_HALF_PAST_TWO)
    assert analysis.verdict.kind == "normal_reboot"
    assert any("outside the time" in str(ruled.because) for ruled in analysis.ruled_out)
    assert linux.judge(sections).verdict.kind == "normal_reboot"


@pytest.mark.parametrize(
    ("name", "subkind"),
    [("oom-panic", "oom_panic"), ("hung-panic", "hung_task"), ("sysrq-c", "sysrq")],
)
def test_a_policy_that_makes_the_kernel_panic_is_the_subkind(name, subkind):
    assert verdict(bundle(**captured(name, DOWN))).subkind == subkind


def test_an_oom_kill_since_the_boot_is_no_reboot():
    killed = NOW - timedelta(minutes=30)
    stamp = f"[{(killed - BOOTED).total_seconds():12.6f}] "
    lines = [stamp + line.partition("] ")[2] for line in report("oom-kill").splitlines()]
    sections = bundle(dmesg="\n".join(lines), journal_previous=WORKING + STOPPING)
    window = Window(killed - timedelta(minutes=15), killed + timedelta(minutes=15))
    analysis = linux.judge(sections, window)
    assert (analysis.verdict.kind, analysis.verdict.crashed) == ("oom_kill", False)
    assert "tail (pid 94)" in analysis.details["eaters"][0]


def test_a_panic_only_on_the_console_is_found_there():
    sections = bundle(journal_previous=WORKING, console=report("null-irq"))
    assert verdict(sections).subkind == "null_deref"


def test_a_panic_on_the_console_is_dated_by_the_clock_that_the_kernel_read():
    seconds = int((DOWN - timedelta(hours=1)).timestamp())
    text = (
        "[    0.000000] Linux version 5.10.134 (build@host) #1 SMP\n"
        f"[    1.000000] rtc_cmos 00:05: setting system clock to 2026 UTC ({seconds})\n"
        "[ 3601.000000] Kernel panic - not syncing: Fatal machine check\n"
    )
    assert linux.judge(bundle(console=text), AT_HALF_PAST_TWO).at == DOWN
    other_day = Window(BOOTED - timedelta(days=9), BOOTED - timedelta(days=8))
    assert linux.judge(bundle(console=text), other_day).verdict.kind != "kernel_panic"


def test_an_orderly_reboot_names_who_asked():
    sudo = (
        "journal: 2026-03-04T02:29:49+0000 web-7 sudo[77]:    lihua : TTY=pts/0 ; PWD=/home ;"
        " USER=root ; COMMAND=/usr/sbin/reboot\n"
    )
    analysis = linux.judge(bundle(journal_previous=WORKING + STOPPING, who=sudo), AT_HALF_PAST_TWO)
    assert (analysis.verdict.kind, analysis.verdict.subkind) == ("normal_reboot", "reboot")
    titles = [str(finding.title) for finding in analysis.findings if finding.code == "who.sudo"]
    assert titles == ["lihua ran /usr/sbin/reboot through sudo"]


def test_who_asked_for_another_reboot_is_not_named_for_this_one():
    sudo = "auth.log: Feb  1 10:00:00 web-7 sudo[7]: eve : TTY=pts/0 ; COMMAND=/sbin/reboot\n"
    analysis = linux.judge(bundle(journal_previous=WORKING + STOPPING, who=sudo), AT_HALF_PAST_TWO)
    assert not [finding for finding in analysis.findings if finding.code == "who.sudo"]


@pytest.mark.parametrize(("auid", "named"), [("1000", True), ("4294967295", False)])
def test_an_audit_record_without_a_session_names_nobody(auid, named):
    stamp = int((BOOTED - timedelta(minutes=1)).timestamp())
    record = f"audit: type=SYSTEM_SHUTDOWN msg=audit({stamp}.1:9): pid=3 uid=0 auid={auid} ses=4\n"
    sections = bundle(journal_previous=WORKING + STOPPING, who=record)
    found = linux.judge(sections, AT_HALF_PAST_TWO).findings
    assert any(finding.code == "who.audit" for finding in found) is named


def test_the_power_key_points_to_the_platform():
    key = "2026-03-04T02:29:49+0000 web-7 systemd-logind[871]: Power key pressed.\n"
    sections = bundle(journal_previous=WORKING + key + STOPPING, who="journal: " + key)
    analysis = linux.judge(sections, AT_HALF_PAST_TWO)
    assert analysis.verdict.kind == "normal_reboot"
    assert any(finding.code == "who.power-key" for finding in analysis.findings)


def test_a_journal_that_breaks_off_is_unexplained_and_says_what_was_read():
    analysis = linux.judge(bundle(journal_previous=WORKING), AT_HALF_PAST_TWO)
    assert (analysis.verdict.kind, analysis.verdict.crashed) == ("unexplained_reboot", True)
    assert any("journal_previous was read" in str(ruled.because) for ruled in analysis.ruled_out)
    assert analysis.at is None


def test_a_session_that_ended_in_a_crash_says_the_same():
    last = """\
root     pts/0        10.8.0.4         Wed Mar  4 02:40:00 2026   still logged in
reboot   system boot  5.10.134-18.al8. Wed Mar  4 02:31:00 2026   still running
root     pts/0        10.8.0.4         Tue Mar  3 18:00:00 2026 - crash                     (08:31)
reboot   system boot  5.10.134-18.al8. Sun Feb  1 09:00:00 2026   still running
"""
    assert verdict(bundle(last=last)).kind == "unexplained_reboot"


def test_up_through_the_whole_window_means_that_nothing_happened():
    later = Window(NOW - timedelta(hours=2), NOW - timedelta(hours=1))
    judged = verdict(bundle(journal_previous=WORKING + STOPPING), later)
    assert (judged.kind, judged.subkind) == ("none", "healthy")
    assert judged.confidence == Confidence.CERTAIN


def test_what_could_not_be_asked_is_listed_and_rules_nothing_out():
    sections = bundle(collection="journal_previous: journalctl is not installed\n")
    del sections["pstore"], sections["vmcore_dmesg"], sections["journal_current"]
    analysis = linux.judge(sections, AT_HALF_PAST_TWO)
    assert analysis.verdict.kind == "undetermined"
    assert analysis.details["not_asked"]["journal_previous"] == "journalctl is not installed"
    assert not analysis.ruled_out
    assert analysis.skipped


def test_a_hard_lockup_seen_since_the_boot_does_not_count_as_a_crash():
    text = f"{STARTED}2026-03-04T02:35:00+0000 web-7 kernel: watchdog: BUG: soft lockup - CPU#0\n"
    judged = verdict(bundle(journal_current=text, journal_previous=WORKING + STOPPING))
    assert judged.kind == "normal_reboot"
