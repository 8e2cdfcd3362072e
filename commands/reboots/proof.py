"""What proves a reboot. Pure: readings in, verdict out.

No API gives a boot id, so a small script reads it on the machine before and after. Only a
well-formed value counts: half a reading proves nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LINUX = """#!/bin/sh
# Which boot is this? Reads only.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
printf 'boot_id=%s\\n' "$(cat /proc/sys/kernel/random/boot_id)"
while read -r name value rest; do
  [ "$name" = btime ] && printf 'booted=%s\\n' "$value"
done < /proc/stat
printf 'end=1\\n'
"""
WINDOWS = """# Which boot is this? Reads only.
$ErrorActionPreference = 'Stop'
$boot = (Get-WmiObject Win32_OperatingSystem).LastBootUpTime
$time = [Management.ManagementDateTimeConverter]::ToDateTime($boot).ToUniversalTime()
$culture = [Globalization.CultureInfo]::InvariantCulture
Write-Output ('boot_id=' + $time.ToString('yyyyMMddTHHmmss.ffffffZ', $culture))
$epoch = New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
Write-Output ('booted=' + [long][Math]::Floor(($time - $epoch).TotalSeconds))
Write-Output 'end=1'
"""
SCRIPTS = {"linux": LINUX, "windows": WINDOWS}
TYPES = {"linux": "RunShellScript", "windows": "RunPowerShellScript"}
TIMEOUT = 20  # seconds that a probe may take

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_STAMP = r"\d{8}T\d{6}\.\d{6}Z"
# Windows has no boot id: the moment of its boot stands for it. Its clock may be set by a second
# or so while it runs, which moves that moment; a reboot moves it forward by more, and to about the
# time when it was asked for. What moves it otherwise is a clock that was set by hours.
SAME_MOMENT = timedelta(seconds=5)
CLOCK_MAY_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Reading:
    """One well-formed answer of the probe."""

    boot_id: str
    booted_at: datetime


def read(output: bytes, os_type: str) -> Reading | None:
    """What the probe printed; None for anything that is not whole and well-formed."""
    rows = re.findall(r"^(boot_id|booted|end)=(\S*)\r?$", _text(output), re.MULTILINE)
    told = dict(rows)
    if len(rows) != len(told):
        return None  # said twice: two answers got mixed up
    form = _STAMP if os_type == "windows" else _UUID
    boot_id, booted = told.get("boot_id", "").lower(), told.get("booted", "")
    if os_type == "windows":
        boot_id = boot_id.upper()
    if told.get("end") != "1" or not re.fullmatch(form, boot_id):
        return None
    if not re.fullmatch(r"\d{9,11}", booted):
        return None
    return Reading(boot_id, datetime.fromtimestamp(int(booted), UTC))


def _text(output: bytes) -> str:
    return output[:4096].decode("ascii", "replace")


def is_same_boot(before: Reading, after: Reading) -> bool:
    if before.boot_id == after.boot_id:
        return True
    return _is_moment(before) and abs(after.booted_at - before.booted_at) <= SAME_MOMENT


def is_new_boot(before: Reading, after: Reading, asked_at: datetime) -> bool:
    """Whether `after` can only be of a boot that began since. Not the opposite of `is_same_boot`:
    where a clock was set in between, neither is known."""
    if is_same_boot(before, after):
        return False
    if not _is_moment(before):
        return True
    later = after.booted_at > before.booted_at
    return later and after.booted_at > asked_at - CLOCK_MAY_DIFFER


def _is_moment(reading: Reading) -> bool:
    return re.fullmatch(_STAMP, reading.boot_id) is not None


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen of an instance since it was asked to come back, up to now."""

    before: Reading | None  # None: it could not be read, or the instance was stopped before
    after: Reading | None
    asked_at: datetime
    was_stopped: bool = False  # ECS called it Stopped before: what runs now is another boot
    known_boot_id: str = ""  # the last one read earlier, for instances that were stopped before
    running: bool = False  # as ECS calls it now
    blind: bool = False  # ECS could not be asked how it calls it


def came_back(seen: Seen, *, time_is_up: bool) -> str:
    """verified | same_boot | unverified | not_back, or "" while it may still change.

    A new boot id is proof at once; everything else may still change until the time is up.
    "Running" alone proves nothing: it is true before the instance went down.
    """
    before, after = seen.before, seen.after
    if after and before and is_new_boot(before, after, seen.asked_at):
        return "verified"
    if after and seen.was_stopped and after.boot_id != seen.known_boot_id:
        return "verified"
    if after and before is None and not seen.was_stopped and after.booted_at > seen.asked_at:
        return "unverified"  # at best: nothing tells which boot it was before
    if not time_is_up:
        return ""
    if after and before and is_same_boot(before, after):
        return "same_boot"
    if seen.blind:
        return "unverified"
    # Nothing that answers there tells a new boot from the old one.
    return "unverified" if seen.running else "not_back"


def went_down(status: str, *, time_is_up: bool, blind: bool = False) -> str:
    """The same for an instance that is meant to be stopped: ECS's Stopped is the proof."""
    if status == "Stopped" and not blind:
        return "verified"
    if not time_is_up:
        return ""
    return "same_boot" if status == "Running" and not blind else "unverified"
