"""What a collection script printed, taken apart into named sections.

    #ecs-bundle 1 linux gzip        os: linux | windows, form: gzip | plain
    1:H4sIAAAAAAAACu1Y...           gzip: Base64 of the gzipped text, in numbered lines
    #ecs-end bytes=5526 cksum=909647369 seconds=1

The text is a run of sections, each a line `#section NAME` and what stands until the next. `bytes`
and the sum speak of that text: `cksum` is the POSIX one, Windows gives `sha256`. A line of content
that would look like one of these marks carries a blank before it.

The text comes from a machine that may be broken, through an agent that may have cut the middle
out, or from a person's clipboard: whatever can be read is kept, and what is wrong is said.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ..wording import Text
from ..wording import say as _

MAX_OUTPUT = 1_000_000  # bytes looked at; a bundle has less than 24,000
MAX_TEXT = 2_000_000  # bytes after unpacking; the scripts stay below 200,000
MAX_SECTION = 400_000

LINUX = [
    "system",
    "collection",
    "kdump",
    "cmdline",
    "sysctl",
    "dumps",
    "history",
    "vmcore_dmesg",
    "pstore",
    "journal_previous",
    "boots",
    "last",
    "who",
    "messages",
    "dmesg",
    "journal_current",
]
WINDOWS = ["record", "collection"]
READINESS = "readiness"  # of Linux: only what the readiness script asks beside the others
NAMES = {"linux": frozenset([*LINUX, READINESS]), "windows": frozenset(WINDOWS)}

HEADER = re.compile(rb"^#ecs-bundle 1 (linux|windows) (gzip|plain)[ \t]*$", re.M)
END = re.compile(
    rb"^#ecs-end bytes=(\d{1,9})(?: cksum=(\d{1,10}))?(?: sha256=([0-9a-f]{64}))?[^\n]*$", re.M
)
MARK = re.compile(r"^#section ([^\n]*)\n?", re.M)
CONTROL = dict.fromkeys([*range(9), *range(11, 32), 127])


@dataclass(frozen=True, slots=True)
class Bundle:
    """`sections` holds what was asked: an empty text means asked, and nothing there. `complete`
    is true only when the sum fits; `problems` says in words what is wrong with it."""

    os: str | None
    sections: dict[str, str]
    complete: bool
    problems: tuple[Text, ...]


def read(output: bytes) -> Bundle:
    """The bundle in `output`, whatever stands around it. Never raises."""
    problems: list[Text] = []
    if len(output) > MAX_OUTPUT:
        told = _(
            "only the first %(most)s of %(size)s bytes were read", most=MAX_OUTPUT, size=len(output)
        )
        problems.append(told)
    output = output[:MAX_OUTPUT].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    header = last(HEADER, output)
    os, form = (header[1].decode(), header[2].decode()) if header else (None, "plain")
    if not header:
        problems.append(_("the beginning of the bundle is missing"))
    body = output[header.end() + 1 :] if header else output
    end = last(END, body)
    if end:
        body = body[: end.start()]
    else:
        problems.append(_("the end of the bundle is missing"))
    packed = form == "gzip"
    text, whole = (unpacked if packed else as_it_stands)(body, end, problems)
    sections = split(text, os, problems)
    return Bundle(os, sections, bool(header and end and whole), tuple(problems))


def last(pattern: re.Pattern[bytes], output: bytes) -> re.Match[bytes] | None:
    return max(pattern.finditer(output), key=re.Match.start, default=None)


def as_it_stands(
    body: bytes, end: re.Match[bytes] | None, problems: list[Text]
) -> tuple[bytes, bool]:
    if not end or sum_fits(body, end):
        return body, bool(end)
    missing = int(end[1]) - len(body)
    problems.append(
        _("%(count)s bytes are missing, somewhere in the middle", count=missing)
        if missing > 0
        else _("the text is not what the machine printed: its sum does not fit")
    )
    return body, False


def unpacked(body: bytes, end: re.Match[bytes] | None, problems: list[Text]) -> tuple[bytes, bool]:
    text, trouble = inflate(b"".join(re.sub(rb"(^|\s)\d+:", rb"\1", body).split()))
    if end and sum_fits(text, end):
        return text, True
    if end and all_there(body):
        # Changed, but not cut: nobody can say where, and all that follows it unpacks to lies.
        problems.append(_("the packed text was changed on its way; none of it can be trusted"))
        return b"", False
    text, damage = inflate(b"".join(sound_lines(body)))
    problems.append(
        trouble or damage or _("the packed text is cut or changed: its sum does not fit")
    )
    if end:
        told = _(
            "%(read)s of %(size)s bytes of text could be read", read=len(text), size=int(end[1])
        )
        problems.append(told)
    return text, False


PACKED_LINE = re.compile(rb"(\d{1,6}):([A-Za-z0-9+/]+={0,2})")


def all_there(body: bytes) -> bool:
    """Whether every line is the next one and all but the last are equally long."""
    lines = [PACKED_LINE.fullmatch(line) for line in body.split()]
    if not lines or not all(lines):
        return False
    *lengths, final = (len(line[2]) for line in lines)
    numbers = [int(line[1]) for line in lines]
    return (
        numbers == list(range(1, len(lines) + 1))
        and len(set(lengths)) <= 1
        and final <= max(lengths, default=final)
    )


def sound_lines(body: bytes) -> Iterator[bytes]:
    """Base64 lines up to the first that is not the next one, or not as long as the others: there
    something was cut, and what follows would unpack to words that the machine never wrote. The
    last line before it is left out too, for its end may be that of another."""
    before = None
    for number, line in enumerate(body.split(), 1):
        found = PACKED_LINE.fullmatch(line)
        if not found or int(found[1]) != number or before and len(found[2]) != len(before):
            return
        if before:
            yield before
        before = found[2]


def inflate(packed: bytes) -> tuple[bytes, Text | None]:
    """As much of the text as unpacks, at most MAX_TEXT bytes, and what went wrong."""
    try:
        data = base64.b64decode(packed[: len(packed) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return b"", _("the packed text holds something that is not Base64")
    stream, text = zlib.decompressobj(31), bytearray()
    for start in range(0, len(data), 512):
        try:
            text += stream.decompress(data[start : start + 512], MAX_TEXT + 1 - len(text))
        except zlib.error:
            return bytes(text), _("the packed text is damaged")
        if len(text) > MAX_TEXT:
            return bytes(text[:MAX_TEXT]), _(
                "the text is larger than %(most)s bytes", most=MAX_TEXT
            )
    return bytes(text), None if stream.eof else _("the packed text is cut")


def sum_fits(text: bytes, end: re.Match[bytes]) -> bool:
    size, cksum, sha256 = end.groups()
    if len(text) != int(size):
        return False
    if sha256:
        return hashlib.sha256(text).hexdigest().encode() == sha256
    return not cksum or posix_cksum(text) == int(cksum)


MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def posix_cksum(text: bytes) -> int:
    """What `cksum` prints. It is the CRC of zip files with the bits of each byte mirrored."""
    size = len(text)
    tail = size.to_bytes((size.bit_length() + 7) // 8, "little")
    crc = binascii.crc32((text + tail).translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2) ^ 0xFFFFFFFF


def split(text: bytes, os: str | None, problems: list[Text]) -> dict[str, str]:
    known = NAMES.get(os or "", NAMES["linux"] | NAMES["windows"])
    # One name at a time: the marks decide, whatever the content holds.
    _head, *parts = MARK.split(text.decode(errors="replace").translate(CONTROL))
    sections: dict[str, str] = {}
    strange = 0
    for name, content in zip(parts[::2], parts[1::2], strict=True):
        if name not in known:
            strange += 1
        elif name in sections:
            problems.append(_("section %(name)s came twice: the first is kept", name=name))
        else:
            if len(content) > MAX_SECTION:
                told = _(
                    "section %(name)s was cut at %(most)s characters", name=name, most=MAX_SECTION
                )
                problems.append(told)
            sections[name] = content[:MAX_SECTION].rstrip("\n")
    if strange:
        problems.append(_("%(count)s sections with unknown names were left out", count=strange))
    if not sections:
        problems.append(_("no section could be read"))
    return sections
