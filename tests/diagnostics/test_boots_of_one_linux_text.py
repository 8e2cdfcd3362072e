"""Which boot went down last, and how it ended."""

import pytest

from diagnostics.analyzers import linux

START = "Nov 20 03:00:02 web-7 kernel: [    0.000000] Linux version 5.10.0 (build@host) #1 SMP\n"
UP = "Nov 20 03:00:09 web-7 systemd[1]: Reached target Multi-User System.\n"
CRON = "Nov 20 02:10:01 web-7 CROND[71]: (root) CMD (run-parts /etc/cron.hourly)\n"
END = "Nov 20 02:58:40 web-7 systemd[1]: Reached target System Reboot.\n"
PANIC = "Nov 20 02:58:41 web-7 kernel: [99.100000] Kernel panic - not syncing: Fatal exception\n"
CONSOLE = "[   99.100000] eth0: link up\nweb-7 login: \n[    0.000000] Linux version 5.10.0 #1\n"


def verdict(text):
    return linux.judge({"text": text}).verdict


def test_a_boot_with_no_end_before_it_is_unexplained():
    judged = verdict(CRON + START + UP)
    assert (judged.kind, judged.subkind, judged.crashed) == ("unexplained_reboot", "unknown", True)


def test_an_orderly_end_before_the_boot_is_a_normal_reboot():
    assert verdict(CRON + END + START + UP).kind == "normal_reboot"


def test_a_panic_before_the_boot_is_the_panic():
    assert verdict(CRON + PANIC + START + UP).kind == "kernel_panic"


def test_a_panic_of_the_boot_before_the_last_is_not_blamed():
    later = (CRON + END + START).replace("Nov 20", "Nov 21")
    assert verdict(CRON + PANIC + START + UP + later).kind == "normal_reboot"


def test_a_log_that_only_starts_is_healthy():
    assert verdict(START + UP).kind == "none"


def test_lines_of_the_same_second_are_of_the_same_boot():
    early = 'Nov 20 03:00:02 web-7 rsyslogd: [origin software="rsyslogd"] start\n'
    assert verdict(early + START + UP).kind == "none"


def test_a_kernel_only_log_breaks_off_at_every_reboot_and_blames_nobody():
    kernel = "Nov 20 02:10:01 web-7 kernel: [  812.000000] eth0: link up\n"
    assert verdict(kernel + START).kind == "none"


@pytest.mark.parametrize("program", ["NetworkManager", "gnome-session-binary", "gsd-power"])
def test_a_program_whose_lines_reach_the_kernels_log_makes_it_no_whole_record(program):
    network = f"Nov 20 02:43:49 web-7 {program}[977]: dhcp4 (eth0): state changed\n"
    assert verdict(network * 3 + START).kind == "none"
    assert verdict(CRON + network * 3 + START).kind == "unexplained_reboot"


@pytest.mark.parametrize(
    "left",
    [
        "systemd[1]: Stopped target Multi-User System.",
        "systemd[1]: Stopped target graphical.target - Graphical Interface.",
    ],
)
def test_a_logger_that_is_stopped_early_still_tells_that_the_system_left_its_target(left):
    stops = "Nov 20 02:58:41 web-7 systemd[1]: Stopping MySQL Community Server...\n" * 90
    assert verdict(f"{CRON}Nov 20 02:58:40 web-7 {left}\n{stops}{START}").kind == "normal_reboot"
    user = left.replace("[1]", "[1083]")
    judged = verdict(f"{CRON}Nov 20 02:58:40 web-7 {user}\n{stops}{START}")
    assert judged.kind == "unexplained_reboot"


def test_a_target_that_was_left_long_before_is_no_end():
    left = "Nov 20 01:10:40 web-7 systemd[1]: Stopped target Graphical Interface.\n"
    assert verdict(left + CRON + START).kind == "unexplained_reboot"


@pytest.mark.parametrize(("word", "subkind"), [("reboot", "reboot"), ("halt", "shutdown")])
def test_a_system_that_says_for_what_it_shuts_down(word, subkind):
    said = f"Nov 20 02:58:40 web-7 pre-shutdown[88]: Shutting down for {word}: system-update\n"
    judged = verdict(CRON + said + START)
    assert (judged.kind, judged.subkind) == ("normal_reboot", subkind)


def test_a_console_that_starts_anew_after_a_prompt_was_reset():
    assert verdict(CONSOLE).kind == "unexplained_reboot"


def test_a_logger_that_restarts_in_the_middle_is_no_end():
    stop = "Nov 20 02:12:00 web-7 rsyslogd: exiting on signal 15.\n"
    assert verdict(stop + CRON * 80).kind == "none"


def test_what_the_boot_loader_prints_is_no_earlier_boot():
    loader = "SeaBIOS (version 1.16.2)\nBooting from Hard Disk...\nBooting the kernel.\n"
    assert verdict(loader + "[    0.000000] Linux version 5.10.0 #1\n").kind == "none"


def test_printed_logins_tell_a_crash_from_a_shutdown():
    boot = "reboot   system boot  5.10.0           Mon Feb  5 11:26 - 11:28  (00:01)\n"
    crash = "root     tty1                          Sun Feb  4 11:34 - crash  (23:51)\n"
    down = "root     tty1                          Sun Feb  4 11:34 - down   (03:51)\n"
    assert verdict(boot + crash).kind == "unexplained_reboot"
    assert verdict(boot + down).kind == "normal_reboot"


CAPTURE = """\
[    0.000000] Linux version 5.10.0 (build@host) #1 SMP
[    0.000000] Command line: root=/dev/vda1 nr_cpus=1 reset_devices elfcorehdr=867740K
[    0.021000] Kernel command line: root=/dev/vda1 nr_cpus=1 reset_devices elfcorehdr=867740K
kdump: saving vmcore complete
[   21.223456] reboot: Restarting system
"""
REAL = "[    0.000000] Linux version 5.10.0 (build@host) #1 SMP\n[    9.100000] eth0: link up\n"
OOPS = """\
[  812.100000] BUG: kernel NULL pointer dereference, address: 0000000000000018
[  812.100001] RIP: 0010:acs_submit+0x42/0x90 [acmestor]
"""


@pytest.mark.parametrize("after", ["", REAL, "SeaBIOS (version 1.16.2)\n" + REAL])
def test_the_crash_kernel_belongs_to_the_boot_that_crashed(after):
    judged = verdict(OOPS + CAPTURE + after)
    assert (judged.kind, judged.subkind, judged.function) == (
        "kernel_panic",
        "null_deref",
        "acs_submit",
    )


@pytest.mark.parametrize("after", ["", REAL, "SeaBIOS (version 1.16.2)\n" + REAL])
@pytest.mark.parametrize("before", ["", "[  812.100000] eth0: link down\n"])
def test_a_crash_kernel_alone_tells_of_a_panic_and_not_of_a_restart(before, after):
    judged = verdict(before + CAPTURE + after)
    assert (judged.kind, judged.subkind) == ("kernel_panic", "other_panic")


def test_a_crash_kernel_whose_first_lines_are_missing_takes_no_crash_away():
    missing = CAPTURE.partition("\n")[2]
    life = "[  100.100000] eth0: link up\n" * 90
    assert (
        verdict("[  99.100000] eth0: up\n" + REAL + life + OOPS + missing).subkind == "null_deref"
    )


def test_room_kept_for_a_crash_kernel_is_none():
    kept = CAPTURE.replace("reset_devices elfcorehdr=867740K", "crashkernel=192M")
    assert verdict(kept + REAL).kind == "normal_reboot"


def test_the_crash_kernels_own_restart_is_no_orderly_end():
    text = PANIC + PANIC.replace("Kernel panic - not syncing: Fatal exception", "Rebooting.")
    found = linux.judge({"text": CRON + text + START + UP})
    assert found.verdict.kind == "kernel_panic"
    assert "system.orderly" not in {finding.code for finding in found.findings}


CRASH_KERNEL = (
    "[    0.000000] Linux version 5.10.0 #1\n"
    "[    0.000000] Command line: elfcorehdr=867704K root=/dev/vda1 irqpoll reset_devices\n"
    "[    6.100000] kdump[320]: saving vmcore complete\n"
    "[    6.900000] reboot: Restarting system\n"
)
AGAIN = (
    "[    0.000000] Linux version 5.10.0 #1\n"
    "[    0.000000] Command line: root=/dev/vda1 crashkernel=256M\n"
    "[    9.000000] systemd[1]: Started OpenSSH server daemon.\n"
)
DIED = "[ 9000.100000] Kernel panic - not syncing: Fatal exception\n"


@pytest.mark.parametrize("after", ["", AGAIN])
def test_a_console_on_which_the_crash_kernel_speaks_too_tells_of_the_crash(after):
    found = verdict(AGAIN + DIED + CRASH_KERNEL + after)
    assert (found.kind, found.crashed) == ("kernel_panic", True)


def test_an_orderly_reboot_long_after_a_dump_is_the_orderly_one():
    end = "[   12.000000] reboot: Restarting system\n"
    assert verdict(DIED + CRASH_KERNEL + AGAIN + end + AGAIN).kind == "normal_reboot"


def test_what_the_present_boot_tells_is_not_lost_for_a_restart_of_which_nothing_is_told():
    kernel = "Nov 20 02:10:01 web-7 kernel: [  812.000000] eth0: link up\n"
    killed = "Nov 20 03:50:04 web-7 kernel: [ 3002.819251] Killed process 94 (java) total-vm:9kB\n"
    assert verdict(kernel + START + killed).kind == "oom_kill"
    assert verdict(CRON + END + START + killed).kind == "normal_reboot"
