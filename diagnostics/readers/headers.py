"""First lines of kernel reports: one table, in the order in which they are tried.

A pattern is matched where the message begins, so that a command line, a script or a sentence that
mentions a panic is never an event. `words` are plain strings of which one stands in every line
that the pattern can match: by them a reader skips quiet megabytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BEFORE = r"(?:-+\[ cut here \]-+ ?)?"
WATCHDOG = r"(?:NMI )?(?:[Ww]atchdog: )?"
LEVEL = r"(?:\[ ?)?(?:BUG|INFO|WARNING|ERR): "


@dataclass(frozen=True, slots=True)
class Header:
    code: str  # family.name
    pattern: re.Pattern
    words: tuple[str, ...]
    single: bool = False  # says it in one line: nothing is collected below it


def header(code: str, alternatives: list[str], words: list[str], single: bool = False) -> Header:
    return Header(code, re.compile("|".join(alternatives)), tuple(words), single)


PANIC = [  # its closing line tells the same where the first one scrolled away
    header(
        "panic",
        [r"(?:-+\[ (?:cut here \]-+|end) ?)?Kernel panic - not syncing\b[: ]*"],
        ["Kernel panic"],
    )
]

OOPS = [
    header(
        "oops.null_deref",
        [
            r"(?:BUG: )?[Uu]nable to handle kernel NULL\b",
            r"BUG: kernel NULL pointer dereference",
            r"BUG: Kernel NULL pointer dereference",
        ],
        ["BUG: ", "nable to handle "],
    ),
    header(
        "oops.paging_fault",
        [
            r"(?:BUG: )?[Uu]nable to handle (?:kernel|page fault|user|\w+ access)",
            r"CPU \d+ Unable to handle kernel",
            r"Unhandled fault(?: in |: )",
            r"Kernel attempted to \w+ user page",
        ],
        ["nable to handle ", "Unhandled fault", "Kernel a"],
    ),
    header(
        "oops.gpf",
        [
            r"(?:Oops: |kasan: GPF .{0,80}|segment-related )?general protection fault\b(?! ip:)",
            r"(?:Oops: )?stack segment: \w+ \[#",
        ],
        ["general protection", " [#"],
    ),
    header(
        "oops.kernel_bug",
        [
            BEFORE + r"[Kk]ernel BUG (?:at |in )?\S+[!:]",
            r"Internal error: Oops - BUG",
            r"Unexpected kernel BRK exception",
        ],
        ["ernel BUG ", "Internal error: ", "kernel BRK"],
    ),
    header(
        "oops.stack",
        [
            r"BUG: (?:\w+ )?stack guard page was hit",
            r"(?:PANIC: |Oops: )?double fault[:, ]",
            r"(?:Insufficient stack space to handle|Kernel stack overflow|kernel stack overflow)",
            r"(?:BUG: )?stack guard page: \w+ \[#",
            r"Thread overran stack",
        ],
        ["BUG: ", "double fault", "Insufficient stack", "ernel stack over", "overran", " [#"],
    ),
    header(
        "oops.invalid_opcode",
        [r"(?:Oops: )?invalid opcode: \w+ \[#", r"Internal error: Oops - undefined instr"],
        [" [#", "Internal error: "],
    ),
    header(
        "oops.divide_error",
        [r"(?:Oops: )?divide[ _]error: \w+ \[#", r"Division by zero in kernel"],
        [" [#", "Division by zero"],
    ),
    header(
        "oops.oops",
        [
            r"Internal error: \S",
            r"Oops(?:: (?:[0-9a-f]{4,16}\b|.*\[#\d)| - .*\[#\d|\[#\d)",
            r"(?:.{1,40} )?[Bb]ad mode in ",
            r"Kernel (?:access of bad area|unaligned access)",
            r"Unhandled kernel unaligned access",
            r"[\w -]{3,40}: \w{4} \[#\d+\]",
            r"PANIC: early exception ",
        ],
        [
            "PANIC: early",
            "Oops",
            "Internal error: ",
            "ad mode in",
            "Kernel a",
            "Kernel u",
            "Unhandled k",
            " [#",
        ],
    ),
]

HANG = [
    header(
        "hang.soft_lockup",
        [
            WATCHDOG + r"(?:BUG|WARN): soft lockup (?:-|detected)",
            WATCHDOG + r"CPU ?#?\d+ self-detected soft lockup",
        ],
        ["soft lockup"],
    ),
    header(
        "hang.hard_lockup",
        [
            r"(?:NMI )?(?:[Ww]atchdog: )?Watchdog detected hard LOCKUP",
            WATCHDOG + r"CPU ?\d+ (?:self-)?detected hard LOCKUP",
            r"NMI Watchdog detected LOCKUP",
            r"[Ww]atchdog:? CPU[: ]\d+ Hard LOCKUP",
        ],
        ["LOCKUP"],
    ),
    header(
        "hang.rcu_stall",
        [
            r"(?:rcu: )?(?:INFO|ERR): \w+ (?:self-)?detect(?:ed|s) (?:expedited )?stalls?\b",
            r"(?:rcu: )?\w+ (?:grace-period )?kthread starved for \d",
        ],
        ["INFO: ", "ERR: ", "kthread starved"],
    ),
    header(
        "hang.hung_task",
        [r"INFO: task \S.* (?:blocked|can't die) (?:for more than|in I/O wait)"],
        ["INFO: task "],
    ),
    header(
        "hang.lockup_other",
        [r"BUG: (?:workqueue|spinlock|rwlock|write-lock) lockup"],
        ["BUG: "],
    ),
]

WARNING = [
    header("warning.kmsan", [r"BUG: KMSAN: "], ["BUG: "]),
    header("warning.kcsan", [r"BUG: KCSAN: "], ["BUG: "]),
    header(
        "warning.memory_corruption",
        [
            r"BUG: K(?:ASAN|FENCE): ",
            r"BUG: Bad (?:page|rss-counter|pagetable|swap)",
            r"BUG: Dentry \S+ +still in use",
        ],
        ["BUG: "],
    ),
    header("warning.ubsan", [r"UBSAN: \S"], ["UBSAN"]),
    header(
        "warning.memleak",
        [r"BUG: memory leak", r"unreferenced object 0x", r"kmemleak: \d+ new suspected"],
        ["BUG: ", "unreferenced object", "kmemleak"],
    ),
    header("warning.preempt", [r"BUG: using \w+\S* in preemptible"], ["BUG: "]),
    header(
        "warning.sched_atomic",
        [r"BUG: scheduling while atomic", r"BUG: sleeping function called from"],
        ["BUG: "],
    ),
    header(
        "warning.lockdep",
        [
            LEVEL + r"possible (?:recursive|circular|irq|deadlock)",
            LEVEL + r"inconsistent (?:\{.*\} )?lock",
            LEVEL
            + r"(?:suspicious (?:RCU|rcu_)|bad (?:un)?lock|bad contention|Invalid wait context)",
            LEVEL + r"(?:lock held (?:when|at)|trying to register non-static|(?:\S+ )?lock freed)",
            LEVEL + r"(?:held lock freed|nested lock was|workqueue leaked|process .* locks held)",
            LEVEL + r"(?:.{0,60} )?still has locks held",
            LEVEL + r"\S+-(?:READ-)?safe -> \S+-(?:READ-)?unsafe",
            r"BUG: (?:spinlock|rwlock|rtmutex|mutex) (?!lockup)",
            r"BUG: MAX_(?:LOCK\w+|STACK_TRACE_ENTRIES) too low",
        ],
        ["BUG: ", "INFO: ", "WARNING: ", "ERR: "],
    ),
    header(
        "warning.warn",
        [
            BEFORE + r"WARNING: (?:CPU: \d+ )?(?:PID: \d+ )?at ?\S+:\d+",
            r"WARNING: (?:CPU: \d+|kernel stack (?:regs|frame)|(?:\[.*\] )?\S+:\d+ at \S)",
            r"Badness at \S",
        ],
        ["WARNING: ", "Badness at"],
    ),
    header(
        "warning.page_alloc_failure",
        [r"\S.*: page allocation (?:failure|stalls)"],
        ["page allocation"],
    ),
    header(
        "warning.slab_debug",
        [
            r"BUG [\w:#-]+ ?(?:\(.*\))?: \S",
            r"INFO: (?:Allocated in|Freed in|Slab 0x|Object 0x)",
            r"slab error in ",
        ],
        ["BUG ", "INFO: ", "slab error in "],
    ),
    header(
        "warning.other_report",
        [
            r"BUG: (?!unable|kernel|soft|workqueue|TASK|IRQ|looking up)\S",
        ],
        ["BUG: "],
    ),
    header(
        "warning.other_report",
        [
            r"unregister_netdevice: waiting for",
            r"NETDEV WATCHDOG: ",
            r"VFS: Close: file count is 0",
            r"CFI failure (?:at |\()",
            r"irq \d+: nobody cared",
        ],
        ["unregister_netdevice", "NETDEV WATCHDOG", "VFS: Close", "CFI failure", "nobody cared"],
        single=True,
    ),
    header(
        "warning.words",
        [r"WARNING: (?!.*(?:deprecat|obsolete|removed|support|recommended|will be ))\w"],
        ["WARNING: "],
        single=True,
    ),
]

REPORTS = (*PANIC, *OOPS, *HANG, *WARNING)
