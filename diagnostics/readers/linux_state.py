"""How a Linux machine is set up, from the sections of its bundle.

A value that could not be asked, or whose answer makes no sense, is None, and `reasons` says why
under the name of the field. Nothing here is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FAMILIES = {
    "rhel": "rhel centos fedora alinux aliyun anolis rocky almalinux ol amzn openeuler kylin",
    "debian": "debian ubuntu deepin uos linuxmint kali",
    "suse": "suse sles sled opensuse opensuse-leap opensuse-tumbleweed",
}
BOOT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LAST_MOMENT = 4_102_444_800  # the year 2100: a later clock is broken
PANIC_ON_OOM = {
    0: "a process is killed when memory runs out, the system stays up",
    1: "the kernel panics when memory runs out, unless only a cpuset or memory policy is exhausted",
    2: "the kernel panics whenever memory runs out, even inside one group of processes",
}


@dataclass(frozen=True, slots=True)
class Kdump:
    """`service` is "kdump", "kdump-tools" or "none"; `crashkernel` and `target` are "" when they
    are not set; `space_free_kb` is what is free where dumps are written (`core_path`)."""

    service: str | None
    active: str | None
    enabled: str | None
    crashkernel: str | None
    crash_size: int | None
    loaded: bool | None
    config_path: str | None
    core_path: str | None
    target: str | None
    space_free_kb: int | None

    @property
    def ready(self) -> bool | None:
        """Would a crash be captured now? None if that could not be asked."""
        if self.loaded is not None:
            return self.loaded
        return False if self.service == "none" or self.crashkernel == "" else None


@dataclass(frozen=True, slots=True)
class Dump:
    """A crash dump on disk: type "vmcore" (RHEL family) or "dump" (Debian), size in bytes."""

    path: str
    size: int
    at: datetime
    type: str


@dataclass(frozen=True, slots=True)
class HistoryHit:
    """A shell history names `word` in `count` lines. The lines themselves stay on the machine."""

    word: str
    path: str
    count: int


@dataclass(frozen=True, slots=True)
class LinuxState:
    """`family` is rhel, debian, suse or other; times are aware, in UTC; `dumps` newest first;
    `gaps` are the collection's own words about what it could not ask."""

    family: str
    os: str | None
    hostname: str | None
    kernel: str | None
    arch: str | None
    boot_id: str | None
    booted_at: datetime | None
    asked_at: datetime | None
    uptime: timedelta | None
    timezone: str | None
    agent_version: str | None
    kdump: Kdump
    panic_on_oom: int | None
    panic_on_oom_means: str | None
    sysctls: Mapping[str, int]
    dumps: tuple[Dump, ...] | None
    crash_report: str | None
    history: tuple[HistoryHit, ...] | None
    gaps: tuple[str, ...]
    reasons: Mapping[str, str]


def read(sections: Mapping[str, str]) -> LinuxState:
    """The state that these sections tell. Never raises, whatever they hold."""
    asked = Asked(sections)
    now, up = asked.number("system", "now"), asked.number("system", "uptime_s")
    boot = asked.number("system", "boot_time")
    panic_on_oom = asked.number("sysctl", "vm.panic_on_oom", "panic_on_oom")
    return LinuxState(
        family=family(asked),
        os=asked.word("system", "os_pretty", "os"),
        hostname=asked.word("system", "hostname"),
        kernel=asked.word("system", "kernel"),
        arch=asked.word("system", "arch"),
        boot_id=boot_id(asked),
        booted_at=moment(boot),
        asked_at=moment(now),
        uptime=timedelta(seconds=up) if up is not None and up < LAST_MOMENT else None,
        timezone=asked.word("system", "timezone"),
        agent_version=asked.word("system", "agent_version"),
        kdump=kdump(asked),
        panic_on_oom=panic_on_oom,
        panic_on_oom_means=PANIC_ON_OOM.get(panic_on_oom) if panic_on_oom is not None else None,
        sysctls={key: int(value) for key, value in asked.pairs("sysctl").items() if whole(value)},
        dumps=dumps(asked),
        crash_report=crash_report(sections),
        history=history(asked),
        gaps=tuple(line for line in sections.get("collection", "").splitlines() if line.strip()),
        reasons=asked.reasons,
    )


class Asked:
    """Looks values up, and keeps why one is not there."""

    def __init__(self, sections: Mapping[str, str]) -> None:
        self.sections = sections
        self.reasons: dict[str, str] = {}
        self._pairs: dict[str, dict[str, str]] = {}

    def pairs(self, section: str) -> dict[str, str]:
        if section not in self._pairs:
            lines = self.sections.get(section, "").splitlines()
            parted = (line.partition("=") for line in lines)
            self._pairs[section] = {key.strip(): value.strip() for key, _, value in parted}
        return self._pairs[section]

    def missing(self, section: str) -> str | None:
        """Why the whole section is not there; None if it is."""
        if section in self.sections:
            return None
        for line in self.sections.get("collection", "").splitlines():
            name, _, why = line.partition(": ")
            if name == section:
                return why
        return f'the section "{section}" is not in the answer'

    def word(self, section: str, key: str, field: str = "") -> str | None:
        """The value in words; None if it was not asked or came back empty."""
        value = self.pairs(section).get(key, "")
        if not value:
            why = self.missing(section) or f"the machine gave no {key}"
            self.reasons[field or key] = why
        return value or None

    def number(self, section: str, key: str, field: str = "") -> int | None:
        value = self.word(section, key, field)
        if value is None or whole(value):
            return None if value is None else int(value)
        self.reasons[field or key] = f'the machine gave "{value[:40]}" for {key}: not a number'
        return None


def whole(value: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9]{1,15}", value))


def moment(epoch: int | None) -> datetime | None:
    if epoch is None or not 0 < epoch < LAST_MOMENT:
        return None
    return datetime.fromtimestamp(epoch, UTC)


def boot_id(asked: Asked) -> str | None:
    value = asked.word("system", "boot_id")
    if value is None or BOOT_ID.fullmatch(value):
        return value
    asked.reasons["boot_id"] = "the machine gave something that is no boot id"
    return None


def family(asked: Asked) -> str:
    """By the distribution's own id first, then by what it says it is like, then by its name."""
    system = asked.pairs("system")
    for text in (system.get("os_id", ""), system.get("os_like", ""), system.get("os_pretty", "")):
        words = set(text.lower().split())
        for name, ids in FAMILIES.items():
            if words & set(ids.split()):
                return name
    return "rhel" if "red hat" in system.get("os_pretty", "").lower() else "other"


def kdump(asked: Asked) -> Kdump:
    pairs = asked.pairs("kdump")
    cmdline = asked.sections.get("cmdline")
    if cmdline is None:
        asked.reasons["crashkernel"] = asked.missing("cmdline") or ""
    reserved = re.search(r"(?:^|\s)crashkernel=(\S+)", cmdline or "")
    loaded = {"0": False, "1": True}.get(pairs.get("crash_loaded", ""))
    if loaded is None:
        asked.reasons["loaded"] = asked.missing("kdump") or "the kernel does not tell"
    active = asked.word("kdump", "active")
    if active == "unknown":
        none = pairs.get("service") == "none"
        why = "no kdump service is installed" if none else "systemd could not be asked"
        asked.reasons["active"] = why
    return Kdump(
        service=asked.word("kdump", "service"),
        active=None if active == "unknown" else active,
        enabled=asked.word("kdump", "enabled"),
        crashkernel=None if cmdline is None else reserved[1] if reserved else "",
        crash_size=asked.number("kdump", "crash_size"),
        loaded=loaded,
        config_path=asked.word("kdump", "config_path"),
        core_path=asked.word("kdump", "core_path"),
        target=None if asked.missing("kdump") else pairs.get("target", ""),
        space_free_kb=asked.number("kdump", "space_free_kb"),
    )


def dumps(asked: Asked) -> tuple[Dump, ...] | None:
    if why := asked.missing("dumps"):
        asked.reasons["dumps"] = why
        return None
    found = []
    for line in asked.sections["dumps"].splitlines():
        match = re.fullmatch(r"([0-9]{1,12}) ([0-9]{1,18}) (/.*)", line)
        if match and (at := moment(int(match[1]))):
            kind = "dump" if match[3].rpartition("/")[2].startswith("dump") else "vmcore"
            found.append(Dump(match[3], int(match[2]), at, kind))
    return tuple(sorted(found, key=lambda dump: dump.at, reverse=True))


def crash_report(sections: Mapping[str, str]) -> str | None:
    """The path of the newest vmcore-dmesg.txt or dmesg.* that was read."""
    first = sections.get("vmcore_dmesg", "").partition("\n")[0]
    return first[2:] if first.startswith("# /") else None


def history(asked: Asked) -> tuple[HistoryHit, ...] | None:
    if why := asked.missing("history"):
        asked.reasons["history"] = why
        return None
    lines = asked.sections["history"].splitlines()
    found = (re.fullmatch(r"([a-z-]+) (/.*):([0-9]{1,9})", line) for line in lines)
    return tuple(HistoryHit(hit[1], hit[2], int(hit[3])) for hit in found if hit)
