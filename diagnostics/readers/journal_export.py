"""What `journalctl -o export`, `verbose` and `json-pretty` print, as the lines that it prints else.

Exported entries stand apart by an empty line; a field is NAME=text, or NAME alone, eight bytes of
length and that many bytes, where the text has line breaks. Verbose ones begin with their time, and
the fields stand four blanks further in; in JSON that was made pretty an entry is one object.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime

START = b"__CURSOR="
VERBOSE = re.compile(
    rb"^[A-Z][a-z]{2} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{6}) (\S{1,6}) \[s=\w+;i=\w+;b=\w+;",
    re.M,
)
FIELD = re.compile(rb"^ {4}(\w+)=(.*)$")
PRETTY = re.compile(rb"\s*\{\r?\n\s+\"_*[A-Z_]+\" : ")
WANTED = {
    b"__REALTIME_TIMESTAMP",
    b"MESSAGE",
    b"SYSLOG_IDENTIFIER",
    b"_COMM",
    b"_PID",
    b"_HOSTNAME",
    b"_TRANSPORT",
}
LONGEST_FIELD = 1 << 16
LATEST = 4_102_444_800_000_000  # microseconds; the year 2100


def looks_like(body: bytes) -> bool:
    start = body[:4096].lstrip(b"\n")
    return start.startswith(START) or bool(VERBOSE.match(start) or PRETTY.match(start))


def read(body: bytes) -> str:
    """One line an entry. Never raises; what is cut or broken ends the text there."""
    start = body[:4096].lstrip(b"\n")
    if VERBOSE.match(start):
        return "\n".join(_verbose(body))
    entries = _pretty(body) if PRETTY.match(start) else _entries(body)
    return "\n".join(filter(None, map(_line, entries)))


def _verbose(body: bytes) -> Iterator[str]:
    """The time is the machine's own and stays so; another zone than UTC has only a name there."""
    head: re.Match | None = None
    entry: dict[bytes, bytes] = {}
    for raw in body.splitlines():
        if found := VERBOSE.match(raw):
            yield from _told(head, entry)
            head, entry = found, {}
        elif (found := FIELD.match(raw)) and found[1] in WANTED:
            entry[found[1]] = found[2][:LONGEST_FIELD]
    yield from _told(head, entry)


def _told(head: re.Match | None, entry: dict[bytes, bytes]) -> Iterator[str]:
    if head and b"MESSAGE" in entry:
        zone = b"Z" if head[3] == b"UTC" else b""
        yield _said((head[1] + b"T" + head[2] + zone).decode(), entry)


def _pretty(body: bytes) -> Iterator[dict[bytes, bytes]]:
    """Each object ends with a brace at the margin; one that is cut is none."""
    for part in re.split(rb"(?m)^\}\s*$", body):
        try:
            fields = json.loads(part + b"}")
        except (ValueError, RecursionError):
            continue
        yield {
            name.encode(): value.encode(errors="replace")[:LONGEST_FIELD]
            for name, value in fields.items()
            if isinstance(value, str) and name.encode(errors="replace") in WANTED
        }


def _entries(body: bytes) -> Iterator[dict[bytes, bytes]]:
    entry: dict[bytes, bytes] = {}
    at = 0
    while at < len(body):
        end = body.find(b"\n", at)
        end = len(body) if end < 0 else end
        if end == at:
            if entry:
                yield entry
            entry, at = {}, at + 1
            continue
        mark = body.find(b"=", at, end)
        if mark >= 0:
            name, value, at = body[at:mark], (mark + 1, end), end + 1
        elif end + 9 <= len(body):
            (size,) = struct.unpack_from("<Q", body, end + 1)
            name, value, at = body[at:end], (end + 9, end + 9 + size), end + 10 + size
        else:
            break
        if name in WANTED:
            entry[name] = body[value[0] : min(value[1], value[0] + LONGEST_FIELD)]
    if entry:
        yield entry


def _line(entry: dict[bytes, bytes]) -> str:
    micros = entry.get(b"__REALTIME_TIMESTAMP", b"")
    dated = micros.isdigit() and len(micros) < 20 and 0 < int(micros) < LATEST
    if not dated or b"MESSAGE" not in entry:
        return ""
    at = datetime.fromtimestamp(int(micros) / 1e6, UTC).isoformat(timespec="microseconds")
    return _said(at, entry)


def _said(at: str, entry: dict[bytes, bytes]) -> str:
    words = {name: value.decode("utf-8", "replace") for name, value in entry.items()}
    who = words.get(b"SYSLOG_IDENTIFIER") or words.get(b"_COMM") or "kernel"
    pid = f"[{words[b'_PID']}]" if b"_PID" in words else ""
    head = f"{at} {words.get(b'_HOSTNAME', 'host')} {who}{pid}: "
    return "\n".join(head + line for line in words[b"MESSAGE"].splitlines() or [""])
