"""The Linux script in a sandbox, against file trees: what it finds, and that it stays small."""

from diagnostics import scripts
from diagnostics.readers import bundle

PANIC = """\
[ 7611.195] BUG: kernel NULL pointer dereference, address: 0000000000000010
[ 7611.195] RIP: 0010:acs_stats_update+0x1b/0x40 [acmestor]
[ 7611.195] Call Trace:
[ 7611.195]  acs_irq+0x22/0x60 [acmestor]
[ 7611.195] Kernel panic - not syncing: Fatal exception in interrupt
[ 7611.195] ---[ end Kernel panic - not syncing: Fatal exception in interrupt ]---"""


def syslog(machine, seconds, text):
    return "".join(f"{machine.stamp(seconds)} web01 {line}\n" for line in text.splitlines())


def chatter(machine, start, end, lines):
    step = (end - start) / lines
    return "".join(
        syslog(machine, start + n * step, f"app[77]: request {n} answered") for n in range(lines)
    )


def log_with_a_crash(machine):
    kernel = "".join(f"kernel: {line}\n" for line in PANIC.splitlines())
    return (
        chatter(machine, -9000, -2, 4000)
        + syslog(machine, -1, kernel)
        + syslog(machine, 9, "kernel: [    0.000000] Linux version 6.1.0")
        + chatter(machine, 10, 3000, 4000)
    )


def sections(machine):
    output = machine.run()
    assert len(output) < 24_000
    read = bundle.read(output)
    assert read.complete and read.os == "linux"
    return read.sections


def test_the_script_fits_into_a_call():
    assert len(scripts.text("linux").encode()) <= 18_000


def test_it_names_the_machine(machine):
    system = sections(machine)["system"].splitlines()
    assert "os_pretty=A Linux 3" in system
    assert any(
        line in system for line in (f"boot_time={machine.booted_at + n}" for n in (-1, 0, 1))
    )


def test_the_crash_is_found_in_the_messages(machine):
    machine.write("var/log/messages", log_with_a_crash(machine))
    found = sections(machine)["messages"]
    assert all(line in found for line in PANIC.splitlines())
    assert "Linux version 6.1.0" in found
    assert "request 3999 answered" in found.split("Linux version")[0]


def test_the_newest_report_of_the_crash_kernel_is_read(machine):
    machine.write("var/crash/old/vmcore-dmesg.txt", "old", at=machine.booted_at - 90000)
    machine.write("var/crash/new/vmcore-dmesg.txt", PANIC, at=machine.booted_at)
    machine.write("var/crash/new/vmcore", b"x" * 1234, at=machine.booted_at)
    found = sections(machine)
    assert found["vmcore_dmesg"] == "# /var/crash/new/vmcore-dmesg.txt\n" + PANIC
    assert found["dumps"] == f"{machine.booted_at} 1234 /var/crash/new/vmcore"


def test_of_the_history_only_the_count_leaves_the_machine(machine):
    machine.write("root/.bash_history", "export TOKEN=s3cret\necho c > /proc/sysrq-trigger\n")
    found = sections(machine)
    assert found["history"] == "sysrq-trigger /root/.bash_history:1"
    assert not any("s3cret" in text for text in found.values())
