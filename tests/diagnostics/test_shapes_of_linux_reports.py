"""Every shape in which kernels of fifteen years print a report, and which function it is about."""

from textwrap import dedent

import pytest

from diagnostics.analyzers import linux


def judged(text: str) -> tuple[str, str, str | None]:
    verdict = linux.judge({"text": dedent(text)}).verdict
    return verdict.kind, verdict.subkind, verdict.function


POINTERS = {
    "x86-64 of today": """\
        [  812.345678] BUG: kernel NULL pointer dereference, address: 0000000000000018
        [  812.345679] Oops: 0002 [#1] PREEMPT SMP NOPTI
        [  812.345680] RIP: 0010:acs_submit+0x42/0x90 [acmestor]
        """,
    "x86-64 with a decoder's file and line": """\
        [  812.345678] BUG: kernel NULL pointer dereference, address: 0000000000000018
        [  812.345680] RIP: 0010:acs_submit (drivers/acme/stor.c:16 (discriminator 2)) acmestor
        """,
    "x86-64 of 3.x": """\
        BUG: unable to handle kernel NULL pointer dereference at 0000000000000018
        IP: [<ffffffffa0123456>] acs_submit+0x42/0x90 [acmestor]
        Oops: 0002 [#1] SMP
        RIP: 0010:[<ffffffffa0123456>]  [<ffffffffa0123456>] acs_submit+0x42/0x90 [acmestor]
        """,
    "x86-64 of 2.6": """\
        Unable to handle kernel NULL pointer dereference at 0000000000000018 RIP:
         [<ffffffff88123456>] :acmestor:acs_submit+0x42/0x90
        Oops: 0002 [1] SMP
        RIP: 0010:[<ffffffff88123456>]  [<ffffffff88123456>] :acmestor:acs_submit+0x42/0x90
        """,
    "x86-64, the pointer last": """\
        BUG: unable to handle kernel NULL pointer dereference at 0000000000000018
        Call Trace:
         [<ffffffff8114a1b2>] vfs_write+0xb0/0x2f0
        RIP  [<ffffffffa0123456>] acs_submit+0x42/0x90 [acmestor]
        """,
    "i386 of 2.6": """\
        BUG: unable to handle kernel NULL pointer dereference at virtual address 00000018
        EIP:    0060:[<f8a12345>]    Tainted: P      VLI
        EIP is at acs_submit+0x42/0x90 [acmestor]
        """,
    "i386 of today": """\
        BUG: kernel NULL pointer dereference, address: 00000018
        EIP: acs_submit+0x42/0x90 [acmestor]
        """,
    "arm64": """\
        [  812.345678] Unable to handle kernel NULL pointer dereference at virtual address 000018
        [  812.345679] Internal error: Oops: 0000000096000004 [#1] SMP
        [  812.345680] pc : acs_submit+0x42/0x90 [acmestor]
        [  812.345681] lr : vfs_write+0xb0/0x2f0
        """,
    "arm64 of 4.x": """\
        Unable to handle kernel NULL pointer dereference at virtual address 00000018
        PC is at acs_submit+0x42/0x90 [acmestor]
        LR is at vfs_write+0xb0/0x2f0
        """,
    "arm": """\
        Unable to handle kernel NULL pointer dereference at virtual address 00000018
        Internal error: Oops: 17 [#1] PREEMPT SMP ARM
        PC is at acs_submit+0x42/0x90 [acmestor]
        LR is at vfs_write+0xb0/0x2f0
        """,
}


@pytest.mark.parametrize("shape", POINTERS)
def test_the_instruction_pointer_is_found_in(shape):
    assert judged(POINTERS[shape]) == ("kernel_panic", "null_deref", "acs_submit")


OOPS = [
    "BUG: kernel NULL pointer dereference, address: 0000000000000018",
    "Oops: 0002 [#1] SMP",
    "CPU: 1 PID: 77 Comm: dd Not tainted 6.1.0 #1",
    "RIP: 0010:acs_submit+0x42/0x90 [acmestor]",
    "Call Trace:",
    " vfs_write+0xb0/0x2f0",
    "Kernel panic - not syncing: Fatal exception",
]
PREFIXES = {
    "console": "[  812.345678] ",
    "console with its processor": "[  812.345678][   T77] ",
    "raw kernel log": "<1>[  812.345678] ",
    "pstore": "<4>[  812.345678] ",
    "syslog": "Nov  9 12:01:01 web-7 kernel: [  812.345678] ",
    "syslog without stamps": "Nov  9 12:01:01 web-7 kernel: ",
    "rfc 5424": "2026-11-09T12:01:01.123456+08:00 web-7 kernel: [  812.345678] ",
    "syslog whose host was taken out": "Nov  9 12:01:01 kernel: ",
    "what syslogd shows to whoever is logged in": " kernel:[  812.345678] ",
    "a clock that was never set": "[18444175627.345678] ",
    "journal": "Nov 09 12:01:01 web-7 kernel: ",
    "dmesg -T": "[Mon Nov  9 12:01:01 2026] ",
    "dmesg -T in Chinese": "[一 11月  9 12:01:01 2026] ",
    "dmesg -T in German": "[Mo Nov.  9 12:01:01 2026] ",
    "dmesg -H": "[  +0.000012] ",
    "dmesg -H, first line of a minute": "[Nov 9 12:01] ",
    "dmesg -d": "[  812.345678 <    0.000012>] ",
    "dmesg --time-format iso": "2026-11-09T12:01:01,123456+08:00 ",
    "journalctl -o short-full": "Mon 2026-11-09 12:01:01 CST web-7 kernel: ",
    "journalctl -o short-unix": "1794196861.123456 web-7 kernel: ",
    "journalctl -o short-monotonic": "[  812.345678] web-7 kernel: ",
    "journalctl -o short-delta": "[  812.345678 <    0.000012 >] web-7 kernel: ",
    "the system log's protocol": "<1>1 2026-11-09T12:01:01.123456+08:00 web-7 kernel - - - ",
    "/dev/kmsg": "1,1207,812345678,-;",
    "grep in several files": "messages-20261109:Nov  9 12:01:01 web-7 kernel: ",
    "a small board's serial line": "[  812.345678@1] ",
    "quoted mail": "> [  812.345678] ",
    "nothing": "",
}


@pytest.mark.parametrize("where", PREFIXES)
def test_the_same_report_is_read_behind_the_prefix_of(where):
    text = "".join(f"{PREFIXES[where]}{line}\n" for line in OOPS)
    assert judged(text) == ("kernel_panic", "null_deref", "acs_submit")


LOGGED = [where for where in PREFIXES if "-7 kernel" in PREFIXES[where]]


@pytest.mark.parametrize("where", LOGGED)
def test_what_a_program_says_behind_the_prefix_of_a_logger_is_no_report(where):
    before = PREFIXES[where].replace("kernel - ", "app 77 ").replace("kernel:", "app[77]:")
    text = "".join(f"{before}{line}\n" for line in OOPS)
    assert judged(text)[0] == "none"


ENTRIES = {
    "export": (
        "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1794196861123456\n_HOSTNAME=web-7\n"
        "SYSLOG_IDENTIFIER=kernel\nMESSAGE=%s\n\n"
    ),
    "verbose": (
        "Mon 2026-11-09 12:01:01.123456 CST [s=1f;i=2;b=3e;m=4;t=5;x=6]\n    _HOSTNAME=web-7\n"
        "    MESSAGE=%s\n    _TRANSPORT=kernel\n    SYSLOG_IDENTIFIER=kernel\n"
    ),
    "json-pretty": (
        '{\n\t"_HOSTNAME" : "web-7",\n\t"__REALTIME_TIMESTAMP" : "1794196861123456",\n'
        '\t"MESSAGE" : "%s",\n\t"SYSLOG_IDENTIFIER" : "kernel"\n}\n'
    ),
}


@pytest.mark.parametrize("form", ENTRIES)
def test_a_journal_of_many_lines_an_entry_is_read_as_what_journalctl_prints_by_itself(form):
    by_kernel = "".join(ENTRIES[form] % line for line in OOPS)
    assert judged(by_kernel) == ("kernel_panic", "null_deref", "acs_submit")
    by_a_program = by_kernel.replace("=kernel", "=app").replace('"kernel"', '"app"')
    assert judged(by_a_program)[0] == "none"
    for cut in range(0, len(by_kernel), 7):
        judged(by_kernel[:cut])


@pytest.mark.parametrize("kept", range(4, len(OOPS)))
def test_a_cut_oops_still_names_where_the_processor_stood(kept):
    assert judged("\n".join(OOPS[:kept])) == ("kernel_panic", "null_deref", "acs_submit")


def test_an_oops_cut_above_its_registers_names_nobody():
    assert judged("\n".join(OOPS[:3])) == ("kernel_panic", "null_deref", None)


def test_lines_that_a_mailer_wrapped_are_put_together():
    text = """\
        [  812.345678] BUG: unable to handle page fault for address:
        ffffb00000001000
        [  812.345679] #PF: supervisor write access in kernel mode
        [  812.345680] RIP: 0010:acs_submit+0x42/0x90
        [acmestor]
        """
    assert judged(text) == ("kernel_panic", "paging_fault", "acs_submit")


def test_a_first_line_that_a_mailer_wrapped_is_read_whole():
    text = """\
        > [  812.345678] BUG: unable to handle kernel
        > NULL pointer dereference at 0000000000000018
        > [  812.345680] RIP: 0010:acs_submit+0x42/0x90 [acmestor]
        """
    assert judged(text) == ("kernel_panic", "null_deref", "acs_submit")


def test_a_first_line_that_was_cut_by_the_width_of_a_terminal_still_tells():
    text = """\
        Nov  9 12:01:01 web-7 kernel: [  812.345678] BUG: unable to handle kernel NULL poin
        Nov  9 12:01:01 web-7 kernel: [  812.345680] RIP: 0010:acs_submit+0x42/0x90 [acme
        """
    assert judged(text) == ("kernel_panic", "null_deref", "acs_submit")


def test_reports_of_two_processors_printed_through_each_other():
    text = """\
        [  812.345678] BUG: kernel NULL pointer dereference, address: 0000000000000018
        [  812.345679] BUG: kernel NULL pointer dereference, address: 0000000000000018
        [  812.345680] Oops: 0002 [#1] SMP
        [  812.345681] CPU: 1 PID: 77 Comm: dd Not tainted 6.1.0 #1
        [  812.345682] RIP: 0010:acs_submit+0x42/0x90 [acmestor]
        [  812.345683] CPU: 2 PID: 78 Comm: cp Not tainted 6.1.0 #1
        [  812.345684] RIP: 0010:acs_poll+0x12/0x40 [acmestor]
        """
    assert judged(text) == ("kernel_panic", "null_deref", "acs_submit")


def test_of_several_reports_the_one_that_killed_is_named():
    text = """\
        [  100.000001] WARNING: CPU: 0 PID: 9 at net/core/dev.c:10 acs_early+0x1/0x9
        [  100.000002] RIP: 0010:acs_early+0x1/0x9
        [  100.000003] ---[ end trace 1 ]---
        [  700.000001] INFO: task dd:77 blocked for more than 120 seconds.
        [  700.000002]  acs_wait+0x1/0x9
        [  812.345678] general protection fault: 0000 [#1] SMP PTI
        [  812.345680] RIP: 0010:acs_submit+0x42/0x90 [acmestor]
        [  812.345681] Kernel panic - not syncing: Fatal exception
        """
    assert judged(text) == ("kernel_panic", "gpf", "acs_submit")


REPORTS = {
    "KASAN names it on its first line": (
        """\
        BUG: KASAN: use-after-free in acs_submit+0x42/0x90
        Read of size 8 at addr ffff888000000000 by task dd/77
        Call Trace:
         dump_stack_lvl+0x41/0x60
         kasan_report+0xc4/0x100
         acs_submit+0x42/0x90
        """,
        ("warning", "memory_corruption", "acs_submit"),
    ),
    "KASAN in a copying helper means its caller": (
        """\
        BUG: KASAN: slab-out-of-bounds in memcpy+0x1f/0x60
        Call Trace:
         dump_stack_lvl+0x41/0x60
         kasan_report+0xc4/0x100
         memcpy+0x1f/0x60
         acs_submit+0x42/0x90
        """,
        ("warning", "memory_corruption", "acs_submit"),
    ),
    "KASAN in a helper, cut": (
        "BUG: KASAN: slab-out-of-bounds in memcpy+0x1f/0x60\n",
        ("warning", "memory_corruption", None),
    ),
    "UBSAN": (
        """\
        UBSAN: shift-out-of-bounds in drivers/acme/stor.c:57:13
        Call Trace:
         dump_stack_lvl+0x4a/0x5c
         ubsan_epilogue+0x8/0x2b
         __ubsan_handle_shift_out_of_bounds+0x59/0xf3
         acs_submit+0x42/0x90
        """,
        ("warning", "ubsan", "acs_submit"),
    ),
    "UBSAN in a header's inline function": (
        """\
        UBSAN: shift-out-of-bounds in ./include/linux/log2.h:57:13
        Call Trace:
         ubsan_epilogue+0x8/0x2b
         acs_submit+0x42/0x90
        """,
        ("warning", "ubsan", None),
    ),
    "WARNING of today": (
        """\
        WARNING: CPU: 1 PID: 77 at drivers/acme/stor.c:16 acs_submit+0x42/0x90 [acmestor]
        RIP: 0010:acs_submit+0x42/0x90 [acmestor]
        """,
        ("warning", "warn", "acs_submit"),
    ),
    "WARNING of 3.x": (
        """\
        WARNING: at drivers/acme/stor.c:16 acs_submit+0x42/0x90 [acmestor]()
        Call Trace:
         [<ffffffff8105cd86>] warn_slowpath_common+0x66/0x80
         [<ffffffffa0123456>] acs_submit+0x42/0x90 [acmestor]
        """,
        ("warning", "warn", "acs_submit"),
    ),
    "WARNING of 2.6": (
        """\
        WARNING: at drivers/acme/stor.c:16 acs_submit+0x42/0x90() (Not tainted)
        Hardware name: Acme
        Call Trace:
         [<ffffffff8105cd86>] ? warn_slowpath_common+0x66/0x80
         [<ffffffffa0123456>] ? acs_submit+0x42/0x90
        """,
        ("warning", "warn", "acs_submit"),
    ),
    "WARNING of which nothing but the first line is left": (
        "WARNING: CPU: 1 PID: 77 at drivers/acme/stor.c:16 acs_submit+0x42/0x90\n",
        ("warning", "warn", None),
    ),
    "a counter's check means its caller": (
        """\
        refcount_t: underflow; use-after-free.
        WARNING: CPU: 1 PID: 77 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110
        refcount_t: underflow; use-after-free.
        RIP: 0010:refcount_warn_saturate+0xba/0x110
        Call Trace:
         refcount_warn_saturate+0xba/0x110
         acs_put+0x12/0x40
        """,
        ("warning", "refcount", "acs_put"),
    ),
    "a frame that the unwinder does not vouch for": (
        """\
        BUG: scheduling while atomic: dd/77/0x00000002
        Call Trace:
         dump_stack+0x41/0x60
         ? acs_bystander+0x1/0x9
         __schedule_bug+0x4b/0x60
         __schedule+0x6e4/0x760
         schedule+0x3f/0xb0
         acs_submit+0x42/0x90
        """,
        ("warning", "sched_atomic", "acs_submit"),
    ),
    "a kernel that scanned its stack": (
        """\
        BUG: scheduling while atomic: dd/77/0x00000002
        Pid: 77, comm: dd Not tainted 3.3.0-7.x86_64 #1
        Call Trace:
         [<ffffffff81656174>] __schedule_bug+0x80/0x85
         [<ffffffffa0123456>] acs_submit+0x42/0x90
        """,
        ("warning", "sched_atomic", None),
    ),
    "a page that was damaged, and whose it is": (
        """\
        BUG: Bad page state in process dd  pfn:7deea
        page_owner tracks the page as allocated
        page last allocated via order 0, migratetype Unmovable, gfp_mask 0x40c40
         post_alloc_hook+0x1f3/0x230
         get_page_from_freelist+0x2e4c/0x2f10
         acs_alloc_ring+0x2b4/0x1050
        page last free pid 5083 tgid 5083 stack trace:
         free_unref_page+0xd19/0xea0
        Call Trace:
         bad_page+0x14c/0x170
         acs_bystander+0x1/0x9
        """,
        ("warning", "memory_corruption", "acs_alloc_ring"),
    ),
    "a lock that is taken twice": (
        """\
        WARNING: possible recursive locking detected
        6.1.0 #1 Not tainted
        dd/77 is trying to acquire lock:
        ffff888000000000 (&acs->lock){+.+.}-{2:2}, at: acs_submit+0x42/0x90
        but task is already holding lock:
        ffff888000000000 (&acs->lock){+.+.}-{2:2}, at: acs_poll+0x12/0x40
        """,
        ("warning", "lockdep", "acs_submit"),
    ),
    "the lock is taken by a helper": (
        """\
        WARNING: possible circular locking dependency detected
        6.1.0 #1 Not tainted
        dd/77 is trying to acquire lock:
        ffffffff8600aef8 ((console_sem).lock){-.-.}, at: down_trylock+0x13/0x70
        but task is already holding lock:
        ffff888000000000 (&acs->lock){+.+.}, at: acs_poll+0x12/0x40
        """,
        ("warning", "lockdep", "acs_poll"),
    ),
    "a soft lockup with its pointer": (
        """\
        watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [dd:77]
        RIP: 0010:acs_poll_hw+0x2c/0x60 [acmestor]
        """,
        ("hang", "soft_lockup", "acs_poll_hw"),
    ),
    "a soft lockup of 2.6": (
        """\
        BUG: soft lockup - CPU#1 stuck for 61s! [dd:77]
        RIP: 0010:[<ffffffffa0123456>]  [<ffffffffa0123456>] acs_poll_hw+0x2c/0x60
        """,
        ("hang", "soft_lockup", "acs_poll_hw"),
    ),
    "a self-detected stall": (
        """\
        rcu: INFO: rcu_sched self-detected stall on CPU
        rcu: \t1-....: (2099 ticks this GP) idle=4c6/1/0x40000002 softirq=6646/6646 fqs=1
        RIP: 0010:acs_poll_hw+0x2c/0x60 [acmestor]
        """,
        ("hang", "rcu_stall", "acs_poll_hw"),
    ),
    "a stall without a pointer: what entered the loop": (
        """\
        INFO: rcu_sched self-detected stall on CPU { 1}  (t=2100 jiffies)
        Call Trace:
         dump_stack+0x41/0x60
         update_process_times+0x24/0x50
         apic_timer_interrupt+0xf/0x20
         acs_spin+0x2c/0x60
         acs_write+0x1/0x9
         vfs_write+0xb0/0x2f0
         do_syscall_64+0x5b/0x80
        """,
        ("hang", "rcu_stall", "acs_write"),
    ),
    "a stall whose trace was cut above what entered the loop": (
        """\
        INFO: rcu_sched self-detected stall on CPU { 1}  (t=2100 jiffies)
        Call Trace:
         update_process_times+0x24/0x50
         apic_timer_interrupt+0xf/0x20
         acs_bystander+0x2c/0x60
        """,
        ("hang", "rcu_stall", None),
    ),
    "a stall of a task that did not run": (
        """\
        rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
        rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-1): P77
        Call Trace:
         __schedule+0x817/0x1cc0
         preempt_schedule+0x4b/0x60
         acs_bystander+0x2c/0x60
         do_syscall_64+0x5b/0x80
        """,
        ("hang", "rcu_stall", None),
    ),
    "a hard lockup told by a WARNING": (
        """\
        WARNING: at kernel/watchdog.c:245 watchdog_overflow_callback+0x9c/0xd0()
        Hardware name: Acme
        Watchdog detected hard LOCKUP on cpu 0
        Call Trace:
         [<ffffffff8105cd86>] warn_slowpath_common+0x66/0x80
         [<ffffffff810eb83c>] watchdog_overflow_callback+0x9c/0xd0
        """,
        ("hang", "hard_lockup", "watchdog_overflow_callback"),
    ),
    "several tasks that wait in one place": (
        """\
        INFO: task dd:77 blocked for more than 120 seconds.
        Call Trace:
         schedule+0x69/0x110
         mutex_lock_nested+0x16/0x20
         acs_submit+0x42/0x90
        INFO: task cp:78 blocked for more than 120 seconds.
        Call Trace:
         schedule+0x69/0x110
         mutex_lock_nested+0x16/0x20
         acs_submit+0x42/0x90
        """,
        ("hang", "hung_task", "acs_submit"),
    ),
    "several tasks that wait in several places": (
        """\
        INFO: task dd:77 blocked for more than 120 seconds.
        Call Trace:
         schedule+0x69/0x110
         mutex_lock_nested+0x16/0x20
         acs_submit+0x42/0x90
        INFO: task cp:78 blocked for more than 120 seconds.
        Call Trace:
         schedule+0x69/0x110
         mutex_lock_nested+0x16/0x20
         acs_poll+0x12/0x40
        """,
        ("hang", "hung_task", None),
    ),
    "a lock that is taken in interrupts elsewhere": (
        """\
        WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected
        6.1.0 #1 Not tainted
        dd/77 [HC0[0]:SC0[0]:HE0:SE1] is trying to acquire:
        ffff888026df22b8 (&acs->lock){.+.+}-{2:2}, at: acs_poll+0x12/0x40
        ... which became HARDIRQ-irq-safe at:
          lock_acquire+0x29d/0x740
          _raw_spin_lock_irqsave+0x39/0x50
          acs_irq+0x6f/0x3d0
        """,
        ("warning", "lockdep", "acs_irq"),
    ),
    "a lock that may not be taken here": (
        """\
        [ BUG: Invalid wait context ]
        6.1.0 #1 Not tainted
        dd/77 is trying to lock:
        ffff888026df22b8 (&acs->lock){....}-{3:3}, at: acs_poll+0x12/0x40
        """,
        ("warning", "lockdep", "acs_poll"),
    ),
    "a sanitizer's first line, repeated for what was compiled into the function": (
        """\
        BUG: KASAN: slab-use-after-free in atomic_read include/linux/atomic.h:32 [inline]
        BUG: KASAN: slab-use-after-free in acs_users drivers/acme/stor.h:9 [inline]
        BUG: KASAN: slab-use-after-free in acs_submit+0x42/0x90 drivers/acme/stor.c:16
        Read of size 4 at addr ffff88807c0a1b80 by task dd/77
        """,
        ("warning", "memory_corruption", "acs_submit"),
    ),
    "a stall found on a processor that idled": (
        """\
        rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
        pc : cpuidle_enter_state+0x130/0x270
        Call trace:
         cpuidle_enter_state+0x130/0x270
         do_idle+0x1/0x9
        """,
        ("hang", "rcu_stall", None),
    ),
    "a task that waits for it knows not whom": (
        """\
        INFO: task dd:77 blocked for more than 120 seconds.
              Not tainted 5.15.0-53-generic #59
        Call Trace:
         __schedule+0x2cd/0x890
         schedule+0x69/0x110
         io_schedule+0x46/0x80
         acs_submit+0x42/0x90
        """,
        ("hang", "hung_task", None),
    ),
    "a task that waits, on a kernel that follows its locks": (
        """\
        INFO: task dd:77 blocked for more than 120 seconds.
              Not tainted 6.1.0 #1
        Call Trace:
         __schedule+0x2cd/0x890
         schedule+0x69/0x110
         schedule_preempt_disabled+0x13/0x20
         __mutex_lock+0x751/0x1340
         mutex_lock_nested+0x16/0x20
         acs_submit+0x42/0x90
        Showing all locks held in the system:
        """,
        ("hang", "hung_task", "acs_submit"),
    ),
    "a task that waits for what the whole system shares": (
        """\
        INFO: task dd:77 blocked for more than 120 seconds.
        Call Trace:
         __schedule+0x2cd/0x890
         schedule+0x69/0x110
         __mutex_lock+0x751/0x1340
         rtnl_lock+0x17/0x20
         acs_submit+0x42/0x90
        """,
        ("hang", "hung_task", "rtnl_lock"),
    ),
    "a blocked task that became a panic": (
        """\
        INFO: task dd:77 blocked for more than 120 seconds.
        Call Trace:
         __schedule+0x2cd/0x890
         schedule+0x69/0x110
         acs_submit+0x42/0x90
        Kernel panic - not syncing: hung_task: blocked tasks
        """,
        ("kernel_panic", "hung_task", "acs_submit"),
    ),
    "a jump through a bad pointer": (
        """\
        BUG: unable to handle page fault for address: ffff880214d12c00
        RIP: 0010:0xffff880214d12c00
        Call Trace:
         acs_submit+0x42/0x90
        """,
        ("kernel_panic", "paging_fault", "acs_submit"),
    ),
    "a jump through a bad pointer, nobody vouched for": (
        """\
        BUG: unable to handle page fault for address: ffff880214d12c00
        RIP: 0010:0xffff880214d12c00
        Call Trace:
         ? acs_bystander+0x1/0x9
         acs_submit+0x42/0x90
        """,
        ("kernel_panic", "paging_fault", None),
    ),
    "a function of a Rust module": (
        """\
        BUG: kernel NULL pointer dereference, address: 0000000000000018
        RIP: 0010:_RNvNtCs1234_8acmestor5queue6submit+0x42/0x90 [acmestor]
        """,
        ("kernel_panic", "null_deref", "submit"),
    ),
    "a trace of arm without addresses": (
        """\
        WARNING: CPU: 0 PID: 77 at drivers/acme/stor.c:16 0xc0801234
         unwind_backtrace from show_stack+0x18/0x1c
         show_stack from dump_stack_lvl+0x58/0x70
         dump_stack_lvl from __warn+0xd0/0x144
         __warn from warn_slowpath_fmt+0x64/0xbc
         warn_slowpath_fmt from acs_submit+0x42/0x90 [acmestor]
         acs_submit [acmestor] from vfs_write+0xb0/0x2f0
        """,
        ("warning", "warn", "acs_submit"),
    ),
    "a warning whose trace shows only how it got into the kernel": (
        """\
        WARNING: at drivers/acme/stor.c:16
        Call Trace:
         [<ffffffff814bc0c2>] system_call_fastpath+0x16/0x1b
        """,
        ("warning", "warn", None),
    ),
    "a lockup while drivers start": (
        """\
        Kernel panic - not syncing: softlockup: hung tasks
        Call Trace:
         <IRQ>  panic+0x134/0x354
         watchdog_timer_fn+0x1a0/0x250
         apic_timer_interrupt+0x8c/0xa0
         <EOI>  acs_fill+0x34/0x8e
         acs_start+0x200/0x317
         do_one_initcall+0x50/0x190
         kernel_init_freeable+0x2a4/0x351
         kernel_init+0x11/0x120
         ret_from_fork+0x1f/0x40
        """,
        ("kernel_panic", "soft_lockup", "acs_start"),
    ),
    "what the compiler split off": (
        """\
        BUG: kernel NULL pointer dereference, address: 0000000000000018
        RIP: 0010:acs_submit.constprop.0.isra.4+0x42/0x90
        """,
        ("kernel_panic", "null_deref", "acs_submit"),
    ),
}


@pytest.mark.parametrize("shape", REPORTS)
def test_the_function_that_matters_is_named(shape):
    text, verdict = REPORTS[shape]
    assert judged(text) == verdict


NAMELESS = {
    "memory that ran out": "Out of memory: Killed process 94 (mysqld) total-vm:196824kB\n",
    "a root that cannot be mounted": (
        "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n"
        "Call Trace:\n mount_block_root+0x1d/0x40\n"
    ),
    "a machine check": (
        "Kernel panic - not syncing: Fatal machine check\n"
        "Call Trace:\n mce_panic+0x1d/0x40\n acs_bystander+0x1/0x9\n"
    ),
    "an init that died": (
        "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n"
        "Call Trace:\n do_exit+0x1d/0x40\n acs_bystander+0x1/0x9\n"
    ),
    "a workqueue that stood still": (
        "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 46s!\n"
        "Call Trace:\n acs_bystander+0x1/0x9\n"
    ),
    "an object that was damaged": (
        "BUG kmalloc-64 (Not tainted): Redzone overwritten\n"
        "Call Trace:\n check_bytes_and_report+0x1d/0x40\n acs_bystander+0x1/0x9\n"
    ),
    "a look that was asked for": (
        "sysrq: Show Blocked State\nCall Trace:\n acs_bystander+0x1/0x9\n"
    ),
}


@pytest.mark.parametrize("what", NAMELESS)
def test_no_function_is_named_for(what):
    assert judged(NAMELESS[what])[2] is None
