"""A Linux machine's file tree, made of its history and its configuration."""

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from simulator.linux import File, LinuxGuest, Tree, packed
from simulator.machine import Machine
from simulator.scenarios.distros import Distro
from simulator.scenarios.history import History
from simulator.scenarios.inventory import TYPES, Card, uuid_of

SHANGHAI = timezone(timedelta(hours=8), "CST")
ZONES = {"cn-hangzhou": (SHANGHAI, "Asia/Shanghai"), "ap-southeast-1": (UTC, "Etc/UTC")}
SYSTEMD = {"alinux3": 239, "centos7": 219, "rocky9": 252, "ubuntu22": 249, "debian12": 252}
DISK_KB = 41_152_736
ROTATED = timedelta(hours=30)  # what is older lies in the rotated log


@dataclass(frozen=True, slots=True)
class Kdump:
    """How crash dumps are set up: `ready` means installed, enabled and a crash kernel loaded."""

    installed: bool = True
    ready: bool = True
    reserved: str = "256M"


@dataclass(slots=True)
class System:
    """Everything that is not history: settings, services, dumps and other files."""

    card: Card
    history: History
    kdump: Kdump = field(default_factory=Kdump)
    cmdline: str = ""
    sysctls: dict[str, str] = field(default_factory=dict)
    services: list[tuple[str, str]] = field(default_factory=list)  # name, description
    failed: list[tuple[str, str]] = field(default_factory=list)
    files: Tree = field(default_factory=dict)
    agent: str = "2.2.3.857"

    def guest(self) -> LinuxGuest:
        return LinuxGuest(tree=lambda machine: tree(self), console_text=self._console)

    def _console(self, machine: Machine) -> str:
        return self.history.console()


def cmdline_of(distro: Distro, kdump: Kdump, more: str = "") -> str:
    image = f"BOOT_IMAGE=/boot/vmlinuz-{distro.kernel}"
    root = "root=UUID=3f3b1c2e-9a0d-4c46-8a63-2f2c9ad6a1d7 ro"
    reserved = f"crashkernel={kdump.reserved}" if kdump.installed and kdump.reserved else ""
    parts = (image, root, reserved, "net.ifnames=0 console=tty0 console=ttyS0,115200n8", more)
    return " ".join(part for part in parts if part)


def tree(system: System) -> Tree:
    """The machine's files. Nothing in it depends on who asks or how."""
    files = _identity(system) | _proc(system) | _kdump(system) | _logs(system)
    files["/run/machine/units"] = File(_units(system).encode())
    return files | system.files


def _identity(system: System) -> Tree:
    card, distro = system.card, system.card.distro
    zone, zone_name = ZONES[card.region]
    offset = int(zone.utcoffset(None).total_seconds())
    people = "\n".join(
        (
            "root:x:0:0:root:/root:/bin/bash",
            "daemon:x:2:2:daemon:/sbin:/usr/sbin/nologin",
            "sshd:x:74:74:sshd:/run/sshd:/usr/sbin/nologin",
            "lihua:x:1000:1000:Li Hua:/home/lihua:/bin/bash",
            "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin",
        )
    )
    return {
        "/etc/os-release": File(distro.os_release.encode()),
        distro.issue_file: File(distro.issue_text.encode()),
        "/etc/hostname": File(f"{card.name}\n".encode()),
        "/etc/hosts": File(f"127.0.0.1 localhost\n{card.ip} {card.name}\n".encode()),
        "/etc/machine-id": File(uuid_of("machine" + card.name).replace("-", "").encode() + b"\n"),
        "/etc/passwd": File(people.encode() + b"\n"),
        "/etc/group": File(b"root:x:0:\nlihua:x:1000:\nnobody:x:65534:\n"),
        "/etc/nsswitch.conf": File(b"passwd: files\ngroup: files\nhosts: files\n"),
        "/etc/timezone": File(zone_name.encode() + b"\n"),
        "/etc/localtime": File(_tzif(offset, zone.tzname(None) or "UTC")),
        "/home/lihua/": File(b""),
        "/root/": File(b""),
        "/var/tmp/": File(b""),
        "/run/machine/zone": File(f"{offset} {zone.tzname(None)}\n".encode()),
        "/run/machine/systemd": File(f"{SYSTEMD[distro.key]}\n".encode()),
        "/run/machine/disk": File(f"{DISK_KB} {DISK_KB * 31 // 100}\n".encode()),
        "/run/machine/agent": File(f"{system.agent}\n".encode()),
        f"/usr/local/share/aliyun-assist/{system.agent}/": File(b""),
        "/sys/class/dmi/id/product_name": File(b"Alibaba Cloud ECS\n"),
        "/sys/class/dmi/id/sys_vendor": File(b"Alibaba Cloud\n"),
    }


def _tzif(offset: int, name: str) -> bytes:
    """A time zone file (version 1 and 2 alike) of one fixed offset."""
    letters = name.encode() + b"\0"
    block = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, len(letters))
    block += struct.pack(">lbb", offset, 0, 0) + letters
    hours = -offset // 3600
    return block + block + f"\n{name}{hours}\n".encode()


SYSCTLS = {
    "kernel.panic": "0",
    "kernel.panic_on_oops": "0",
    "kernel.panic_on_warn": "0",
    "kernel.panic_on_io_nmi": "0",
    "kernel.panic_on_unrecovered_nmi": "0",
    "kernel.panic_on_rcu_stall": "0",
    "kernel.unknown_nmi_panic": "0",
    "kernel.hung_task_panic": "0",
    "kernel.hung_task_timeout_secs": "120",
    "kernel.softlockup_panic": "0",
    "kernel.hardlockup_panic": "0",
    "kernel.watchdog_thresh": "10",
    "kernel.sysrq": "16",
    "kernel.ostype": "Linux",
    "vm.panic_on_oom": "0",
    "vm.overcommit_memory": "0",
    "vm.swappiness": "0",
    "fs.file-max": "1610342",
}
RHEL_SYSCTLS = {"kernel.panic_on_oops": "1", "kernel.hardlockup_panic": "1"}


def _proc(system: System) -> Tree:
    distro, memory = system.card.distro, TYPES[system.card.type][1] * 1024
    settings = SYSCTLS | (RHEL_SYSCTLS if distro.family == "rhel" else {}) | system.sysctls
    settings |= {"kernel.osrelease": distro.kernel, "kernel.version": distro.built}
    version = f"Linux version {distro.kernel} (build@build-host) ({distro.compiler}) {distro.built}"
    cores = TYPES[system.card.type][0]
    files = {
        "cmdline": system.cmdline,
        "version": version,
        "meminfo": _meminfo(memory),
        "modules": "nvme 49152 2 - Live 0x0000000000000000\nvirtio_net 61440 0 - Live 0x0\n",
        "swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority",
        "cpuinfo": "\n".join(_cpu(n, cores) for n in range(cores)),
        "partitions": "major minor  #blocks  name\n\n 253        0   41943040 vda\n",
        "diskstats": " 253       0 vda 91142 12 4801266 41201 220114 8112 6120334 90121 0 60112",
        "interrupts": "           CPU0       CPU1\n",
        "iomem": "",
        "ioports": "",
        "kallsyms": "",
        "config.gz": "",
    }
    found = {
        f"/run/machine/proc/{name}": File(text.encode() + b"\n") for name, text in files.items()
    }
    for name, value in settings.items():
        found[f"/run/machine/proc/sys/{name.replace('.', '/')}"] = File(value.encode() + b"\n")
    return found


def _meminfo(total: int) -> str:
    usable = total - 402_112
    rows = {"MemTotal": usable, "MemFree": usable * 3 // 8, "MemAvailable": usable * 5 // 8}
    rows |= {"Buffers": 81_204, "Cached": usable // 4, "SwapTotal": 0, "SwapFree": 0}
    return "\n".join(f"{name + ':':<15}{kib:>9} kB" for name, kib in rows.items())


def _cpu(number: int, cores: int) -> str:
    model = "Intel(R) Xeon(R) Platinum 8369B CPU @ 2.70GHz"
    head = f"processor\t: {number}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106"
    return f"{head}\nmodel name\t: {model}\ncpu MHz\t\t: 2699.998\ncpu cores\t: {cores // 2}\n"


def _kdump(system: System) -> Tree:
    kdump, family = system.kdump, system.card.distro.family
    size = int(kdump.reserved.removesuffix("M")) << 20 if kdump.ready else 0
    files = {
        "/sys/kernel/kexec_crash_size": File(f"{size}\n".encode()),
        "/sys/kernel/kexec_crash_loaded": File(f"{int(kdump.ready)}\n".encode()),
        "/sys/fs/pstore/": File(b""),
        "/var/lib/systemd/pstore/": File(b""),
        "/var/crash/": File(b""),
    }
    if not kdump.installed:
        return files
    if family == "rhel":
        text = "path /var/crash\ncore_collector makedumpfile -l --message-level 7 -d 31\n"
        files["/etc/kdump.conf"] = File(text.encode())
    else:
        use = int(kdump.ready)
        text = f'USE_KDUMP={use}\nKDUMP_COREDIR="/var/crash"\nMAKEDUMP_ARGS="-c -d 31"\n'
        files["/etc/default/kdump-tools"] = File(text.encode())
    return files


def _units(system: System) -> str:
    boot = int(system.history.now.started.timestamp()) + 6
    debian = system.card.distro.family == "debian"
    services = [
        ("aliyun.service", "Aliyun Assist"),
        ("sshd.service" if not debian else "ssh.service", "OpenSSH server daemon"),
        ("rsyslog.service", "System Logging Service"),
        ("crond.service" if not debian else "cron.service", "Command Scheduler"),
        ("systemd-journald.service", "Journal Service"),
        ("systemd-logind.service", "Login Service"),
        *system.services,
    ]
    rows = [(name, "active", "running", "enabled", boot, "success", s) for name, s in services]
    rows += [(name, "failed", "failed", "enabled", 0, "exit-code", s) for name, s in system.failed]
    if system.kdump.installed:
        name = "kdump-tools.service" if debian else "kdump.service"
        about = "Kernel crash dump capture service" if debian else "Crash recovery kernel arming"
        ready = system.kdump.ready
        state = ("active", "exited", "enabled") if ready else ("inactive", "dead", "disabled")
        rows.append((name, *state, boot if ready else 0, "success", about))
    return "".join(
        "\t".join((name, "loaded", active, sub, enabled, str(since), result, about)) + "\n"
        for name, active, sub, enabled, since, result, about in rows
    )


def _logs(system: System) -> Tree:
    history, distro = system.history, system.card.distro
    newest, oldest = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    turn = system.history.now.started - ROTATED
    log = "messages" if distro.family == "rhel" else "syslog"
    journal_home = "/var/log/journal" if distro.persistent_journal else "/run/log/journal"
    machine_id = uuid_of("machine" + system.card.name).replace("-", "")
    past, present = history.syslog(oldest, turn), history.syslog(turn, newest)
    older = f"{log}-{history.local(turn):%Y%m%d}.gz" if log == "messages" else f"{log}.2.gz"
    login_log, cron_log = ("secure", "cron") if log == "messages" else ("auth.log", "cron.log")
    files = {
        f"{journal_home}/{machine_id}/entries": File(history.journal().encode()),
        "/run/machine/kmsg": File(history.ring_buffer().encode()),
        f"/var/log/{log}": File(present.encode(), mode=0o600),
        f"/var/log/{login_log}": File(
            history.of("sshd", "sudo", "su", "systemd-logind").encode(), mode=0o600
        ),
        f"/var/log/{cron_log}": File(history.of("CROND", "CRON").encode(), mode=0o600),
        "/var/log/wtmp": File(history.wtmp(), mode=0o664),
    }
    if past:
        files[f"/var/log/{older}"] = File(packed(past), turn, 0o600)
    return files
