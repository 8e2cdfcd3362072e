"""The Windows machines' stories: what their event logs, settings and dumps tell."""

import base64
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from simulator.machine import Boot, Machine, Truth
from simulator.scenarios.eventlog import CRASHED, UPDATES, EventLog, dump_header, stamp
from simulator.scenarios.inventory import TYPES, Card, Story, uuid_of
from simulator.scenarios.quiet import agent_of
from simulator.windows import Record, WindowsGuest

AGENT = "2.1.3.857"
GIB = 1 << 30
SECOND = timedelta(seconds=1)
NO_REPORT = "00000000-0000-0000-0000-000000000000"
VERSIONS = {"windows2019": "17763", "windows2022": "20348"}


@dataclass(slots=True)
class Windows:
    """A Windows system, as far as the collection script looks at it."""

    card: Card
    log: EventLog
    boot: datetime
    dump_setting: int = 7
    log_event: int = 1
    pagefile: bool = True
    free: int = 21 * GIB
    in_domain: bool = False
    dumps: list[dict[str, Any]] = field(default_factory=list)

    def guest(self) -> WindowsGuest:
        return WindowsGuest(record=self._record)

    def _record(self, machine: Machine, now: datetime) -> Record:
        minidumps = sum(dump["kind"] == "minidump" for dump in self.dumps)
        return {
            "system": self._system(machine, now),
            "crash_control": self._crash_control(),
            "pagefile": self._pagefile(),
            "readiness": self._readiness(),
            "dump_counts": {"minidump": minidumps} if minidumps else {},
            "dumps": self.dumps,
            "dump_stack": None,
            "events": self.log.newest_first(),
        }

    def _system(self, machine: Machine, now: datetime) -> Record:
        year = self.card.distro.key.removeprefix("windows")
        return {
            "hostname": machine.hostname,
            "os": f"Microsoft Windows Server {year} Datacenter",
            "version": f"10.0.{self.log.build}",
            "language": "1033",
            "now": stamp(now),
            "last_boot": stamp(machine.boot.started_at),
            "uptime_s": int((now - machine.boot.started_at).total_seconds()),
            "timezone": "Singapore Standard Time",
            "utc_offset_minutes": 480,
            "powershell": f"5.1.{self.log.build}.5933",
            "user": "NT AUTHORITY\\SYSTEM",
            "agent_version": AGENT,
        }

    def _crash_control(self) -> Record:
        return {
            "CrashDumpEnabled": self.dump_setting,
            "DumpFile": "C:\\Windows\\MEMORY.DMP",
            "MinidumpDir": "C:\\Windows\\Minidump",
            "MinidumpsCount": 5,
            "AutoReboot": 1,
            "LogEvent": self.log_event,
            "Overwrite": 1,
            "AlwaysKeepMemoryDump": 0,
            "DumpFilters": "dumpfve.sys",
        }

    def _pagefile(self) -> Record:
        used = [{"Name": "C:\\pagefile.sys", "AllocatedBaseSize": 4864}] if self.pagefile else []
        return {
            "Win32_PageFileUsage": used,
            "AutomaticManagedPagefile": self.pagefile,
            "PagingFiles": "?:\\pagefile.sys" if self.pagefile else "",
            "TotalPhysicalMemory": TYPES[self.card.type][1] << 20,
            "SystemDriveFree": self.free,
        }

    def _readiness(self) -> Record:
        logs = [
            {
                "LogName": name,
                "IsEnabled": True,
                "LogMode": "Circular",
                "MaximumSizeInBytes": 20 << 20,
            }
            for name in ("System", "Application")
        ]
        drive = {"DeviceID": "C:", "Size": 40 * GIB, "FreeSpace": self.free}
        return {
            "PartOfDomain": self.in_domain,
            "SystemRoot": "C:\\Windows",
            "Drives": [drive],
            "EventLogs": logs,
        }

    def keep(self, kind: str, path: str, size: int, saved: datetime, header: bytes) -> None:
        """A dump on the disk, with the parts of its first 8 KB that the script reads."""
        parts = {"0": header[:160], "3840": header[3840 : 3840 + 384]}
        coded = {at: base64.b64encode(part).decode() for at, part in parts.items()}
        dump = {"path": path, "kind": kind, "size": size, "modified": stamp(saved), "header": coded}
        self.dumps.append(dump)


def _born(card: Card, now: datetime) -> EventLog:
    """The log begins with an orderly restart, two months ago."""
    log = EventLog(VERSIONS[card.distro.key])
    first = now - timedelta(days=58, hours=4)
    log.starts(first, clean=True, boot_id=17)
    log.serves(first)
    return log


def _story(windows: Windows, truth: Truth) -> Story:
    card = windows.card
    boot = Boot(uuid_of(f"boot-{card.name}-2"), windows.boot)
    return Story(windows.guest(), boot, truth, agent=replace(agent_of(card), version=AGENT))


@dataclass(frozen=True, slots=True)
class Crash:
    """One unclean end: when, how long until the next start, with which bugcheck."""

    ago: timedelta
    away: timedelta
    code: int = 0
    parameters: tuple[int, ...] = ()
    in_41: bool = True  # whether Kernel-Power 41 carries the code


def _crashed(card: Card, now: datetime, crash: Crash) -> Windows:
    log = _born(card, now)
    down, first = now - crash.ago, now - timedelta(days=58, hours=4)
    boot = down + crash.away
    log.noons(first, down, since=down - timedelta(days=9))
    log.starts(boot, clean=False, boot_id=18)
    log.unclean(boot, *((crash.code, crash.parameters) if crash.in_41 else (0,)))
    log.last_sign(boot, down - timedelta(seconds=40), down - first)
    log.serves(boot)
    return Windows(card, log, boot)


def _reported(windows: Windows, crash: Crash, path: str, report: str) -> None:
    """1001: the machine has rebooted from a bugcheck."""
    shown = ", ".join(f"0x{value:016x}" for value in (*crash.parameters, 0, 0, 0, 0)[:4])
    data = {"param1": f"0x{crash.code:08x} ({shown})", "param2": path, "param3": report}
    windows.log.add(windows.boot + 27 * SECOND, 1001, CRASHED, data)


def _header(windows: Windows, crash: Crash, now: datetime, kind: int) -> bytes:
    return dump_header(
        crash.code,
        crash.parameters,
        now - crash.ago,
        timedelta(days=57),
        kind=kind,
        build=int(windows.log.build),
    )


def dump_saved(card: Card, now: datetime) -> Story:
    crash = Crash(
        timedelta(hours=4, minutes=12),
        timedelta(seconds=98),
        0xD1,
        (0x28, 0x2, 0x0, 0xFFFFF80241B53A17),
    )
    windows = _crashed(card, now, crash)
    windows.log.add(
        windows.boot + 4 * SECOND, 162, "volmgr", {"Data": ["\\Device\\HarddiskVolume2"]}
    )
    path = "C:\\Windows\\MEMORY.DMP"
    _reported(windows, crash, path, uuid_of("report" + card.name))
    saved = windows.boot + 21 * SECOND
    windows.keep("memory", path, 1_391_462_912, saved, _header(windows, crash, now, 6))
    return _story(windows, Truth(6, "bugcheck", bugcheck_code="0xD1", down_at=now - crash.ago))


def dumps_off(card: Card, now: datetime) -> Story:
    crash = Crash(
        timedelta(hours=6, minutes=55),
        timedelta(seconds=41),
        0x7E,
        (0xFFFFFFFFC0000005, 0xFFFFF8031C0A4D20, 0xFFFFC30A1B7FD6A8, 0xFFFFC30A1B7FCEF0),
    )
    windows = _crashed(card, now, crash)
    windows.dump_setting = 0
    _reported(windows, crash, "", NO_REPORT)
    return _story(windows, Truth(7, "bugcheck", bugcheck_code="0x7E", down_at=now - crash.ago))


def no_pagefile(card: Card, now: datetime) -> Story:
    crash = Crash(
        timedelta(hours=9, minutes=31), timedelta(seconds=37), 0xEF, (0xFFFFB58C2A1D4080, 0x0)
    )
    windows = _crashed(card, now, crash)
    windows.pagefile = False
    windows.log.add(
        windows.boot + 2 * SECOND, 46, "volmgr", {"Data": ["\\Device\\HarddiskVolume2"]}
    )
    return _story(windows, Truth(8, "bugcheck", bugcheck_code="0xEF", down_at=now - crash.ago))


def minidump(card: Card, now: datetime) -> Story:
    """No 1001 (LogEvent is off) and no code in 41: only the small dump's header tells it."""
    crash = Crash(
        timedelta(hours=3, minutes=3),
        timedelta(seconds=52),
        0x133,
        (0x1, 0x1E00, 0xFFFFF80471305330, 0x0),
        in_41=False,
    )
    windows = _crashed(card, now, crash)
    windows.dump_setting, windows.log_event = 3, 0
    windows.log.add(
        windows.boot + 4 * SECOND, 162, "volmgr", {"Data": ["\\Device\\HarddiskVolume2"]}
    )
    saved = windows.boot + 9 * SECOND
    local = (now - crash.ago) + timedelta(hours=8)
    path = f"C:\\Windows\\Minidump\\{local:%m%d%y}-9406-01.dmp"
    windows.keep("minidump", path, 1_843_220, saved, _header(windows, crash, now, 4))
    return _story(windows, Truth(9, "bugcheck", bugcheck_code="0x133", down_at=now - crash.ago))


def _running(card: Card, now: datetime) -> Windows:
    """It has run for longer than its log reaches back: no start is in it."""
    log = EventLog(VERSIONS[card.distro.key])
    boot = now - timedelta(days=47, hours=2, minutes=9)
    log.noons(boot, now, since=now - timedelta(days=40))
    return Windows(card, log, boot)


def healthy(card: Card, now: datetime) -> Story:
    windows = _running(card, now)
    windows.in_domain = True  # it serves the domain
    return _story(windows, Truth(22, "none_healthy"))


def applications_crash(card: Card, now: datetime) -> Story:
    windows = _running(card, now)
    for hours in (31, 9, 5, 4, 3):
        words = ["w3wp.exe", "10.0.17763.1", "0x5bd4a0f1", "clr.dll", "4.8.4785.0", "0x66a1c3f7"]
        words += ["c0000005", "0x00000000001b7a3d", "1f2c", "01dc59b1a2c3d4e5"]
        words += ["C:\\Windows\\System32\\inetsrv\\w3wp.exe"]
        at = now - timedelta(hours=hours, minutes=17)
        windows.log.add(at, 1000, "Application Error", {"Data": words}, "Application")
    return _story(windows, Truth(10, "none_app_crash"))


def updated(card: Card, now: datetime) -> Story:
    log = _born(card, now)
    down = now - timedelta(hours=21, minutes=40)
    first = now - timedelta(days=58, hours=4)
    log.noons(first, down, since=down - timedelta(days=6))
    title = (
        "2026-11 Cumulative Update for Microsoft server operating system version 21H2 (KB5070881)"
    )
    update = {"updateTitle": title, "updateGuid": uuid_of("update"), "updateRevisionNumber": "1"}
    log.add(down - timedelta(minutes=31), 43, UPDATES, update)
    log.asked(
        down,
        "C:\\Windows\\servicing\\TrustedInstaller.exe",
        "NT AUTHORITY\\SYSTEM",
        "Operating System: Upgrade (Planned)",
        "0x80020003",
        "restart",
    )
    log.stops(down)
    boot = down + timedelta(seconds=142)
    log.starts(boot, clean=True, boot_id=18)
    log.serves(boot)
    log.add(boot + timedelta(minutes=2), 19, UPDATES, update)
    log.noons(boot, now)
    return _story(Windows(card, log, boot), Truth(16, "planned_update", down_at=down))
