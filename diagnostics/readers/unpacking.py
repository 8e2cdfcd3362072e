"""What a person uploaded, taken out of gzip and zip: a few named files, within limits.

Whatever an archive says of itself is not believed: output is counted as it comes and unpacking
stops at the limit. Names inside are labels, never paths.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ..wording import Text
from ..wording import say as _

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
END_OF_ZIP, END_OF_ZIP64 = b"PK\x05\x06", b"PK\x06\x07"
DEEPEST = 2  # a gzip in a zip, no more
MOST_MEMBERS = 50
MOST_STREAMS = 1000  # of one gzip: logs are appended to, bombs too
MOST_NAMES = 1 << 20  # bytes of a zip's table of contents
STEP = 1 << 18
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class Refused(Exception):
    """It is not taken. `text` says why and what is allowed."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@dataclass(frozen=True, slots=True)
class Piece:
    """One file as it was before somebody packed it. `cut`: the packed one ended too early."""

    name: str
    body: bytes
    cut: bool = False


def unpacked(name: str, body: bytes, most: int) -> list[Piece]:
    """The files in `body`, or itself. Raises Refused where together they exceed `most` bytes, are
    packed too often, encrypted, damaged, or nothing at all."""
    room = Room(most)
    pieces = list(_pieces(label(name), body, room, 0))
    if not pieces:
        raise Refused(_("%(name)s holds no file.", name=label(name)))
    return pieces


def label(name: str) -> str:
    """A file's own name for people to read, without the way to it."""
    last = re.split(r"[/\\]", name)[-1]
    return UNSEEN.sub("", last).strip()[:120] or "unnamed"


@dataclass(slots=True)
class Room:
    """How much may still come out."""

    most: int
    used: int = 0
    members: int = 0

    def take(self, name: str, part: bytes) -> bytes:
        self.used += len(part)
        if self.used > self.most:
            raise Refused(
                _(
                    "%(name)s unpacks to more than %(most)s MB. Hand in the part around the time in"
                    " question.",
                    name=name,
                    most=self.most >> 20,
                )
            )
        return part


def _pieces(name: str, body: bytes, room: Room, depth: int) -> Iterator[Piece]:
    packed = body.startswith(GZIP) or body.startswith(ZIP) or _empty_zip(body)
    if packed and depth >= DEEPEST:
        raise Refused(
            _("%(name)s is packed more than twice; unpack it once and try again.", name=name)
        )
    if body.startswith(GZIP):
        inner, cut = _gunzipped(name, body, room)
        for piece in _pieces(re.sub(r"(?i)\.gz$", "", name) or name, inner, room, depth + 1):
            yield Piece(piece.name, piece.body, piece.cut or cut)
    elif packed:
        yield from _unzipped(name, body, room, depth)
    else:
        yield Piece(name, body)


def _gunzipped(name: str, body: bytes, room: Room) -> tuple[bytes, bool]:
    """As much as unpacks, and whether that is less than was packed."""
    out, rest, streams = bytearray(), memoryview(body), 0
    while rest[:2] == GZIP and streams < MOST_STREAMS:
        stream, streams, fed = zlib.decompressobj(31), streams + 1, 0
        try:
            while fed < len(rest) and not stream.eof:
                part = bytes(rest[fed : fed + STEP])
                fed += len(part)
                while part and not stream.eof:
                    out += room.take(name, stream.decompress(part, STEP))
                    part = stream.unconsumed_tail
        except zlib.error:
            if not out:
                raise Refused(_("%(name)s is a damaged gzip file.", name=name)) from None
            return bytes(out), True
        if not stream.eof:
            return bytes(out), True
        rest = rest[fed - len(stream.unused_data) :]
    return bytes(out), rest[:2] == GZIP


def _empty_zip(body: bytes) -> bool:
    return body.startswith(END_OF_ZIP)


def _unzipped(name: str, body: bytes, room: Room, depth: int) -> Iterator[Piece]:
    _contents_fit(name, body)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    yield from _member(name, archive, member, room, depth)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error):
        raise Refused(_("%(name)s is a damaged zip file.", name=name)) from None
    except (NotImplementedError, RuntimeError):
        raise Refused(_method(name)) from None


def _contents_fit(name: str, body: bytes) -> None:
    """A table of contents can be the bomb: look at its size before anything reads it."""
    at = body.rfind(END_OF_ZIP, max(0, len(body) - 65_557))
    if at < 0 or len(body) < at + 22:
        raise Refused(_("%(name)s is a zip file that was cut off.", name=name))
    entries, size = struct.unpack_from("<HI", body, at + 10)
    if entries > MOST_MEMBERS or size > MOST_NAMES or END_OF_ZIP64 in body[max(0, at - 20) : at]:
        raise Refused(
            _(
                "%(name)s holds more than %(most)s files; pack only those that are needed.",
                name=name,
                most=MOST_MEMBERS,
            )
        )


def _member(
    name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: Room, depth: int
) -> Iterator[Piece]:
    room.members += 1
    if room.members > MOST_MEMBERS:
        raise Refused(_("%(name)s holds more than %(most)s files.", name=name, most=MOST_MEMBERS))
    if member.flag_bits & 1:
        raise Refused(_("%(name)s is encrypted; pack it without a password.", name=name))
    if member.compress_type not in METHODS:
        raise Refused(_method(name))
    own, out = label(member.filename), bytearray()
    with archive.open(member) as stream:
        while part := stream.read(STEP):
            out += room.take(name, part)
    yield from _pieces(own, bytes(out), room, depth + 1)


def _method(name: str) -> Text:
    return _("%(name)s is packed in a way that is not read; use zip (deflate) or gzip.", name=name)
