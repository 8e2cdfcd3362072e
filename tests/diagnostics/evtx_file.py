"""Writes Windows event logs (.evtx) of our own: a file header, chunks, records in binary XML."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

HEADER, CHUNK, FIRST = 4096, 65536, 512
SPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
Element = tuple  # name, attributes, children (elements or a text)


def log(events: Sequence[dict], a_chunk: int = 40) -> bytes:
    """A log with `events` as windows_record has them, `a_chunk` of them to a chunk."""
    parts = [events[at : at + a_chunk] for at in range(0, len(events), a_chunk)]
    return header(len(parts), 1 + len(events)) + b"".join(chunk(part) for part in parts)


def header(chunks: int, next_record: int) -> bytes:
    made = bytearray(HEADER)
    fields = (b"ElfFile\0", 0, max(chunks - 1, 0), next_record, 128, 1, 3, HEADER, chunks)
    struct.pack_into("<8sQQQIHHHH", made, 0, *fields)
    struct.pack_into("<I", made, 124, zlib.crc32(bytes(made[:120])))
    return bytes(made)


def chunk(events: Iterable[dict]) -> bytes:
    made, numbers, last = bytearray(FIRST), [], 0
    for event in events:
        last = len(made)
        numbers.append(event["record_id"])
        record(made, event["record_id"], document(event))
    ends = (numbers[0], numbers[-1]) * 2
    struct.pack_into("<8sQQQQIII", made, 0, b"ElfChnk\0", *ends, 128, last, len(made))
    assert len(made) <= CHUNK, "fewer events to a chunk"
    return summed(bytes(made).ljust(CHUNK, b"\0"))


def summed(made: bytes) -> bytes:
    """The chunk with the checksums that belong to it."""
    fixed = bytearray(made)
    (free,) = struct.unpack_from("<I", fixed, 48)
    struct.pack_into("<I", fixed, 52, zlib.crc32(bytes(fixed[FIRST:free])))
    struct.pack_into("<I", fixed, 124, zlib.crc32(bytes(fixed[:120] + fixed[128:FIRST])))
    return bytes(fixed)


def record(made: bytearray, number: int, root: Element) -> None:
    start, written = len(made), datetime(2026, 11, 20, 2, tzinfo=UTC)
    ticks = int((written.timestamp() + 11_644_473_600) * 10**7)
    made += struct.pack("<IIQQ", 0x2A2A, 0, number, ticks) + b"\x0f\x01\x01\x00"
    element(made, *root)
    made += b"\0"
    made += bytes(-(len(made) - start + 4) % 8)
    size = len(made) - start + 4
    struct.pack_into("<I", made, start + 4, size)
    made += struct.pack("<I", size)


def element(made: bytearray, name: str, attributes: dict, children: str | list) -> None:
    made += b"\x41" if attributes else b"\x01"
    size = len(made)
    made += bytes(4)
    named(made, name)
    if attributes:
        inside = len(made)
        made += bytes(4)
        for left, (key, text) in enumerate(reversed(attributes.items())):
            made += b"\x46" if left < len(attributes) - 1 else b"\x06"
            named(made, key)
            value(made, text)
        struct.pack_into("<I", made, inside, len(made) - inside - 4)
    made += b"\x02"
    if isinstance(children, str):
        value(made, children)
    else:
        for child in children:
            element(made, *child)
    made += b"\x04"
    struct.pack_into("<I", made, size, len(made) - size - 4)


def named(made: bytearray, name: str) -> None:
    made += struct.pack("<IIHH", len(made) + 4, 0, 0, len(name)) + wide(name) + b"\0\0"


def value(made: bytearray, text: str) -> None:
    made += struct.pack("<BBH", 5, 1, len(text)) + wide(text)


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def document(event: dict) -> Element:
    fields: list[Element] = []
    for name, held in event["data"].items():
        if isinstance(held, list):
            fields += [("Data", {}, str(one)) for one in held]
        elif name == "Binary":
            fields.append(("Binary", {}, str(held)))
        else:
            fields.append(("Data", {"Name": name}, str(held)))
    system = [
        ("Provider", {"Name": event["provider"]}, ""),
        ("EventID", {}, str(event["id"])),
        ("TimeCreated", {"SystemTime": event["time"]}, ""),
        ("EventRecordID", {}, str(event["record_id"])),
        ("Channel", {}, event["channel"]),
        ("Computer", {}, "WEB01"),
    ]
    parts = [("System", {}, system), ("EventData", {}, fields)]
    return ("Event", {"xmlns": SPACE}, parts)
