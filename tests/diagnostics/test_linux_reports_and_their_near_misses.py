"""Each sort of kernel report as kernels of several years print it, and what only looks like it."""

import pytest

from diagnostics.analyzers import linux

STAMP = "[  812.345678] "
TRACE = "[  812.345690]  acs_submit+0x42/0x90 [acmestor]\n[  812.345691]  vfs_write+0xb0/0x2f0\n"
NULL = f"{STAMP}BUG: kernel NULL pointer dereference, address: 0000000000000018\n"
RIP = f"{STAMP}RIP: 0010:acs_submit+0x42/0x90 [acmestor]\n"
PANIC = f"{STAMP}Kernel panic - not syncing: "
WARN = f"{STAMP}WARNING: CPU: 1 PID: 77 at drivers/acme/stor.c:16 acs_submit+0x42/0x90 [acmestor]\n"
TAINT = f"{STAMP}CPU: 1 PID: 77 Comm: dd Not tainted 6.1.0-50-amd64 #1\n"


def said(text: str) -> str:
    verdict = linux.judge({"text": text}).verdict
    return f"{verdict.kind}/{verdict.subkind}"


FIRES = [
    ("kernel_panic/null_deref", NULL + RIP),
    (
        "kernel_panic/null_deref",
        "BUG: unable to handle kernel NULL pointer dereference at 0000000000000008\n"
        "IP: [<ffffffffa0123456>] acs_submit+0x42/0x90 [acmestor]\nOops: 0002 [#1] SMP\n",
    ),
    (
        "kernel_panic/null_deref",
        f"{STAMP}Unable to handle kernel NULL pointer dereference at virtual address "
        f"0000000000000010\n{STAMP}Internal error: Oops: 96000004 [#1] SMP\n"
        f"{STAMP}pc : acs_submit+0x42/0x90 [acmestor]\n",
    ),
    (
        "kernel_panic/paging_fault",
        f"{STAMP}BUG: unable to handle page fault for address: ffffb00000001000\n{RIP}",
    ),
    (
        "kernel_panic/paging_fault",
        "Unable to handle kernel paging request at virtual address dead000000000100\n"
        "PC is at acs_submit+0x42/0x90\n",
    ),
    ("kernel_panic/gpf", f"{STAMP}general protection fault: 0000 [#1] SMP PTI\n{RIP}"),
    ("kernel_panic/gpf", f"{STAMP}segment-related general protection fault: 206c [#2] PTI\n{RIP}"),
    ("kernel_panic/divide_error", f"{STAMP}divide error: 0000 [#1] PREEMPT SMP\n{RIP}"),
    ("kernel_panic/divide_error", f"{STAMP}divide_error: 0000 [#1] SMP\n{RIP}"),
    (
        "kernel_panic/kernel_bug",
        f"{STAMP}kernel BUG at mm/slub.c:305!\n{STAMP}invalid opcode: 0000 [#1] SMP\n{RIP}",
    ),
    ("kernel_panic/panic_on_warn", WARN + TAINT + PANIC + "panic_on_warn set ...\n" + TRACE),
    ("kernel_panic/init_killed", PANIC + "Attempted to kill init! exitcode=0x0000000b\n"),
    ("kernel_panic/vfs_root", PANIC + "VFS: Unable to mount root fs on unknown-block(0,0)\n"),
    (
        "kernel_panic/vfs_root",
        "---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n",
    ),
    ("kernel_panic/no_init", PANIC + "No working init found.  Try passing init= option\n"),
    ("kernel_panic/mce", PANIC + "Fatal machine check\n"),
    ("kernel_panic/nmi", PANIC + "NMI: Not continuing\n"),
    ("kernel_panic/oom_panic", PANIC + "Out of memory: compulsory panic_on_oom is enabled\n"),
    ("kernel_panic/fs_panic", PANIC + "EXT4-fs (device vda1): panic forced after error\n"),
    ("kernel_panic/watchdog", PANIC + "Software Watchdog Timer expired\n"),
    ("kernel_panic/rcu_stall", PANIC + "RCU Stall\n"),
    ("kernel_panic/hard_lockup", PANIC + "Watchdog detected hard LOCKUP on cpu 3\n"),
    ("kernel_panic/stack", PANIC + "corrupted stack end detected inside scheduler\n"),
    (
        "hang/soft_lockup",
        f"{STAMP}watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [dd:77]\n{RIP}",
    ),
    ("hang/hard_lockup", f"{STAMP}NMI watchdog: Watchdog detected hard LOCKUP on cpu 2\n{RIP}"),
    ("hang/hard_lockup", f"{STAMP}watchdog: CPU 59 Hard LOCKUP\n"),
    ("hang/rcu_stall", f"{STAMP}rcu: INFO: rcu_sched self-detected stall on CPU\n{RIP}"),
    ("hang/rcu_stall", f"{STAMP}INFO: rcu_preempt detected stalls on CPUs/tasks:\n"),
    ("hang/hung_task", f"{STAMP}INFO: task dd:77 blocked for more than 120 seconds.\n{TRACE}"),
    ("hang/lockup_other", f"{STAMP}BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0\n"),
    ("warning/warn", WARN + TAINT),
    (
        "warning/refcount",
        f"{STAMP}------------\n{WARN}{STAMP}refcount_t: underflow; use-after-free.\n",
    ),
    ("warning/memory_corruption", f"{STAMP}BUG: KASAN: use-after-free in acs_submit+0x42/0x90\n"),
    ("warning/memory_corruption", f"{STAMP}BUG: Bad page state in process dd  pfn:7deea\n"),
    ("warning/ubsan", f"{STAMP}UBSAN: shift-out-of-bounds in drivers/acme/stor.c:57:13\n"),
    ("warning/kcsan", f"{STAMP}BUG: KCSAN: data-race in acs_submit / acs_poll\n"),
    ("warning/kmsan", f"{STAMP}BUG: KMSAN: uninit-value in acs_submit+0x42/0x90\n"),
    ("warning/lockdep", f"{STAMP}WARNING: possible circular locking dependency detected\n"),
    ("warning/lockdep", f"{STAMP}[ INFO: suspicious RCU usage. ]\n"),
    ("warning/sched_atomic", f"{STAMP}BUG: scheduling while atomic: dd/77/0x00000002\n"),
    (
        "warning/preempt",
        f"{STAMP}BUG: using smp_processor_id() in preemptible [00000000] code: dd\n",
    ),
    ("warning/memleak", f"{STAMP}unreferenced object 0xffff88801234 (size 64):\n"),
    ("warning/slab_debug", f"{STAMP}BUG kmalloc-64 (Not tainted): Redzone overwritten\n"),
    ("warning/page_alloc_failure", f"{STAMP}dd: page allocation failure: order:4, mode:0xcc0\n"),
    ("warning/fs_error", f"{STAMP}EXT4-fs error (device vda1): ext4_lookup:1602: inode #2\n"),
    ("warning/mce_corrected", f"{STAMP}mce: [Hardware Error]: Machine check events logged\n"),
    ("warning/mce_corrected", f"{STAMP}EDAC MC0: 1 CE memory read error on DIMM_A1\n"),
    ("warning/nmi_unknown", f"{STAMP}Uhhuh. NMI received for unknown reason 3d on CPU 0.\n"),
    (
        "warning/fs_error",
        f"{STAMP}XFS (md0): Log I/O Error (0x2) detected at xlog_ioend_work+0x6e\n",
    ),
    ("warning/other_report", f'{STAMP}irq 16: nobody cared (try booting with "irqpoll")\n'),
    (
        "warning/other_report",
        f"{STAMP}CFI failure at acs_submit+0x42/0x90 (target: acs_done+0x0/0x8)",
    ),
    ("kernel_panic/oops", "PANIC: early exception 0x0e IP 10:ffffffff81234567 error 0 cr2 0x18\n"),
    ("oom_kill/global", f"{STAMP}Out of memory: Killed process 94 (mysqld) total-vm:196824kB\n"),
    (
        "oom_kill/memcg",
        f"{STAMP}Memory cgroup out of memory: Killed process 94 (java) total-vm:196824kB\n",
    ),
    (
        "oom_kill/manual",
        f"{STAMP}sysrq: Manual OOM execution\n{STAMP}Out of memory: Killed process 94 (a)\n",
    ),
    ("unexplained_reboot/sysrq_b", f"{STAMP}sysrq: Resetting\n"),
    ("normal_reboot/reboot", f"{STAMP}reboot: Restarting system\n"),
    ("normal_reboot/reboot", f"{STAMP}systemd-shutdown[1]: Rebooting with kexec.\n"),
    ("normal_reboot/reboot", f"{STAMP}kexec_core: Starting new kernel\n"),
    ("normal_reboot/shutdown", f"{STAMP}reboot: Power down\n"),
    ("none/user_segfault", f"{STAMP}nginx[77]: segfault at 8 ip 000055d0 sp 00007ffd error 4\n"),
    ("none/io_error", f"{STAMP}blk_update_request: I/O error, dev vdb, sector 2048 op 0x0\n"),
    (
        "none/io_error",
        f"{STAMP}EXT4-fs warning (device dm-1): ext4_end_bio:316: I/O error -5 writing to inode\n",
    ),
    ("none/sysrq_show", f"{STAMP}sysrq: Show Blocked State\n"),
]

NEAR_MISSES = [
    "[    0.000000] Command line: root=/dev/vda1 panic=1 oops=panic softlockup_panic=1\n",
    "kernel.panic = 10\nkernel.panic_on_oops = 1\nvm.panic_on_oom = 0\n",
    "CONFIG_PANIC_ON_OOPS=y\nCONFIG_BOOTPARAM_SOFTLOCKUP_PANIC=y\n",
    "# grep -c 'Kernel panic - not syncing' /var/log/messages\n0\n",
    "Kernel panic - not syncing\nBUG: soft lockup\nOops:\nBUG: unable to handle\nOut of memory\n",
    "Kernel panic - not syncing: %s\n",
    'kernel/panic.c:198:\tpr_emerg("Kernel panic - not syncing: %s\\n", buf);\n',
    "    if line.startswith('Kernel panic - not syncing: Fatal exception'): alert()\n",
    "Nov  9 12:01:01 web-7 monitor[77]: Kernel panic - not syncing: found in no log\n",
    "Nov  9 12:01:01 web-7 qemu[9]: [  12.345678] Kernel panic - not syncing: of a guest\n",
    "Nov  9 12:01:01 web-7 sudo[7]:  ops : COMMAND=/bin/grep Oops: 0002 [#1] /var/log/kern.log\n",
    "Nov  9 12:01:01 web-7 bash[7]: BUG: unable to handle kernel NULL pointer dereference at 08\n",
    f"commit {'1f' * 20}\nAuthor: A <a@example.org>\nDate:   Mon May 8 10:11:12 2023\n\n"
    "    acme: stop the timer\n\n    Kernel panic - not syncing: Fatal exception in interrupt\n"
    f"    {NULL}    {RIP}",
    "The machine said Kernel panic - not syncing: Fatal exception yesterday, they tell.\n",
    "Nov  9 12:01:01 web-7 kernel: cirrus 0000:00:02.0: registered panic notifier\n",
    "Nov  9 12:01:01 web-7 systemd[1083]: Reached target Shutdown.\n",
    "Nov  9 12:01:01 web-7 systemd[1]: Started Update UTMP about System Boot/Shutdown.\n",
    "[    1.234567] ramoops: using 0x100000@0xffedb000, ecc: 0\n",
    "[   44.045677] Oops: efitime: can't read time!\n",
    "[    0.005828] mce: CPU supports 9 MCE banks\n",
    "[   12.345678] NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.\n",
    "[   49.668016] WARNING: the mand mount option is being deprecated and will be removed\n",
    "[    9.123456] Reached the login\nWARNING: Optional imports not found, output is plain\n",
    "INFO: NMI handler (perf_event_nmi_handler) took too long to run: 2.277 msecs\n",
]


@pytest.mark.parametrize(("verdict", "text"), FIRES, ids=lambda value: value[:60].strip())
def test_the_report_is_named(verdict, text):
    assert said(text) == verdict


@pytest.mark.parametrize("text", NEAR_MISSES, ids=lambda text: text[:60].strip())
def test_words_are_not_events(text):
    assert said(text) == "none/healthy"


@pytest.mark.parametrize(
    "text",
    [text for verdict, text in FIRES if verdict.startswith(("hang/", "warning/", "oom_kill/"))],
    ids=lambda text: text[15:60].strip(),
)
def test_what_the_system_survived_is_no_crash(text):
    assert linux.judge({"text": text}).verdict.crashed is False


def test_the_report_that_killed_is_told_from_an_earlier_warning():
    early = WARN.replace("812.", "100.") + TAINT.replace("812.", "100.")
    text = early + NULL + RIP + TRACE + PANIC + "Fatal exception\n"
    analysis = linux.judge({"text": text})
    assert analysis.verdict.subkind == "null_deref"
    assert analysis.verdict.function == "acs_submit"
    assert analysis.module == "acmestor"


def test_a_function_is_said_to_be_of_its_own_module():
    """The one that it called into comes first in the trace."""
    text = (
        f"{STAMP}INFO: task cp:77 blocked for more than 120 seconds.\n{STAMP}Call Trace:\n"
        f"{STAMP} __schedule+0x2c4/0x770\n{STAMP} schedule+0x3c/0xa0\n"
        f"{STAMP} rpc_wait_bit_killable+0x1e/0x90 [sunrpc]\n{STAMP} __wait_on_bit+0x31/0xa0\n"
        f"{STAMP} _nfs4_proc_getattr+0x12a/0x150 [nfsv4]\n{STAMP} vfs_statx+0x8e/0x110\n"
        f"{STAMP}Kernel panic - not syncing: hung_task: blocked tasks\n"
    )
    analysis = linux.judge({"text": text})
    assert (analysis.verdict.function, analysis.module) == ("_nfs4_proc_getattr", "nfsv4")


def test_the_same_crash_has_the_same_signature_whatever_its_addresses_and_times():
    text = NULL + TAINT + RIP + "[  812.345680] Call Trace:\n" + TRACE
    moved = text.replace("812.", "99.").replace("+0x42", "+0x44").replace("PID: 77", "PID: 9")
    one, other = (linux.judge({"text": t}).verdict.signature for t in (text, moved))
    assert one == other and one.startswith("null_deref:acs_submit:acmestor:6.1:")


def test_a_lockup_names_what_was_interrupted():
    text = (
        f"{STAMP}rcu: INFO: rcu_sched self-detected stall on CPU\n{STAMP}Call Trace:\n"
        f"{STAMP} dump_stack+0x41/0x60\n{STAMP} update_process_times+0x24/0x50\n"
        f"{STAMP} apic_timer_interrupt+0xf/0x20\n{STAMP} acs_poll_hw+0x2c/0x60 [acmestor]\n"
        f"{STAMP} vfs_read+0x91/0x140\n"
    )
    assert linux.judge({"text": text}).verdict.function == "acs_poll_hw"


def test_tasks_that_wait_for_each_other_name_no_function():
    text = "".join(
        f"{STAMP}INFO: task dd:{pid} blocked for more than 120 seconds.\n{TRACE}" for pid in (7, 8)
    )
    verdict = linux.judge({"text": text}).verdict
    assert (verdict.subkind, verdict.function) == ("hung_task", None)


def test_an_oops_that_the_system_survived_for_hours_is_not_why_it_was_restarted():
    end = "[ 9812.000000] reboot: Restarting system\n"
    analysis = linux.judge({"text": NULL + RIP + TRACE + end})
    assert analysis.verdict.kind == "normal_reboot"
    assert any(finding.code == "kernel.oops" for finding in analysis.findings)
