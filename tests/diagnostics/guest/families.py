"""The same crash as the machines of each distribution family keep it."""

from __future__ import annotations

from .machines import Machine

PANIC = """\
[ 7611.195] BUG: kernel NULL pointer dereference, address: 0000000000000010
[ 7611.195] RIP: 0010:acs_stats_update+0x1b/0x40 [acmestor]
[ 7611.195] Call Trace:
[ 7611.195]  acs_irq+0x22/0x60 [acmestor]
[ 7611.195] Kernel panic - not syncing: Fatal exception in interrupt
[ 7611.195] ---[ end Kernel panic - not syncing: Fatal exception in interrupt ]---"""
BOOT = "kernel: [    0.000000] Linux version 6.1.0"
PLAIN, ISO = "%b %e %H:%M:%S", "%Y-%m-%dT%H:%M:%S.000000+00:00"
# `last` in the language it is asked in, as the translated ones are.
LAST = """\
case ${LC_ALL:-$LANG} in
  zh*) echo '重启   系统引导 6.1.0    五 11月 20 02:31   仍在运行' ;;
  *) echo 'reboot   system boot  6.1.0    Fri Nov 20 02:31   still running' ;;
esac
"""
JOURNAL = """\
case "$*" in
  *list-boots*) printf -- '-1 aaaa Fri\\n 0 bbbb Fri\\n';;
  *"-b -1"*"-n 60 "*|*"-b -1"*"-n 60") tail -n 60 /var/previous;;
  *"-b -1"*) grep kernel: /var/previous;;
esac
"""
KDUMP = """\
case "$1 $2" in
  "is-enabled NAME") echo enabled ;; "is-active NAME") echo active ;; *) exit 1 ;;
esac
"""


def syslog(machine, seconds, text, form=PLAIN):
    return "".join(f"{machine.stamp(seconds, form)} web01 {line}\n" for line in text.splitlines())


def chatter(machine, start, end, lines, form=PLAIN):
    step = (end - start) / lines
    return "".join(
        syslog(machine, start + n * step, f"app[77]: request {n} answered", form)
        for n in range(lines)
    )


def crash(machine, form=PLAIN):
    kernel = "".join(f"kernel: {line}\n" for line in PANIC.splitlines())
    before = chatter(machine, -9000, -2, 4000, form)
    return before + syslog(machine, -1, kernel, form)


def after(machine, form=PLAIN):
    return syslog(machine, 9, BOOT, form) + chatter(machine, 10, 3000, 4000, form)


def alinux(machine: Machine) -> None:
    """systemd with a kept journal, rsyslog, kdump."""
    machine.kit = "bash"
    machine.write("etc/os-release", 'ID="alinux"\nID_LIKE="rhel fedora"\nPRETTY_NAME="A Linux 3"\n')
    machine.write("etc/kdump.conf", "path /var/crash\n")
    machine.tool("systemctl", KDUMP.replace("NAME", "kdump"))
    machine.tool("journalctl", JOURNAL)
    machine.tool("last", LAST)
    machine.write("var/previous", crash(machine, ISO))
    machine.write("var/log/messages", crash(machine) + after(machine))
    folder = "var/crash/127.0.0.1-2026-11-20-02:31:05"
    machine.write(f"{folder}/vmcore-dmesg.txt", PANIC, at=machine.booted_at)
    machine.write(f"{folder}/vmcore", b"x" * 999, at=machine.booted_at)


def debian(machine: Machine) -> None:
    """systemd whose journal forgets, syslog with ISO times, kdump-tools."""
    machine.kit = "gnu"
    machine.write("etc/os-release", "ID=ubuntu\nID_LIKE=debian\nPRETTY_NAME='Ubuntu 24.04'\n")
    machine.write("etc/default/kdump-tools", 'USE_KDUMP=1\nKDUMP_COREDIR="/var/crash"\n')
    machine.tool("systemctl", KDUMP.replace("NAME", "kdump-tools"))
    machine.tool("journalctl", "case \"$*\" in *list-boots*) echo ' 0 bbbb Fri';; esac")
    machine.tool("last", LAST)
    machine.write("var/log/syslog", crash(machine, ISO) + after(machine, ISO))
    folder = "var/crash/202611200231"
    machine.write(f"{folder}/dmesg.202611200231", PANIC, at=machine.booted_at)
    machine.write(f"{folder}/dump.202611200231", b"x" * 999, at=machine.booted_at)


def alpine(machine: Machine) -> None:
    """Neither systemd nor kdump: busybox and the log that its syslogd turns over."""
    machine.kit = "busybox"
    machine.write("etc/os-release", 'ID=alpine\nPRETTY_NAME="Alpine Linux v3.20"\n')
    machine.write(
        "var/log/messages.0", crash(machine) + after(machine), at=machine.booted_at + 3100
    )
    machine.write("var/log/messages", chatter(machine, 3100, 3500, 100))


FAMILIES = {"alinux": alinux, "debian": debian, "alpine": alpine}
