"""Answers of Windows machines, made by us, byte for byte as the script seals them."""

import base64
import gzip
import hashlib
import json
import struct

from diagnostics.readers.windows_fields import HEADER_PARTS


def sealed(record: dict, notes: str = "") -> bytes:
    body = json.dumps(record, separators=(",", ":"))
    text = f"#section record\n{body}\n#section collection\n{notes}\n".encode("ascii")
    packed = numbered(gzip.compress(text)).replace(b"\n", b"\r\n")
    end = f"#ecs-end bytes={len(text)} sha256={hashlib.sha256(text).hexdigest()} seconds=3\r\n"
    return b"#ecs-bundle 1 windows gzip\r\n" + packed + end.encode()


def numbered(packed: bytes) -> bytes:
    lines = base64.encodebytes(packed).splitlines(keepends=True)
    return b"".join(b"%d:%s" % (number, line) for number, line in enumerate(lines, 1))


def dump(
    code: int, parameters=(1, 2, 3, 4), *, at: int = 0, kind: int = 6, bits: int = 64
) -> bytes:
    """The first 8 KB of a crash dump; `at` is a FILETIME. What is not set is filled with PAGE."""
    first = bytearray(b"PAGE" * 2048)
    wide = bits == 64
    first[4:8] = b"DU64" if wide else b"DUMP"
    struct.pack_into("<II", first, 8, 15, 17763)
    struct.pack_into("<II", first, 0x30 if wide else 0x20, 0x8664 if wide else 0x14C, 4)
    struct.pack_into("<I", first, 0x38 if wide else 0x28, code)
    struct.pack_into("<4Q" if wide else "<4I", first, 0x40 if wide else 0x2C, *parameters)
    struct.pack_into("<I", first, 0xF98 if wide else 0xF88, kind)
    if at:
        struct.pack_into("<Q", first, 0xFA8 if wide else 0xFC0, at)
        struct.pack_into("<Q", first, 0x1030 if wide else 0xFB8, 36_000_000_000)
    return bytes(first)


def header(first: bytes) -> dict[str, str]:
    return {str(at): base64.b64encode(first[at : at + size]).decode() for at, size in HEADER_PARTS}


def filetime(at) -> int:
    return int((at.timestamp() + 11_644_473_600) * 10_000_000)
