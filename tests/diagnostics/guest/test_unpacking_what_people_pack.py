"""Gzip and zip are opened within limits; whatever else they are is refused with the reason."""

import gzip
import io
import struct
import subprocess
import sys
import zipfile

import pytest

from diagnostics.readers.unpacking import Refused, label, unpacked

MB = 1 << 20


def zipped(*files: tuple[str, bytes], method=zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, body in files:
            archive.writestr(name, body)
    return made.getvalue()


def bomb(megabytes: int) -> bytes:
    """So much when unpacked, a thousandth of it before; quick to make, for its parts are alike."""
    return gzip.compress(bytes(MB)) * megabytes


def names(name: str, body: bytes, most: int = MB) -> list[str]:
    return [piece.name for piece in unpacked(name, body, most)]


def test_what_is_not_packed_is_itself():
    (piece,) = unpacked("messages", b"a line\n", MB)
    assert (piece.name, piece.body, piece.cut) == ("messages", b"a line\n", False)


def test_a_gzip_of_several_parts_is_one_file():
    body = gzip.compress(b"one\n") + gzip.compress(b"two\n") + bytes(512)  # tapes pad with NUL
    (piece,) = unpacked("messages.gz", body, MB)
    assert (piece.name, piece.body, piece.cut) == ("messages", b"one\ntwo\n", False)


def test_a_gzip_that_was_cut_gives_what_it_has_and_says_so():
    whole = b"".join(b"%d a line of a log\n" % n for n in range(5000))
    (piece,) = unpacked("messages.gz", gzip.compress(whole)[:-500], MB)
    assert piece.cut and whole.startswith(piece.body) and len(piece.body) > 1000


def test_names_inside_an_archive_are_labels_and_never_ways():
    body = zipped(("../../etc/passwd", b"a"), ("C:\\Windows\\x.log", b"b"), ("/abs/y.log", b"c"))
    assert names("logs.zip", body) == ["passwd", "x.log", "y.log"]
    assert (
        label("a/..") == ".." and label("\u202egpj.exe\n") == "gpj.exe" and label("/") == "unnamed"
    )
    assert len(label("x" * 5000)) <= 120


def test_folders_of_an_archive_hold_nothing():
    assert names("logs.zip", zipped(("var/", b""), ("var/log", b"x"))) == ["log"]


NESTED = zipped(("a.zip", zipped(("b.zip", zipped(("c", b"x"))))))
ENCRYPTED = bytearray(zipped(("a", b"x")))
struct.pack_into("<H", ENCRYPTED, 6, 1)
struct.pack_into("<H", ENCRYPTED, ENCRYPTED.index(b"PK\x01\x02") + 8, 1)
DAMAGED = bytearray(zipped(("a", b"some text" * 500), method=zipfile.ZIP_STORED))
DAMAGED[60] ^= 0xFF


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("bomb.gz", bomb(20), "bomb.gz unpacks to more than 1 MB"),
        ("bomb.zip", zipped(*((str(n), bytes(MB // 2)) for n in range(9))), "more than 1 MB"),
        ("twice.gz", gzip.compress(bomb(20)), "more than 1 MB"),
        ("matryoshka.zip", NESTED, "packed more than twice"),
        ("russian.gz", gzip.compress(gzip.compress(gzip.compress(b"x"))), "more than twice"),
        ("many.zip", zipped(*((str(n), b"x") for n in range(51))), "more than 50 files"),
        ("locked.zip", bytes(ENCRYPTED), "encrypted"),
        ("odd.zip", zipped(("a", b"x"), method=zipfile.ZIP_LZMA), "use zip (deflate) or gzip"),
        ("damaged.zip", bytes(DAMAGED), "damaged zip"),
        ("damaged.gz", b"\x1f\x8b\x08" + b"\xff" * 90, "damaged gzip"),
        ("cut.zip", zipped(("a", b"x" * 900))[:-30], "was cut off"),
        ("none.zip", zipped(), "holds no file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_taken_says_why_and_what_is_allowed(name, body, why):
    with pytest.raises(Refused) as refused:
        unpacked(name, body, MB)
    assert why in str(refused.value)


def test_a_table_of_contents_that_is_the_bomb_is_not_read():
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *[0] * 6, *[0] * 3, *[0] * 5, *[0] * 2)
    table = entry * 400_000
    ending = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 20, 20, len(table), 4, 0)
    with pytest.raises(Refused, match="more than 50 files"):
        unpacked("toc.zip", b"PK\x03\x04" + table + ending, MB)


LIMITED = """
import gzip, resource, sys, time
sys.path.insert(0, {root!r})
from tests.diagnostics.guest.test_unpacking_what_people_pack import bomb
from diagnostics.readers.unpacking import Refused, unpacked
body = bomb(1000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    unpacked("bomb.gz", body, 64 << 20)
except Refused:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_gigabyte_in_a_megabyte_costs_no_more_than_the_limit():
    from tests.stack import ROOT

    code = LIMITED.format(root=str(ROOT))
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert int(told.stdout) < 200_000, told.stderr  # KB, for a limit of 64 MB
