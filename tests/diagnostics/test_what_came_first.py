"""The first cause before its consequences: read from the text, told in order, never as certain."""

from dataclasses import replace
from datetime import timedelta

import pytest

from diagnostics.analyzers import linux
from diagnostics.conclusions import chain, conclude
from tests.diagnostics.cases.test_the_table_of_scenarios import facts, words

OOM = """\
[  900.000000] java invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE), order=0
[  900.100000] Out of memory: Killed process 4242 (java) total-vm:13000kB, anon-rss:12000kB
"""
HUNG = """\
[ 1030.000000] INFO: task kworker/u8:1:77 blocked for more than 120 seconds.
[ 1030.000100]       Not tainted 5.10.134-16.al8.x86_64 #1
"""
DISK = "[  890.000000] blk_update_request: I/O error, dev vdb, sector 12345 op 0x1:(WRITE)\n"
EXT4 = "[  891.000000] EXT4-fs error (device vdb1): ext4_find_entry:1455: inode #2: comm ls: bad\n"
WATCHDOG = "[ 1090.000000] Kernel panic - not syncing: softdog: software watchdog timer expired\n"
HUNG_PANIC = "[ 1090.000000] Kernel panic - not syncing: hung_task: blocked tasks\n"
FS_PANIC = (
    "[ 1090.000000] Kernel panic - not syncing: EXT4-fs (device vdb1): panic forced after error\n"
)
FATAL = "[ 1090.000000] Kernel panic - not syncing: Fatal exception in interrupt\n"


def way(text):
    return [link.code for link in chain.before(linux.judge({"text": text}))]


def test_memory_then_a_blocked_task_then_the_watchdog():
    assert way(OOM + HUNG + WATCHDOG) == ["memory.oom-kill", "kernel.hung-task"]


def test_memory_then_a_blocked_task_that_panicked():
    assert way(OOM + HUNG + HUNG_PANIC) == ["memory.oom-kill", "kernel.hung-task"]


def test_a_disk_then_its_file_system_that_panicked():
    assert way(DISK + EXT4 + FS_PANIC) == ["storage.io-error", "storage.filesystem"]


def test_the_cause_names_what_began_it_and_the_advice_begins_there():
    told = conclude(facts(replace(linux.judge({"text": OOM + HUNG + WATCHDOG}), at=None)))
    assert (told.verdict.kind, told.verdict.subkind) == ("kernel_panic", "watchdog")
    assert "most likely began with: The kernel killed java" in words(told)
    assert "memory" in str(told.recommendations[0]).lower()
    lines = [str(line) for line in told.chain]
    assert lines[0].startswith("1.") and "killed java" in lines[0]
    assert "blocked" in lines[1] and lines[2].startswith("3. The end:")


@pytest.mark.parametrize(
    "text",
    [
        HUNG + HUNG_PANIC,  # the report that the panic carries out is no beginning
        EXT4 + FS_PANIC,
        OOM + FATAL,  # memory that runs out breaks no pointer
        DISK + FATAL,
        OOM.replace("[  900.", "[    9.") + WATCHDOG.replace("[ 1090.", "[ 9090."),  # hours before
        OOM + HUNG,  # nothing went down
    ],
)
def test_near_miss_what_began_nothing(text):
    assert way(text) == []


def test_near_miss_what_stands_behind_the_panic():
    assert way(WATCHDOG + DISK.replace("890", "1095")) == []


def test_times_decide_where_the_records_differ():
    judged = linux.judge({"text": OOM + WATCHDOG})
    end, first = judged.findings[0], judged.findings[1]
    at = facts().now

    def moved(delta):
        quote = replace(first.quote, source="messages", at=at + delta)
        ended = replace(end, quote=replace(end.quote, at=at))
        return chain.before(replace(judged, findings=(ended, replace(first, quote=quote))))

    assert moved(timedelta(minutes=-5)) and not moved(timedelta(minutes=5))
    assert not moved(timedelta(hours=-3))
