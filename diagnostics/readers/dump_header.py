"""The header of a Windows crash dump: why the machine stopped, and when.

The first 8 KB of MEMORY.DMP or of a minidump are enough. Fields that Windows did not set are
filled with the letters PAGE; those are None here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NEEDED = 0x2000
UNSET = 0x45474150  # "PAGE"
IMAGED = {0x5454414D, 0x4D415454}  # "MATT", either way round: written by an imaging tool
TYPES = {
    1: "complete",
    2: "kernel",
    3: "header only",
    4: "small",
    5: "complete",
    6: "kernel",
    7: "kernel",
}
MACHINES = {0x14C: "x86", 0x8664: "x64", 0xAA64: "arm64"}
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DumpHeader:
    """`problem` says why this is not a crash dump that can be read ("" if it is); then the rest
    is None. `bits` 32 or 64; `type` complete, kernel, small or "header only"; `crashed_at` UTC."""

    problem: str = ""
    bits: int | None = None
    machine: str | None = None
    build: int | None = None
    processors: int | None = None
    code: int | None = None
    parameters: tuple[int, ...] = ()
    type: str | None = None
    crashed_at: datetime | None = None
    uptime: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields stand."""

    bits: int
    machine: int
    processors: int
    code: int
    first_parameter: int
    parameter: str
    type: int
    time: int
    uptime: int


LAYOUTS = {
    b"DU64": Layout(64, 0x30, 0x34, 0x38, 0x40, "<4Q", 0xF98, 0xFA8, 0x1030),
    b"DUMP": Layout(32, 0x20, 0x24, 0x28, 0x2C, "<4I", 0xF88, 0xFC0, 0xFB8),
}


def read(first: bytes) -> DumpHeader:
    """What the first 8 KB of a dump tell. Never raises; shorter input is said to be incomplete."""
    if first[:4] == b"MDMP":
        return DumpHeader("a dump of one program, not of the system")
    if first[:4] != b"PAGE":
        return DumpHeader("no Windows crash dump")
    layout = LAYOUTS.get(first[4:8])
    if layout is None:
        return DumpHeader("the dump was begun and not finished")
    if len(first) < (NEEDED if layout.bits == 64 else NEEDED // 2):
        return DumpHeader("only a part of the dump's header was read")
    return fields(first, layout)


def fields(first: bytes, layout: Layout) -> DumpHeader:
    code = number(first, layout.code)
    if code in IMAGED:
        return DumpHeader("memory was copied by an imaging tool: no crash")
    if code is None:
        return DumpHeader("the dump's header holds no bugcheck")
    return DumpHeader(
        bits=layout.bits,
        machine=MACHINES.get(number(first, layout.machine) or 0),
        build=number(first, 0x0C),
        processors=number(first, layout.processors),
        code=code,
        parameters=struct.unpack_from(layout.parameter, first, layout.first_parameter),
        type=TYPES.get(number(first, layout.type) or 0),
        crashed_at=moment(long(first, layout.time)),
        uptime=span(long(first, layout.uptime)),
    )


def number(first: bytes, at: int) -> int | None:
    (value,) = struct.unpack_from("<I", first, at)
    return None if value == UNSET else value


def long(first: bytes, at: int) -> int | None:
    (value,) = struct.unpack_from("<Q", first, at)
    return None if UNSET in (value & 0xFFFFFFFF, value >> 32) or not value else value


def moment(filetime: int | None) -> datetime | None:
    """FILETIME: 100 ns since 1601, in UTC."""
    if filetime is None or filetime // 10 > (LAST - EPOCH) // timedelta(microseconds=1):
        return None
    return EPOCH + timedelta(microseconds=filetime // 10)


def span(ticks: int | None) -> timedelta | None:
    return None if ticks is None or ticks > 10**17 else timedelta(microseconds=ticks // 10)
