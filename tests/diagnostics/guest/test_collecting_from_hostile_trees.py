"""Names, links, packed and binary logs that somebody, or a crash, left there to mislead."""

import bz2
import gzip
import lzma
import os
import subprocess

import pytest

from diagnostics.readers import linux_state
from tests.sizes import sample

from .conftest import wanted
from .families import BOOT, PANIC, after, chatter, crash, syslog
from .test_collecting_on_linux import sections, tells_the_crash

SECRET = "root:$6$salt$hash:20000:0:99999:7:::"
AS_ROOT = ("--unshare-user", "--uid", "0", "--gid", "0")
PACKERS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda text: (
        subprocess.run(["zstd", "-qc"], input=text, capture_output=True, check=True).stdout
    ),
}
TOOL = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}


def turned_over(machine, ending, text):
    wanted(TOOL[ending], "packers")
    machine.write("var/log/messages", chatter(machine, 3100, 3500, 100))
    packed = PACKERS[ending](text.encode())
    machine.write(f"var/log/messages.1.{ending}", packed, at=machine.booted_at + 3050)


@pytest.mark.parametrize("ending", sample(PACKERS, 2))
def test_the_crash_is_found_however_the_log_is_packed(machine, ending):
    turned_over(machine, ending, crash(machine) + after(machine))
    assert tells_the_crash(sections(machine)["messages"])


def test_busybox_unpacks_what_it_can(machine):
    wanted("busybox", "shells")
    machine.kit = "busybox"
    turned_over(machine, "xz", crash(machine) + after(machine))
    assert tells_the_crash(sections(machine)["messages"])


def test_a_log_that_nothing_there_unpacks_is_told(machine):
    turned_over(machine, "zst", crash(machine) + after(machine))
    machine.without = ("zstd",)
    assert (
        "messages: some logs are packed by zstd, which is not installed"
        in sections(machine)["collection"]
    )


def test_a_crash_hours_before_the_boot_is_found_in_a_packed_log(machine):
    kernel = "".join(f"kernel: {line}\n" for line in PANIC.splitlines())
    log = chatter(machine, -30000, -18001, 2000) + syslog(machine, -18000, kernel)
    turned_over(machine, "gz", log + after(machine))
    assert PANIC.splitlines()[-1] in sections(machine)["messages"]


def test_the_right_one_of_many_packed_logs_is_read(machine):
    turned_over(machine, "gz", chatter(machine, 2000, 3050, 500))
    for number, start in ((2, 1000), (3, 500)):
        log = gzip.compress(chatter(machine, start, start + 400, 500).encode())
        machine.write(f"var/log/messages.{number}.gz", log, at=machine.booted_at + start + 400)
    log = gzip.compress((crash(machine) + syslog(machine, 9, BOOT)).encode())
    machine.write("var/log/messages.4.gz", log, at=machine.booted_at + 400)
    assert tells_the_crash(sections(machine)["messages"])


def test_a_log_of_another_time_does_not_stand_in_for_the_present_one(machine):
    machine.write("var/log/messages", "left from another setup\n", at=machine.booted_at - 10**7)
    machine.write("var/log/syslog", crash(machine) + after(machine))
    assert tells_the_crash(sections(machine)["messages"])


def test_zeros_where_the_crash_cut_the_log_hide_neither_side(kit):
    log = crash(kit).encode() + bytes(700_000) + after(kit).encode()
    kit.write("var/log/messages", log)
    assert tells_the_crash(sections(kit)["messages"])


def test_bytes_of_no_text_in_a_log_hide_nothing(kit):
    noise = bytes(range(128, 256)) + bytes(range(32)) + b"\xff\xfe\n"
    log = noise * 500 + crash(kit).encode() + noise * 20 + after(kit).encode()
    kit.write("var/log/messages", log)
    assert tells_the_crash(sections(kit)["messages"])


@pytest.mark.parametrize("packed", [False, True])
def test_one_endless_line_costs_only_itself(machine, packed):
    log = (
        crash(machine)
        + syslog(machine, -1, "app: " + "x" * (30_000_000 if packed else 10_000_000))
        + after(machine)
    )
    if packed:
        turned_over(machine, "gz", log)
    else:
        machine.write("var/log/messages", log)
    found = sections(machine)
    assert PANIC.splitlines()[-1] in found["messages"]
    assert max(map(len, found["messages"].splitlines())) <= 1200
    if packed:  # the search ends there, and says so
        assert "messages: a packed log was too large, not read to its end" in found["collection"]
    else:
        assert "Linux version 6.1.0" in found["messages"]


NAMES = [
    "a b",
    "-rf",
    "*",
    "$(reboot)",
    "`reboot`",
    "new\nline",
    "#section system",
    "'\"",
    "\x1b[31m",
    "é\udcff",
]


def test_names_are_names_whatever_they_hold(kit):
    for name in NAMES:
        folder = kit.root / "var/crash" / name
        folder.mkdir(parents=True)
        for file in ("vmcore-dmesg.txt", f"vmcore.{name}"):
            (folder / file).write_text("hostname=evil\n")
            os.utime(folder / file, (kit.booted_at - 9000,) * 2)
    kit.write("var/crash/127.0.0.1-now/vmcore-dmesg.txt", PANIC, at=kit.booted_at)
    kit.write("var/crash/127.0.0.1-now/vmcore", "x", at=kit.booted_at)
    kit.write("home/$(reboot)/.bash_history", "reboot\n")
    found = sections(kit)
    assert found["vmcore_dmesg"].endswith(PANIC)
    assert linux_state.read(found).dumps[0].path == "/var/crash/127.0.0.1-now/vmcore"
    assert len(linux_state.read(found).dumps) >= len(NAMES) - 2  # two break the line
    assert "hostname=evil" not in found["system"]
    assert found["history"] == "reboot /home/$(reboot)/.bash_history:1"


def test_no_link_makes_root_read_out_what_is_not_theirs(kit):
    kit.walls = AS_ROOT
    kit.write("etc/shadow", SECRET)
    kit.write("var/crash/127.0.0.1-then/vmcore-dmesg.txt", PANIC, at=kit.booted_at)
    (kit.root / "var/crash/dmesg.now").symlink_to("/etc/shadow")
    found = sections(kit)
    assert found["vmcore_dmesg"].endswith(PANIC)
    assert not any(SECRET in text for text in found.values())


def test_where_there_is_only_such_a_link_it_is_told(machine):
    machine.walls = AS_ROOT
    machine.write("etc/shadow", SECRET)
    machine.write("var/crash/empty", "")
    (machine.root / "var/crash/dmesg.now").symlink_to("/etc/shadow")
    found = sections(machine)
    assert "vmcore_dmesg" not in found
    assert "vmcore_dmesg: /var/crash/dmesg.now is not root's own, not read" in found["collection"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_what_somebody_else_wrote_does_not_pass_for_the_kernels_words(machine):
    forged = machine.write("var/crash/dmesg.forged", PANIC.replace("acs_", "forged_"))
    os.chown(forged, 1234, 1234)
    machine.write("var/crash/then/vmcore-dmesg.txt", PANIC, at=machine.booted_at - 9000)
    assert sections(machine)["vmcore_dmesg"].endswith(PANIC)


def test_a_pipe_or_device_in_the_place_of_a_log_is_not_waited_for(machine):
    machine.write("var/log/messages", crash(machine) + after(machine))
    os.mkfifo(machine.root / "var/fifo")
    for place in ("var/log/secure", "var/log/messages-1", "root/.bash_history"):
        machine.write(place, "").unlink()
        (machine.root / place).symlink_to("/var/fifo")
    (machine.root / "var/crash").mkdir()
    (machine.root / "var/crash/vmcore-dmesg.txt").symlink_to("/dev/zero")
    found = sections(machine)
    assert tells_the_crash(found["messages"])
    assert "stopped after" not in found["collection"]


def test_of_very_many_homes_only_the_first_are_looked_at(machine):
    for number in range(200):
        machine.write(f"home/u{number:04}/.bash_history", "reboot\n")
    machine.write("root/.bash_history", "shutdown\n")
    history = sections(machine)["history"].splitlines()
    assert history[0] == "shutdown /root/.bash_history:1"
    assert len(history) <= 40
