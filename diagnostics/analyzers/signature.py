"""The fingerprint by which the same crash on many machines is one thing.

Linux: `cause:function:module:kernel:digest`, the digest being of the call path's top frames or,
where the report has none, of the words of its first line. Windows: `bugcheck:code:first
parameter:driver`. Addresses, offsets, pids, processors, times and host names have no part in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..readers import bugchecks
from .traces import told

TOP = 3  # frames that count
RELEASE = re.compile(r"(?:Linux version |(?:Not tainted|Tainted: .{0,60}?)\s+\(?)(\d+\.\d+)")
NO_CRASH = {"none", "normal_reboot"}
UNEXPLAINED = {"unknown", "unexplained_reboot"}
CHANCE = {"oom_panic"}  # whose call path is that of whoever asked for memory last
NONE = "-"
# Causes whose first line says no more than their name; of others many share a name.
PLAIN = re.compile(
    r"init_killed|no_init|vfs_root|sysrq(_b)?|mce(_corrected)?|nmi(_unknown)?|oom_panic|watchdog"
    r"|(hard|soft)_lockup|rcu_stall|hung_task|global|memcg|manual|power_reset|unknown"
    r"|oops|null_deref|paging_fault|gpf|divide_error|invalid_opcode"
)
# Which of the words on a first line differ from machine to machine.
VARYING = re.compile(r"\S*\d\S*|\([^)]*\)|['\"][^'\"]*['\"]|\b(?:task|process|comm:?|device) \S+")
# Bugchecks whose first parameter is an address: small ones are offsets into nothing, and tell.
BY_ADDRESS = {0xA, 0x50, 0xBE, 0xC5, 0xCE, 0xD1, 0xD3, 0xD4, 0xD5, 0xD6, 0xEF, 0xFC, 0x116, 0x154}
OFFSETS = 0x10000


@dataclass(frozen=True, slots=True)
class Parts:
    """A signature taken apart; what it does not name is ""."""

    cause: str
    function: str = ""
    module: str = ""  # or the driver
    kernel: str = ""
    parameter: str = ""


def release(text: str) -> str | None:
    """The major kernel version, such as 6.1, where this line names it."""
    found = RELEASE.search(text)
    return found[1] if found else None


def of(facts: Mapping[str, object], kernel: str | None) -> str | None:
    """The signature of what a kernel's records tell; None where nothing crashed or ailed."""
    if facts["kind"] in NO_CRASH:
        return None
    cause = str(facts["subkind"] or facts["kind"])
    if facts["kind"] == "unexplained_reboot":
        return facts["kind"] if cause in UNEXPLAINED else f"{facts['kind']}:{cause}"
    if cause in CHANCE:
        return ":".join([cause, NONE, NONE, _one(kernel), NONE])
    function = facts.get("function") or _victim(facts)
    trace = map(str, facts.get("trace", ()))
    frames = [frame for frame in trace if told(frame) and frame != function][:TOP]
    named = [cause, *map(_one, (function, facts.get("module"), kernel))]
    return ":".join([*named, _digest(frames) if frames else _first_line(cause, facts)])


def completed(signature: str | None, running: str | None) -> str | None:
    """The same with the kernel that the machine runs, where the report itself names none."""
    parts = (signature or "").split(":")
    major = re.match(r"\d+\.\d+", running or "")
    if len(parts) != 5 or parts[3] != NONE or not major:
        return signature
    return ":".join([*parts[:3], major[0], parts[4]])


def of_windows(facts: Mapping[str, object]) -> str | None:
    """The signature of a Windows stop; the kind alone where no code is known."""
    if not facts["crashed"]:
        return None
    if facts["kind"] != "bugcheck":
        return str(facts["kind"])
    code = str(facts.get("bugcheck_code") or "")
    number = bugchecks.plain(int(code, 16)) if code else None
    first = next(iter(facts.get("parameters") or ()), None)
    shown = NONE if number is None else f"0x{number:X}"
    return f"bugcheck:{shown}:{_parameter(number, first)}:{_one(facts.get('driver')).lower()}"


def parts(signature: str) -> Parts:
    """What a signature names. One of another kind is its own cause."""
    told = ["" if part == NONE else part for part in signature.split(":")]
    if told[0] == "bugcheck" and len(told) == 4:
        return Parts(told[1] or "bugcheck", module=told[3], parameter=told[2])
    if len(told) == 5:
        return Parts(told[0], told[1], told[2], told[3])
    return Parts(signature)


def _parameter(code: int | None, first: object) -> str:
    if first is None:
        return NONE
    value = int(str(first), 16)
    if value >> 31 == 0x1FFFFFFFF:  # a status code, drawn out to 64 bits
        value &= 0xFFFFFFFF
        return "address" if code in BY_ADDRESS else f"0x{value:X}"
    most = OFFSETS if code in BY_ADDRESS else 0xFFFFFFFF
    return "address" if value > most else f"0x{value:X}"


def _victim(facts: Mapping[str, object]) -> str | None:
    """Of a kill for memory the program that died: its name, without what numbers its workers."""
    first = next(iter(facts.get("victims") or ()), None)
    if facts["kind"] != "oom_kill" or first is None:
        return None
    return re.sub(r"(?<=[-/:_.#])\d+", "N", re.sub(r" \(pid \d+\)$", "", str(first)))


def _one(part: object) -> str:
    """One part, in which nothing looks like the border to the next."""
    return re.sub(r"[:\s]+", "_", str(part))[:60] if part else NONE


def _first_line(cause: str, facts: Mapping[str, object]) -> str:
    if PLAIN.fullmatch(cause) or facts.get("function"):
        return NONE
    words = re.findall(r"[A-Za-z_]{2,}", VARYING.sub(" ", str(facts.get("reason") or "")))
    return _digest(word.lower() for word in words) if words else NONE


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:8]
