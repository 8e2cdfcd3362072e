"""The report speaks of checks, times and codes as people do, and says each thing once."""

import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from diagnostics import check_words
from diagnostics.analyzers import linux, registry, windows
from diagnostics.conclusions import conclude
from diagnostics.facts import Boot, Facts
from diagnostics.reading.once import told_once
from diagnostics.report import rendered
from diagnostics.report import windows as windows_report
from diagnostics.wording import lasting
from tests.diagnostics.cases.conftest import carried, mirrored, opened
from tests.diagnostics.cases.test_the_table_of_scenarios import WINDOWS
from tests.diagnostics.guest.windows_log import MORNING, Log

PANIC = "[  120.500000] Kernel panic - not syncing: Fatal exception in interrupt\n"
DOTTED = re.compile(r"\b(?:asked|endings|hang|oom|panic|storage|wtmp|windows_\w+)\.[a-z_]+\b")


def test_every_analyzer_and_what_it_needs_has_words():
    assert set(check_words.CHECKS) >= set(registry.ANALYZERS)
    needed = {need for _function, needs in registry.ANALYZERS.values() for need in needs}
    assert set(check_words.LACKING) >= needed


def test_checks_that_lack_the_same_are_told_together():
    told = check_words.not_run({"panic.panics": ("down",), "oom.kills": ("down",), "x.y": ("z",)})
    first, other = [(str(why), [str(check) for check in checks]) for why, checks in told]
    assert first == (
        "no text of the kernel was read",
        ["kernel panic", "processes killed for memory"],
    )
    assert other == ("there was no z", ["x.y"])
    assert str(check_words.check("panic.panics (console)")) == "kernel panic (console)"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=1, hours=1), "1 day 1 hour"),
        (timedelta(days=30, hours=2), "30 days 2 hours"),
        (timedelta(days=2, minutes=9), "2 days"),
        (timedelta(hours=1, minutes=59), "1 hour"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(0), "0 minutes"),
    ],
)
def test_lengths_of_time_are_counted_like_in_speech(length, words):
    assert str(lasting(length.total_seconds())) == words


def test_what_log_and_console_both_hold_is_told_once():
    guest = linux.judge({"journal_previous": PANIC})
    console = linux.judge({"console": PANIC})
    (told,) = [f for _where, f in told_once(guest, console) if f.code == "kernel.panic"]
    assert told.quote.source == "journal_previous" and told.facts["also_seen"] == ("console",)


@pytest.mark.parametrize(
    "other",
    [PANIC.replace("Fatal exception in interrupt", "Attempted to kill init! exitcode=0x9"), ""],
)
def test_near_miss_two_crashes_stay_two(other):
    guest, console = linux.judge({"journal_previous": PANIC}), linux.judge({"console": other})
    told = told_once(guest, console)
    assert len(told) == len(guest.findings) + len(console.findings)


@pytest.mark.parametrize(
    ("code", "written"),
    [(0xD1, "0xD1 DRIVER_IRQL_NOT_LESS_OR_EQUAL"), (0x123456, "0x123456 (not a code of Windows)")],
)
def test_a_bugcheck_is_written_once(code, written):
    source = SimpleNamespace(analysis={"reason": written}, at=str)
    header = {"code": code, "parameters": (1,), "path": "C:\\x.dmp", "crashed_at": None}
    rows = dict(windows_report._header_rows(source, header))
    assert rows["Bugcheck Code"] == written


def outage(log) -> int | None:
    """Minutes that a case tells of this log, whose machine booted five minutes after MORNING."""
    boot = MORNING + timedelta(minutes=5)
    guest = windows.judge(log.record())
    assert guest.verdict.kind in ("bugcheck", "unclean_no_bugcheck")
    known = Facts(now=boot + timedelta(hours=1), machine=WINDOWS, boot=Boot(boot), guest=guest)
    return conclude(known).outage_minutes


def test_a_first_boot_without_its_start_gives_no_outage_of_no_minutes():
    log = Log()
    log.crash(2, code=122, booted=3.0, unexpected=False)
    log.events = [event for event in log.events if event["id"] != 12]
    assert outage(log) is None


def test_near_miss_with_a_last_sign_of_life_the_outage_is_told():
    log = Log()
    log.crash(2, code=122, booted=3.0)
    log.events = [event for event in log.events if event["id"] != 12]
    assert outage(log) == 3


@pytest.mark.django_db
def test_a_whole_report_names_no_check_by_its_dots(cloud, sandbox_needed):
    case = carried(opened(mirrored(cloud, "test-01")))
    case.judgement["guest"]["skipped"] = {"wtmp.last_end": ["last"], "oom.kills": ["down"]}
    case.judgement["guest"]["broken"] = {"panic.panics (console)": "boom"}
    case.save(update_fields=["judgement"])
    ours, theirs = rendered(case, "internal", "md"), rendered(case, "customer", "md")
    proof = ours.partition("**Skipped and broken checks:**")[2].partition("**Where")[0]
    assert not DOTTED.search(proof) and "kernel panic" in proof and "login records" in proof
    assert ours.count("Shell history") + ours.count("shell history /root") >= 1
    cause = re.search(r"\*\*Cause\*\*: (.*)", ours)[1]
    assert "Who:" in cause and "sysrq" in cause and "root was logged in" in cause
    assert "Who:" not in theirs and "was logged in" not in theirs


@pytest.mark.django_db
def test_where_no_record_of_the_guest_was_read_no_check_is_said_to_have_run(cloud, client, support):
    case = carried(opened(mirrored(cloud, "mq-01")))
    client.force_login(support)
    page = client.get(f"/cases/{case.pk}/").content.decode()
    for text in (rendered(case, "internal", "md"), page):
        assert "Every check ran." not in text
        assert text.count("records ran: none were read") == 1


@pytest.mark.django_db
def test_a_guest_that_was_not_needed_is_not_called_unreadable(cloud):
    case = carried(opened(mirrored(cloud, "crm-01")))
    assert case.kind == "instance_expired"
    assert case.steps.get(key="guest").state == "not_needed"
    for copy in ("internal", "customer"):
        text = rendered(case, copy, "md")
        assert "What could not be checked" not in text and "nothing was collected" not in text


@pytest.mark.django_db
def test_the_same_panic_stands_once_with_its_other_records(cloud, sandbox_needed):
    case = carried(opened(mirrored(cloud, "web-03")))
    panics = list(case.findings.filter(code="kernel.panic"))
    assert len(panics) == 1 and "console" in panics[0].also
    assert "also seen in" in rendered(case, "internal", "md")


def test_a_row_is_not_its_own_other_record():
    guest = linux.judge({"console": PANIC})
    twice = told_once(guest, replace(guest))
    assert all("also_seen" not in finding.facts for _where, finding in twice)
    assert len(twice) == len(guest.findings)
