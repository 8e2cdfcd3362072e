"""Windows event records and dump headers, in the form in which the guest's own tools give them."""

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

POWER = "Microsoft-Windows-Kernel-Power"
GENERAL = "Microsoft-Windows-Kernel-General"
KERNEL_BOOT = "Microsoft-Windows-Kernel-Boot"
CRASHED = "Microsoft-Windows-WER-SystemErrorReporting"
UPDATES = "Microsoft-Windows-WindowsUpdateClient"
LOCAL = timezone(timedelta(hours=8))
BIAS = "-480 Singapore Standard Time"
LEFT_TO_RIGHT = "\u200e"
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def iso(moment: datetime) -> str:
    """The seven digits of SystemTime in an event's XML."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "3Z"


def stamp(moment: datetime) -> str:
    """Milliseconds, as the collection script prints the times that it converts itself."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def filetime(moment: datetime) -> int:
    return int((moment - EPOCH).total_seconds()) * 10_000_000


@dataclass(slots=True)
class EventLog:
    """Events in the order of their records."""

    build: str  # "17763" or "20348"
    records: list[dict[str, Any]] = field(default_factory=list)
    number: int = 48_210

    def add(
        self, at: datetime, id: int, provider: str, data: dict[str, Any], channel: str = "System"
    ) -> None:
        self.number += 3
        self.records.append(
            {
                "time": iso(at),
                "id": id,
                "provider": provider,
                "channel": channel,
                "record_id": self.number,
                "data": data,
            }
        )

    def newest_first(self) -> list[dict[str, Any]]:
        return sorted(self.records, key=lambda e: (e["channel"], e["record_id"]), reverse=True)

    # -- groups of records that Windows writes together

    def starts(self, boot: datetime, *, clean: bool, boot_id: int) -> None:
        """The records of every start; the log service begins some seconds after the kernel."""
        version = {"MajorVersion": "10", "MinorVersion": "0", "BuildVersion": self.build}
        start = version | {"QfeVersion": "5936", "BootMode": "0", "StartTime": iso(boot)}
        self.add(boot, 12, GENERAL, start)
        good = {"LastShutdownGood": str(clean).lower(), "LastBootGood": "true"}
        good |= {"LastBootId": str(boot_id), "BootStatusPolicy": "1"}
        self.add(boot + timedelta(seconds=1), 20, KERNEL_BOOT, good)
        self.add(boot + timedelta(seconds=1), 27, KERNEL_BOOT, {"BootType": "0"})

    def serves(self, boot: datetime) -> None:
        """The event log service is up: 6009, 6005 and the first uptime."""
        up = boot + timedelta(seconds=14)
        words = ["10.00.", self.build, "", "Multiprocessor Free", "0"]
        self.add(up, 6009, "EventLog", {"Data": words})
        self.add(up, 6005, "EventLog", {"Data": ["", "", "", "", "", "", ""]})
        self.uptime(up, boot)

    def uptime(self, at: datetime, boot: datetime) -> None:
        seconds = str(int((at - boot).total_seconds()))
        self.add(at, 6013, "EventLog", {"Data": ["", "", "", "", seconds, "60", BIAS]})

    def noons(self, boot: datetime, until: datetime, *, since: datetime | None = None) -> None:
        """The daily uptime at noon, which shows that nothing restarted in between."""
        noon = (since or boot).astimezone(LOCAL).replace(hour=12, minute=0, second=0, microsecond=0)
        while noon < until:
            if noon > boot + timedelta(minutes=1):
                self.uptime(noon, boot)
            noon += timedelta(days=1)

    def unclean(self, boot: datetime, code: int, parameters: tuple[int, ...] = ()) -> None:
        """Kernel-Power 41 of the next start; the code is decimal, its parameters are hex."""
        four = (*parameters, 0, 0, 0, 0)[:4]
        data = {"BugcheckCode": str(code)}
        data |= {f"BugcheckParameter{n}": f"0x{value:x}" for n, value in enumerate(four, 1)}
        data |= {"SleepInProgress": "0", "PowerButtonTimestamp": "0", "BootAppStatus": "0"}
        self.add(boot + timedelta(seconds=3), 41, POWER, data)

    def last_sign(self, boot: datetime, sign: datetime, lived: timedelta) -> None:
        """6008: the previous shutdown was unexpected; it tells the last heartbeat."""
        local = sign.astimezone(LOCAL)
        date = (
            LEFT_TO_RIGHT + f"{local.month}/{LEFT_TO_RIGHT}{local.day}/{LEFT_TO_RIGHT}{local.year}"
        )
        seconds = str(int(lived.total_seconds()))
        words = [f"{local:%I:%M:%S %p}", date, "", "", seconds, "", ""]
        times = _systemtime(local) + _systemtime(sign.astimezone(UTC)) + struct.pack("<LL", 60, 60)
        data = {"Data": words, "Binary": times.hex().upper()}
        self.add(boot + timedelta(seconds=14), 6008, "EventLog", data)

    def asked(
        self, at: datetime, process: str, user: str, reason: str, code: str, kind: str
    ) -> None:
        """1074: who asked for an orderly stop."""
        words = (process, "", reason, code, kind, "", user)
        self.add(at, 1074, "User32", {f"param{n}": word for n, word in enumerate(words, 1)})

    def stops(self, at: datetime, *, action: int = 5) -> None:
        """An orderly end: the kernel's 109, the log service's 6006, the kernel's 13."""
        data = {"ShutdownActionType": str(action), "ShutdownEventCode": "0", "ShutdownReason": "5"}
        self.add(at + timedelta(seconds=9), 109, POWER, data)
        self.add(at + timedelta(seconds=11), 6006, "EventLog", {"Data": [""]})
        stopped = at + timedelta(seconds=14)
        self.add(stopped, 13, GENERAL, {"StopTime": iso(stopped)})


def _systemtime(moment: datetime) -> bytes:
    """SYSTEMTIME: year, month, weekday (Sunday 0), day, hour, minute, second, millisecond."""
    weekday = moment.isoweekday() % 7
    clock = (moment.hour, moment.minute, moment.second, moment.microsecond // 1000)
    return struct.pack("<8H", moment.year, moment.month, weekday, moment.day, *clock)


def dump_header(
    code: int, parameters: tuple[int, ...], at: datetime, up: timedelta, *, kind: int, build: int
) -> bytes:
    """The first 8 KB of a 64-bit kernel dump. `kind`: 4 for a small dump, 6 for a kernel one."""
    head = bytearray(b"PAGE" * 2048)
    four = (*parameters, 0, 0, 0, 0)[:4]
    struct.pack_into("<4s4sLL", head, 0x00, b"PAGE", b"DU64", 15, build)
    struct.pack_into("<Q", head, 0x10, 0x1AD000)
    struct.pack_into("<LL", head, 0x30, 0x8664, 4)
    struct.pack_into("<LLQQQQ", head, 0x38, code, 0x45474150, *four)
    struct.pack_into("<L", head, 0xF98, kind)
    struct.pack_into("<QQ", head, 0xFA0, 0x52D3A000, filetime(at))
    struct.pack_into("<Q", head, 0x1030, int(up.total_seconds()) * 10_000_000)
    struct.pack_into("<LLL", head, 0x1040, 3, 0, 0)
    return bytes(head)
