"""Whatever people hand in: read, refused with words, or nothing; never an error, never a new blame.

Cut, shuffled, interleaved, re-encoded, packed, spoilt.
"""

import gzip
import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from diagnostics import reading
from diagnostics.readers import kinds, unpacking
from diagnostics.readers.unpacking import Refused
from diagnostics.reading import Handed
from tests.diagnostics import evtx_file
from tests.diagnostics.cases.test_handing_evidence_in import PANIC, crash
from tests.diagnostics.guest import windows_answers
from tests.diagnostics.guest.fuzzing import fuzz
from tests.diagnostics.guest.test_reading_printed_windows_events import PRINTS
from tests.diagnostics.guest.test_telling_what_evidence_is import EXPORT, SYSLOG

MOST = 4 << 20
QUIET = SYSLOG * 30
SEEDS = [
    PANIC,
    QUIET,
    EXPORT,
    windows_answers.sealed({"events": crash()}),
    windows_answers.dump(0xD1),
    evtx_file.log(crash()),
    *(text.encode() for text in PRINTS.values()),
]
NAMES = ["paste", "vmcore-dmesg.txt", "System.evtx", "messages.gz", "../../x", "", "a\0b", "日志"]
CRASHES = {"kernel_panic", "bugcheck"}


def spoilt(random, body: bytes) -> bytes:
    """The same, cut, mixed with itself, or with some bytes changed."""
    way = random.randrange(6)
    lines = body.splitlines(keepends=True)
    if way == 0:
        start = random.randrange(len(body))
        return body[start : start + random.randint(1, len(body))]
    if way == 1:
        random.shuffle(lines)
        return b"".join(lines)
    if way == 2:
        changed = bytearray(body)
        for _n in range(random.randrange(1, 40)):
            changed[random.randrange(len(changed))] = random.randrange(256)
        return bytes(changed)
    if way == 3:
        return body * random.randrange(1, 4)
    if way == 4:
        return b"".join(line[: random.randrange(len(line) + 1)] + b"\r\n" for line in lines)
    return body


def coded(random, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    name = random.choice(["utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "latin-1", ""])
    return text.encode(name, "replace") if name else body


def packed(random, body: bytes) -> bytes:
    way = random.randrange(5)
    if way == 0:
        return gzip.compress(body, 1)
    if way == 1:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("../logs/messages.gz", gzip.compress(body, 1))
            archive.writestr("x", body)
        return made.getvalue()
    return body


def read(name: str, body: bytes, os: str):
    """The reading, or None where it is refused; refusals have words."""
    try:
        pieces = unpacking.unpacked(name, body, MOST)
    except Refused as refused:
        assert str(refused)
        return None
    fit = [piece for piece in pieces if kinds.why_not(piece.body) is None]
    handed = [
        Handed(f"upload-{n}", kinds.recognised(piece.name, piece.body), piece.name, piece.body)
        for n, piece in enumerate(fit)
    ]
    assert all("/" not in piece.name and "\0" not in piece.name for piece in fit)
    assert all(piece.kind in kinds.LABELS for piece in handed)
    return reading.read({}, os, None, handed) if handed else None


@fuzz(2500)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from(SEEDS),
    st.sampled_from(NAMES),
    st.sampled_from(["linux", "windows", ""]),
)
def test_spoilt_evidence_is_read_or_refused(random, seed, name, os):
    body = coded(random, spoilt(random, seed))
    if random.random() < 0.3:
        body = spoilt(random, packed(random, body) or b"x")
    else:
        body = packed(random, body)
    found = read(name, body, os)
    if found is not None and found.guest:
        assert not found.guest.broken


@fuzz(2000)
@given(st.randoms(use_true_random=False), st.sampled_from(NAMES))
def test_quiet_evidence_blames_nobody_however_it_is_spoilt(random, name):
    found = read(name, packed(random, coded(random, spoilt(random, QUIET))), "linux")
    assert found is None or found.guest is None or found.guest.verdict.kind not in CRASHES


@fuzz(2500)
@given(st.binary(max_size=3000), st.sampled_from(NAMES), st.sampled_from(["", "windows"]))
def test_noise_is_read_or_refused(body, name, os):
    found = read(name, body, os)
    assert found is None or found.guest is None or found.guest.verdict.kind not in CRASHES
