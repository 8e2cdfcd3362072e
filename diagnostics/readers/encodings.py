"""Bytes that a person brought as text, whatever wrote them: UTF-8, UTF-16, GBK, or a mixture."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
SAMPLE = 1 << 16
LONGEST = 8000  # characters of one line
STRAY = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # no log prints these
MOST_STRAY = 0.02  # share of such bytes from which it is no text
MOST_WRONG = 0.2  # share of bytes that are neither UTF-8 nor GBK


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str  # "mixed": some lines in one, some in the other


def is_text(body: bytes) -> bool:
    """Whether people could read it. Runs of NUL are no reason against: a file system leaves them
    where a machine lost power while it wrote its log."""
    for start in sorted({0, max(0, len(body) // 2), max(0, len(body) - SAMPLE)}):
        part = body[start : start + SAMPLE]
        if wide(part) or part.startswith(tuple(MARKS)):
            continue
        told = part.replace(b"\0", b"")
        if not told:
            continue
        if len(STRAY.findall(told)) > MOST_STRAY * len(told) or wrong(told) > MOST_WRONG:
            return False
    return bool(body.strip(b"\0 \r\n\t"))


def decoded(body: bytes) -> Decoded:
    """The text, with NULs left out and what no encoding explains replaced. Never raises."""
    for mark, name in MARKS.items():
        if body.startswith(mark):
            return Decoded(clean(body[len(mark) :].decode(name, "replace")), name)
    if name := wide(body[:SAMPLE]):
        return Decoded(clean(body.decode(name, "replace")), name)
    try:
        return Decoded(clean(body.decode("utf-8")), "utf-8")
    except UnicodeDecodeError:
        return by_line(body)


def by_line(body: bytes) -> Decoded:
    """Consoles and clipboards mix: each line is read in whatever encoding explains it."""
    parts, used = [], set()
    for block in _blocks(body):
        try:
            parts.append(block.decode("utf-8"))
            used |= set() if block.isascii() else {"utf-8"}
        except UnicodeDecodeError:
            lines = [_line(line) for line in block.split(b"\n")]
            parts.append("\n".join(text for text, _name in lines))
            used |= {name for _text, name in lines if name}
    return Decoded(clean("".join(parts)), used.pop() if len(used) == 1 else "mixed")


def _blocks(body: bytes) -> Iterator[bytes]:
    """Some thousand lines at a time, so that a file of newlines is no million of objects."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + SAMPLE) + 1 or len(body)
        yield body[start:end]
        start = end


def _line(line: bytes) -> tuple[str, str]:
    for name in ("utf-8", "gb18030"):
        try:
            return line.decode(name), "" if line.isascii() else name
        except UnicodeDecodeError:
            continue
    return line.decode("utf-8", "replace"), "utf-8"


def each_line(text: str) -> Iterator[str]:
    """The lines of a text one by one; of a very long one its beginning."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start : min(end, start + LONGEST)].rstrip("\r")
        start = end + 1


def wide(part: bytes) -> str:
    """The UTF-16 that a text without a mark is in; "" if in none: every second byte is NUL."""
    part = part[: len(part) // 2 * 2]
    if len(part) < 4:
        return ""
    low, high = part[::2].count(0), part[1::2].count(0)
    half = len(part) // 2
    if high > 0.4 * half and low < 0.02 * half:
        return "utf-16-le"
    return "utf-16-be" if low > 0.4 * half and high < 0.02 * half else ""


def wrong(part: bytes) -> float:
    """Share of bytes that are neither UTF-8 nor GBK; the edges of a sample do not count."""
    shares = []
    for name in ("utf-8", "gb18030"):
        lost = part.decode(name, "replace").count("\N{REPLACEMENT CHARACTER}")
        shares.append(max(0, lost - 4) / len(part))
    return min(shares)


def clean(text: str) -> str:
    return text.replace("\0", "")
