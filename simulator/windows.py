"""The system inside a Windows machine: nothing runs there, recorded data answers known scripts.

A script is known by the SHA-256 of its exact text, listed in windows_scripts.txt. What it would
read from the event log, the registry and the disk is recorded per machine; the answer has the form
in which the script prints it.
"""

import base64
import gzip
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator import windows_boot
from simulator.machine import Machine, Ran, Unsupported, refused

KNOWN = Path(__file__).with_name("windows_scripts.txt")
ONLY_AN_EXIT = re.compile(r"(?:\s*(?:#|rem\b)[^\n]*\n)*\s*exit\s+(\d{1,9})\s*", re.IGNORECASE)
NO_POWERSHELL = (
    "the simulator cannot run PowerShell or batch files: a simulated Windows machine answers the"
    " portal's own reading scripts from recorded data, ends as a bare `exit N` says, and does"
    " nothing else"
)
Record = dict[str, Any]  # one JSON document: system, crash_control, pagefile, dumps, events
READINESS = ("system", "crash_control", "pagefile", "readiness")  # what that script prints


def known_scripts() -> dict[str, str]:
    """The scripts that are answered: digest -> file."""
    lines = (line.split() for line in KNOWN.read_text().splitlines())
    return {words[0]: words[-1] for words in lines if words and not words[0].startswith("#")}


def known_digests() -> set[str]:
    return set(known_scripts())


@dataclass(slots=True)
class WindowsGuest:
    """A Windows system. `record` makes what the scripts find at the given moment."""

    record: Callable[[Machine, datetime], Record]

    def run(
        self,
        machine: Machine,
        script: str,
        *,
        timeout: float,
        username: str,
        working_dir: str,
        stop: threading.Event,
    ) -> Ran:
        if found := ONLY_AN_EXIT.fullmatch(script):
            return Ran(int(found[1]), b"", "recording")
        digest = hashlib.sha256(script.encode()).hexdigest()
        if digest == windows_boot.DIGEST:
            return Ran(0, windows_boot.answer(machine), "recording")
        if digest not in known_digests():
            return refused("ExecutionException", NO_POWERSHELL)
        if username and username.lower() != "system":
            return refused("AccountNotExists", "the specified account does not exists")
        record = self.record(machine, datetime.now(UTC))
        return Ran(0, bundle(_printed(record, known_scripts().get(digest, ""))), "recording")

    def console(self, machine: Machine) -> bytes:
        raise Unsupported("only Linux instances have a serial console log")


def _printed(record: Record, script: str) -> Record:
    """Of all that is recorded, what this script prints."""
    if script.endswith("readiness.ps1"):
        return {name: record[name] for name in READINESS}
    return {name: value for name, value in record.items() if name != "readiness"}


def bundle(record: Record) -> bytes:
    """The record as PowerShell prints it: JSON in plain ASCII, packed, with its digest."""
    compressed = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    text = re.sub(r"[^\x20-\x7e]", _escaped, compressed)
    plain = f"#section record\n{text}\n#section collection\n\n".encode("ascii")
    packed = base64.b64encode(gzip.compress(plain, mtime=0)).decode()
    rows = [packed[at : at + 76] for at in range(0, len(packed), 76)]
    lines = [f"{number}:{row}" for number, row in enumerate(rows, 1)]
    digest = hashlib.sha256(plain).hexdigest()
    end = f"#ecs-end bytes={len(plain)} sha256={digest} seconds=2"
    return "\r\n".join(("#ecs-bundle 1 windows gzip", *lines, end, "")).encode()


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _utf16(found[0]))


def _utf16(text: str) -> list[int]:
    raw = text.encode("utf-16-le")
    return [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)]
