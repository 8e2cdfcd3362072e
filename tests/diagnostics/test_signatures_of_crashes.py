"""One signature for the same crash wherever it happens, another for another crash."""

import json
import os
import re
from pathlib import Path

import pytest

from diagnostics.analyzers import linux, signature, windows
from tests.diagnostics.guest.windows_log import Log

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("PORTAL_CORPUS", ROOT.parent / "shared" / "corpus"))
REPORTS = CORPUS / "linux" / "reports.jsonl"
OOPS = """\
[  812.345678] BUG: unable to handle page fault for address: ffffa10c0000be10
[  812.345679] Oops: 0002 [#1] PREEMPT SMP NOPTI
[  812.345680] CPU: 3 PID: 7712 Comm: fio Tainted: G           OE      6.1.0-18-amd64 #1
[  812.345681] RIP: 0010:acs_submit+0x42/0x1c0 [acmestor]
[  812.345682] RSP: 0018:ffffb2c500d7fd40 EFLAGS: 00010246
[  812.345683] Call Trace:
[  812.345684]  <TASK>
[  812.345685]  acs_queue_rq+0x5a/0x130 [acmestor]
[  812.345686]  blk_mq_dispatch_rq_list+0x118/0x830
[  812.345687]  __blk_mq_sched_dispatch_requests+0xb4/0x160
[  812.345688]  blk_mq_run_hw_queue+0x8e/0x130
[  812.345689]  </TASK>
[  812.345690] Kernel panic - not syncing: Fatal exception
"""
KILL = """\
[  99.100000] java invoked oom-killer: gfp_mask=0x140cca, order=0, oom_score_adj=0
[  99.200000] Out of memory: Killed process 4321 (java) total-vm:9000kB, anon-rss:8000kB
"""
OTHER_PANIC = "[   12.000000] Kernel panic - not syncing: acme board 3 lost its bus (code 0x1f)\n"


def of(text: str) -> str | None:
    return linux.judge({"text": text}).verdict.signature


def moved(text: str) -> str:
    """The same on another machine: other addresses, pids, processor, uptime and offsets."""
    text = re.sub(r"\bffff([0-9a-f]{12})", lambda m: f"ffff{m[1][::-1]}", text)
    text = re.sub(r"\+0x[0-9a-f]+/0x([0-9a-f]+)", r"+0x88/0x2\1", text)
    text = re.sub(r"\[ +(\d+)\.", lambda m: f"[{int(m[1]) + 40021:6}.", text)
    text = text.replace("6.1.0-18-amd64", "6.1.112-cloud").replace("fio Tainted", "dd Tainted")
    for one, other in (("CPU: 3", "CPU: 61"), ("7712", "993"), ("4321", "98"), ("8000kB", "1kB")):
        text = text.replace(one, other)
    return text


def prefixed(text: str, prefix: str) -> str:
    return "".join(f"{prefix}{line}\n" for line in text.splitlines())


PREFIXES = [
    "Nov 20 02:31:07 web-07 kernel: ",
    "2026-11-20T02:31:07.123456+08:00 db01 kernel: ",
    "<4>",
    "> ",
]


@pytest.mark.parametrize("text", [OOPS, KILL, OTHER_PANIC], ids=["oops", "kill", "other"])
def test_another_machine_with_the_same_crash_has_the_same_signature(text):
    assert moved(text) != text
    assert of(text) and of(moved(text)) == of(text)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_how_the_lines_were_logged_does_not_count(prefix):
    assert of(prefixed(OOPS, prefix)) == of(OOPS)


def test_it_names_cause_function_module_and_kernel():
    told = signature.parts(of(OOPS))
    assert (told.cause, told.function) == ("paging_fault", "acs_submit")
    assert (told.module, told.kernel) == ("acmestor", "6.1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("acs_submit", "acs_retire"),
        ("[acmestor]", "[acmenet]"),
        ("6.1.0-18", "5.10.0-18"),
        ("acs_queue_rq", "acs_flush_rq"),
        ("BUG: unable to handle page fault for address: ffffa10c0000be10", "kernel BUG at a.c:7!"),
    ],
    ids=["function", "module", "kernel", "call path", "cause"],
)
def test_another_crash_has_another_signature(one, other):
    assert of(OOPS.replace(one, other)) != of(OOPS)


def test_a_panic_and_the_oops_before_it_are_the_same_crash_with_and_without_its_last_line():
    assert of(OOPS.rpartition("[  812.345690]")[0]) == of(OOPS)


def test_a_frame_that_repeats_the_function_does_not_count():
    again = OOPS.replace(
        "  <TASK>\n", "  <TASK>\n[  812.345684]  acs_submit+0x42/0x1c0 [acmestor]\n"
    )
    assert of(again) == of(OOPS)


def test_kills_of_different_programs_are_different_things():
    assert of(KILL.replace("(java)", "(mysqld)")) != of(KILL)
    workers = [of(KILL.replace("(java)", f"(php-{n})")) for n in (7, 12)]
    assert workers[0] == workers[1]


def test_panics_of_unknown_kinds_are_told_apart_by_their_words():
    assert of(OTHER_PANIC.replace("lost its bus", "overheated")) != of(OTHER_PANIC)


def test_who_asked_for_memory_last_does_not_tell_a_panic_for_lack_of_it():
    at = "[    9.100000]"
    panic = f"{at} Kernel panic - not syncing: Out of memory: panic_on_oom is enabled\n"
    by = [
        f"{at} Call Trace:\n{at}  out_of_memory+0x1/0x2\n{at}  {f}+0x3/0x9\n"
        for f in ("ext4_read_folio", "tcp_sendmsg_locked")
    ]
    one, other = (of(panic + path) for path in by)
    assert one == other and one.startswith("oom_panic:")


def test_a_boot_that_nothing_explains_is_called_so_by_everybody():
    facts = {"kind": "unexplained_reboot", "subkind": "unknown"}
    assert signature.of(facts, "5.10") == "unexplained_reboot"
    assert signature.of(facts | {"subkind": "watchdog"}, "5.10") == "unexplained_reboot:watchdog"


def test_an_orderly_end_has_none():
    assert of("[ 9812.000000] reboot: Restarting system\n") is None


def test_the_running_kernel_fills_what_the_report_leaves_open():
    assert signature.completed("global:java:-:-:-", "5.10.134-16.al8") == "global:java:-:5.10:-"
    assert signature.completed("global:java:-:4.19:-", "5.10.134") == "global:java:-:4.19:-"
    assert signature.completed("global:java:-:-:-", None) == "global:java:-:-:-"
    assert signature.completed("bugcheck:0x7A:0x3:-", "5.10.1") == "bugcheck:0x7A:0x3:-"


def stop(code: int, first: str, driver: str = "") -> str | None:
    log = Log()
    log.crash(0, code)
    log.blue(4, code, first=first)
    if driver:
        log.say(4.1, 1019, "Microsoft-Windows-WER-SystemErrorReporting", param1=driver)
    return windows.judge(log.record()).verdict.signature


def test_a_blue_screen_is_code_first_parameter_and_driver():
    assert stop(0x9F, "0x3", "NETKVM.sys") == "bugcheck:0x9F:0x3:netkvm.sys"
    assert len({stop(0x9F, "0x3"), stop(0x9F, "0x4"), stop(0x7A, "0x3")}) == 3
    assert stop(0x9F, "0x3", "a.sys") != stop(0x9F, "0x3", "b.sys")


@pytest.mark.parametrize(
    ("code", "first", "shown"),
    [
        (0xD1, "0xffffbe89dbdd9010", "address"),
        (0xD1, "0x28", "0x28"),  # an offset into nothing
        (0x50, "0x8a1b2c30", "address"),  # on 32 bits
        (0x1E, "0xffffffffc0000005", "0xC0000005"),  # a status drawn out to 64 bits
        (0x1E, "0xc0000005", "0xC0000005"),
        (0x10000000 | 0x7E, "0xc0000005", "0xC0000005"),  # as a minidump writes the code
    ],
)
def test_a_first_parameter_that_is_an_address_does_not_count(code, first, shown):
    assert stop(code, first) == f"bugcheck:0x{code & 0xFFFFFFF:X}:{shown}:-"


@pytest.mark.skipif(not REPORTS.exists(), reason=f"no corpus at {REPORTS}")
def test_reports_of_peoples_machines_keep_their_signature_on_another_machine():
    texts = [json.loads(line)["text"] for line in REPORTS.read_text().splitlines()]
    signed = [text for text in texts if of(text)]
    kept = [text for text in signed if of(moved(text)) == of(text)]
    assert len(signed) > 100 and len(kept) >= 0.99 * len(signed)
