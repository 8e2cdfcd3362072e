"""`journalctl -o export` as the lines that journalctl prints.

Entries stand apart by an empty line; a field is NAME=text, or NAME alone, eight bytes of length
and that many bytes, where the text has line breaks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime

START = b"__CURSOR="
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
    return body.lstrip(b"\n").startswith(START)


def read(body: bytes) -> str:
    """One line an entry. Never raises; what is cut or broken ends the text there."""
    return "\n".join(filter(None, map(_line, _entries(body))))


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
    words = {name: value.decode("utf-8", "replace") for name, value in entry.items()}
    micros = words.get(b"__REALTIME_TIMESTAMP", "")
    if not micros.isdecimal() or not 0 < int(micros) < LATEST or b"MESSAGE" not in words:
        return ""
    at = datetime.fromtimestamp(int(micros) / 1e6, UTC).isoformat(timespec="microseconds")
    who = words.get(b"SYSLOG_IDENTIFIER") or words.get(b"_COMM") or "kernel"
    pid = f"[{words[b'_PID']}]" if b"_PID" in words else ""
    head = f"{at} {words.get(b'_HOSTNAME', 'host')} {who}{pid}: "
    return "\n".join(head + line for line in words[b"MESSAGE"].splitlines() or [""])
