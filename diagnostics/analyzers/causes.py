"""What a panic line says, in the words of the verdicts."""

from __future__ import annotations

import re

# Tried in order on the text behind "Kernel panic - not syncing: ".
SAID = [
    ("panic_on_warn", r"(?:\S+ )?(?:kernel\.)?panic_on_warn set"),
    ("init_killed", r"Attempted to kill init|.*\binit exited"),
    ("no_init", r"(?:No working init found|No init found|Requested init )"),
    ("vfs_root", r"VFS: Unable to mount root"),
    ("sysrq", r"(?i:sysrq[ :-]+triggered crash)"),
    ("hard_lockup", r"(?i:.*(?:hard ?lockup|detected lockup))"),
    ("soft_lockup", r"softlockup: "),
    ("rcu_stall", r"RCU [Ss]tall"),
    ("hung_task", r"hung_task: "),
    ("oom_panic", r"(?i:out of memory|system is deadlocked on memory)"),
    (
        "mce",
        r"(?i:.*(?:machine check|fatal hardware|hardware memory|not all cpus entered|uncorrect))",
    ),
    ("watchdog", r"(?i:.*(?:watchdog timer expired|software watchdog|watchdog pretimeout|hpwdt))"),
    ("nmi", r"(?:.*\bNMI\b|nmi)"),
    (
        "fs_panic",
        r"(?i:(?:ext[234]|xfs|btrfs|f2fs|gfs2|jfs|ocfs2|reiserfs)\b|.*panic forced after error)",
    ),
    ("sched_atomic", r"scheduling while atomic"),
    ("kmsan", r"kmsan"),
    ("memory_corruption", r"(?:kasan|kfence)"),
    (
        "stack",
        r".*(?:[Ss]tack is corrupted|corrupted stack end|[Ss]tack overflow|Machine halted|overran)",
    ),
    (
        "oops",
        r"(?i:.*(?:fatal exception|oops|bad mode|aiee|killing interrupt|kill the idle|unhandled))",
    ),
]
SAID = [(name, re.compile(pattern)) for name, pattern in SAID]
BEHIND = re.compile(r".*Kernel panic - not syncing\b[: ]*")

# Only the policy is named by these; the report before them is the reason.
POLICY = {"oops", "panic_on_warn", "memory_corruption", "kmsan"}


def said(text: str) -> str:
    """The subkind that a panic line speaks of."""
    reason = BEHIND.sub("", text, count=1)
    return next((name for name, pattern in SAID if pattern.match(reason)), "other_panic")
