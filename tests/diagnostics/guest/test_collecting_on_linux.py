"""The Linux script in a sandbox, against file trees: what it finds, and that it stays small.

Every run has a read-only root without a folder for temporary files.
"""

import gzip
import random
import shutil
import string

import pytest

from diagnostics import scripts
from diagnostics.readers import bundle, linux_state
from diagnostics.scripts.shared import readiness
from tests.sizes import LONG, sample

from .families import BOOT, ISO, JOURNAL, PANIC, after, chatter, crash, syslog
from .fuzzing import SEED
from .machines import KITS


def sections(machine):
    output = machine.run()
    assert len(output) < 24_000
    read = bundle.read(output)
    assert (read.os, read.complete, read.problems) == ("linux", True, ())
    return read.sections


def tells_the_crash(text):
    return all(line in text for line in PANIC.splitlines()) and "Linux version 6.1.0" in text


def test_the_script_fits_into_a_call():
    assert len(scripts.text("linux").encode("ascii")) <= 18_000


def test_it_names_the_machine(kit):
    state = linux_state.read(sections(kit))
    assert (state.os, state.family, state.kdump.crashkernel) == ("A Linux 3", "rhel", "auto")
    assert abs(state.booted_at.timestamp() - kit.booted_at) <= 2


def test_the_crash_is_found_in_the_messages(kit):
    kit.write("var/log/messages", crash(kit) + after(kit))
    found = sections(kit)["messages"]
    assert tells_the_crash(found)
    assert "request 3999 answered" in found.split("Linux version")[0]


def test_the_crash_is_found_in_a_log_with_iso_times(kit):
    kit.write("var/log/syslog", crash(kit, ISO) + after(kit, ISO))
    assert tells_the_crash(sections(kit)["messages"])


def test_the_crash_is_found_in_a_rotated_log(kit):
    kit.write("var/log/messages", chatter(kit, 3100, 3500, 100))
    kit.write("var/log/messages-20261119", crash(kit) + after(kit), at=kit.booted_at + 3050)
    assert tells_the_crash(sections(kit)["messages"])


def test_the_crash_is_found_in_a_packed_log(kit):
    packed = gzip.compress((crash(kit) + after(kit)).encode())
    kit.write("var/log/messages", chatter(kit, 3100, 3500, 100))
    kit.write("var/log/messages.1.gz", packed, at=kit.booted_at + 3050)
    assert tells_the_crash(sections(kit)["messages"])


@pytest.mark.parametrize("packed", [False, True])
def test_a_rotation_between_crash_and_boot_loses_neither(machine, packed):
    log = crash(machine).encode()
    name = "var/log/messages.1" + (".gz" if packed else "")
    machine.write(name, gzip.compress(log) if packed else log, at=machine.booted_at - 1)
    machine.write("var/log/messages", after(machine))
    assert tells_the_crash(sections(machine)["messages"])


def test_what_a_busy_host_wrote_after_the_boot_does_not_hide_the_crash(machine):
    flood = chatter(machine, 10, 3500, 120_000)
    machine.write("var/log/messages", crash(machine) + syslog(machine, 9, BOOT) + flood)
    found = sections(machine)["messages"]
    assert tells_the_crash(found)
    assert len(found) < 26_000


def test_the_newest_report_of_the_crash_kernel_is_read(kit):
    kit.write("var/crash/old/vmcore-dmesg.txt", "old", at=kit.booted_at - 90000)
    kit.write("var/crash/new/vmcore-dmesg.txt", PANIC, at=kit.booted_at)
    kit.write("var/crash/new/vmcore", b"x" * 1234, at=kit.booted_at)
    found = sections(kit)
    assert found["vmcore_dmesg"] == "# /var/crash/new/vmcore-dmesg.txt\n" + PANIC
    assert found["dumps"] == f"{kit.booted_at} 1234 /var/crash/new/vmcore"


def test_the_debian_names_of_dumps_are_known(kit):
    kit.write("var/crash/202611200231/dmesg.202611200231", PANIC, at=kit.booted_at)
    kit.write("var/crash/202611200231/dump.202611200231", b"x" * 99, at=kit.booted_at)
    kit.write("etc/default/kdump-tools", 'USE_KDUMP=1\nKDUMP_COREDIR="/var/crash"\n')
    found = sections(kit)
    assert found["vmcore_dmesg"].endswith(PANIC)
    (dump,) = linux_state.read(found).dumps
    assert (dump.type, dump.size) == ("dump", 99)
    assert "config_path=/etc/default/kdump-tools" in found["kdump"]


def test_pstore_is_read(kit):
    kit.write("sys/fs/pstore/dmesg-efi-1", "Panic#1 Part1\n" + PANIC)
    assert sections(kit)["pstore"].endswith(PANIC)


def test_kdump_is_told_as_systemd_sees_it(machine):
    machine.tool(
        "systemctl", "case $1 in is-enabled) [ $2 = kdump ] && echo enabled;; *) echo failed;; esac"
    )
    machine.write("etc/kdump.conf", "path /data/crash\nnfs server:/export\n")
    kdump = linux_state.read(sections(machine)).kdump
    assert (kdump.service, kdump.active, kdump.enabled) == ("kdump", "failed", "enabled")
    assert (kdump.core_path, kdump.target) == ("/data/crash", "nfs server:/export")


def test_the_end_of_the_journal_of_the_boot_before_is_read_once(machine):
    lines = [f"2026-11-20T02:00:{n % 60:02} web01 app[7]: request {n}" for n in range(500)]
    kernel = [f"2026-11-20T02:00:10 web01 kernel: {line}" for line in PANIC.splitlines()]
    machine.tool("journalctl", JOURNAL)
    machine.write("var/previous", "\n".join(lines[:100] + kernel + lines[100:]) + "\n")
    found = sections(machine)["journal_previous"]
    assert all(found.count(line) == 1 for line in [*kernel, *lines[-60:]])
    assert lines[50] not in found


def test_a_journal_that_keeps_one_boot_only_is_told(machine):
    machine.tool("journalctl", "case \"$*\" in *list-boots*) echo ' 0 bbbb Fri';; esac")
    found = sections(machine)
    assert "journal_previous" not in found
    assert "journal_previous: the journal keeps no boot before this one" in found["collection"]


def test_who_asked_is_told_from_sudo_and_audit(machine):
    sudo = "sudo: alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/sbin/reboot"
    machine.write("var/log/secure", syslog(machine, -60, sudo + "\nsshd[1]: session opened"))
    audit = 'type=USER_CMD msg=audit(1.2:3): exe="/usr/bin/systemctl" res=success\n'
    machine.write("var/log/audit/audit.log", audit)
    who = sections(machine)["who"]
    assert "secure: " in who and sudo in who and "audit: " + audit.strip() in who
    assert "session opened" not in who


def test_of_the_history_only_the_count_leaves_the_machine(kit):
    kit.write("root/.bash_history", "export TOKEN=s3cret\necho c > /proc/sysrq-trigger\n")
    kit.write("home/bo/.zsh_history", "sudo shutdown -r now\n")
    found = sections(kit)
    assert found["history"].splitlines() == [
        "sysrq-trigger /root/.bash_history:1",
        "shutdown /home/bo/.zsh_history:1",
    ]
    assert not any("s3cret" in text for text in found.values())


@pytest.mark.parametrize(
    "tool",
    sample(["awk", "gzip", "base64", "timeout", "stat", "cksum", "dd", "df", "id", "uname"], 4),
)
def test_a_missing_tool_costs_no_more_than_what_it_tells(machine, tool):
    machine.without = (tool,)
    machine.write("var/log/messages", crash(machine))
    machine.write("var/crash/new/vmcore-dmesg.txt", PANIC)
    found = sections(machine)
    assert PANIC.splitlines()[-1] in found["messages"]
    if tool not in ("cksum", "dd", "df", "id", "uname"):
        assert f"tools: {tool} is not installed" in found["collection"]


def test_without_gzip_the_most_telling_still_fits(machine):
    machine.without = ("gzip",)
    noise = random.Random(1)
    lines = "".join(f"kernel: BUG: {noise.randbytes(40).hex()}\n" for _ in range(4000))
    machine.write("var/log/messages", syslog(machine, -60, lines) + crash(machine))
    machine.write("var/crash/new/vmcore-dmesg.txt", lines + PANIC)
    found = sections(machine)
    assert PANIC in found["vmcore_dmesg"]
    assert PANIC.splitlines()[-1] in found["messages"]


def test_a_log_that_looks_like_our_marks_forges_nothing(kit):
    forged = "#section system\nhostname=evil\n#ecs-end bytes=1 cksum=1\n#ecs-bundle 1 linux plain\n"
    kit.write("var/crash/new/vmcore-dmesg.txt", forged + PANIC)
    found = sections(kit)
    assert "hostname=evil" not in found["system"]
    assert "hostname=evil" in found["vmcore_dmesg"]


def test_control_characters_and_endless_lines_stay_out(machine):
    machine.write(
        "var/crash/new/vmcore-dmesg.txt", "\x1b[31m\x00red\x07\n" + "x" * 300_000 + "\n" + PANIC
    )
    found = sections(machine)["vmcore_dmesg"]
    assert "[31mred" in found and "\x1b" not in found
    assert max(map(len, found.splitlines())) <= 1200
    assert PANIC in found


def test_the_language_of_the_machine_changes_nothing(machine):
    machine.write("var/log/messages", crash(machine) + after(machine))
    plain = sections(machine)["messages"]
    machine.env = {"LANG": "zh_CN.UTF-8", "LC_ALL": "de_DE.UTF-8"}
    assert sections(machine)["messages"] == plain


def test_an_unreadable_log_is_told(machine):
    file = machine.write("var/log/messages", crash(machine))
    file.chmod(0)
    machine.walls = ("--unshare-user", "--uid", "1000", "--gid", "1000")
    found = sections(machine)
    assert "messages: no readable /var/log/messages" in found["collection"]
    assert "collection: not run as root" in found["collection"]


@pytest.mark.parametrize("without", [(), ("timeout",)])
def test_a_tool_that_hangs_is_left_behind(machine, without):
    machine.without = without
    machine.tool("last", "sleep 1000")
    machine.write("var/log/messages", crash(machine))
    found = sections(machine)
    assert "last: stopped after 3 s" in found["collection"]
    assert PANIC.splitlines()[-1] in found["messages"]


PLACES = [
    "var/log/messages",
    "var/log/messages.1",
    "var/log/syslog.2.gz",
    "var/log/syslog.3.xz",
    "var/log/secure",
    "var/log/cron",
    "var/log/audit/audit.log",
    "var/crash/a b/vmcore-dmesg.txt",
    "var/crash/x/dump.1",
    "var/crash/dmesg.1",
    "sys/fs/pstore/dmesg-1",
    "root/.bash_history",
    "etc/kdump.conf",
    "etc/os-release",
    "etc/systemd/journald.conf",
    "proc/cmdline",
]
MAY_LACK = ["gzip", "base64", "awk", "stat", "dd", "timeout", "cksum", "tail", "cut"]


@pytest.mark.parametrize("script", [scripts.text, readiness], ids=["collection", "readiness"])
def test_whatever_the_tree_holds_the_output_fits(machine, script, monkeypatch):
    monkeypatch.setattr(scripts, "text", script)
    chance = random.Random(SEED)
    kits = [name for name in KITS if shutil.which(KITS[name]["sh"])]
    for _ in range(24 if LONG else 3):
        machine.kit = chance.choice(kits)
        machine.without = tuple(chance.sample(MAY_LACK, chance.randrange(3)))
        for place in chance.sample(PLACES, 8):
            at = machine.booted_at + chance.randrange(-99999, 99999)
            machine.write(place, content(machine, chance), at=at)
        if chance.randrange(2):
            machine.tool(chance.choice(["last", "dmesg", "journalctl"]), "cat /var/log/messages")
        output = machine.run()
        told = f"FUZZ_SEED={SEED} {machine.kit} without {machine.without}"
        assert len(output) < 24_000, told
        sound = bundle.read(output).complete
        assert sound or {"tail", "cut"} & set(machine.without), told


def content(machine, chance):
    size = chance.choice([0, 1, 1000, 100_000, 2_000_000])
    kind = chance.randrange(6)
    if kind == 0:
        return chance.randbytes(size)
    if kind == 1:
        return crash(machine) * (1 + size // 200_000)
    if kind == 2:
        return "".join(
            f"kernel: Oops: {chance.randbytes(30).hex()} reboot\n" for _ in range(size // 80)
        )
    if kind == 3:  # nothing that a packer could make smaller, each line as telling as the next
        dense = string.ascii_letters + string.digits + string.punctuation
        lines = ("".join(chance.choices(dense, k=900)) for _ in range(size // 1000))
        return "".join(f"{machine.stamp(-60)} kernel: Kernel panic {line}\n" for line in lines)
    if kind == 4:
        return bytes(size) + f"{machine.stamp(-1)} kernel: Kernel panic\n".encode()
    return ("é" * 5000 + "\n#section who\n") * (size // 10_000)
