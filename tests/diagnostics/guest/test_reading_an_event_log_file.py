"""A System.evtx, as a person copies it from the machine, is read like the script's answer."""

import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.analyzers import windows
from diagnostics.readers import event_log
from tests.diagnostics import evtx_file
from tests.diagnostics.guest.fuzzing import fuzz
from tests.diagnostics.guest.windows_log import Log

ROOT = Path(__file__).parents[3]
CORPUS = Path(os.environ.get("PORTAL_CORPUS", ROOT.parent / "shared" / "corpus"))
SAMPLE = CORPUS / "windows" / "System-sample.evtx"


def crashed() -> Log:
    log = Log()
    log.started(0)
    log.crash(60, code=0xD1, parameters=("0x10", "0x2", "0x0", "0xfffff80012345678"))
    log.blue(64, 0xD1)
    return log


def test_the_file_tells_what_the_machine_would_have_told():
    log = crashed()
    found = event_log.read(evtx_file.log(log.events, a_chunk=3))
    assert found.problems == () and found.records == len(log.events)
    assert windows.judge({"events": list(found.events)}).verdict == (
        windows.judge(log.record()).verdict
    )
    assert windows.judge({"events": list(found.events)}).verdict.bugcheck_code == "0xD1"


def test_only_events_that_a_diagnosis_looks_at_are_kept():
    log = crashed()
    wanted = len(log.events)
    log.say(65, 7036, "Service Control Manager", param1="Print Spooler")
    log.say(66, 41, "Some-Other-Provider", BugcheckCode="9")  # the id alone is not enough
    found = event_log.read(evtx_file.log(log.events))
    assert found.records == wanted + 2 and len(found.events) == wanted


def test_a_lost_chunk_is_named_and_the_others_are_read():
    log = crashed()
    whole = bytearray(evtx_file.log(log.events, a_chunk=2))
    second = evtx_file.HEADER + evtx_file.CHUNK
    whole[second : second + evtx_file.CHUNK] = bytes(evtx_file.CHUNK)
    found = event_log.read(bytes(whole))
    assert len(found.events) == len(log.events) - 2
    assert tuple(map(str, found.problems)) == (
        "2 records are missing between the first and the last",
    )


def test_a_log_in_use_with_an_old_header_and_wrong_sums_is_read_to_its_end():
    log = crashed()
    whole = bytearray(evtx_file.log(log.events, a_chunk=2))
    struct.pack_into("<H", whole, 42, 1)  # the header knows one chunk
    whole[120] = 1  # "not closed"
    whole[evtx_file.HEADER + 52] ^= 0xFF  # sum of the first chunk's records
    assert len(event_log.read(bytes(whole)).events) == len(log.events)


@pytest.mark.parametrize(
    "body",
    [b"", b"no log", b"ElfFile\0", evtx_file.header(0, 1), evtx_file.log(crashed().events)[:5000]],
    ids=["empty", "text", "magic", "no chunk", "cut"],
)
def test_what_is_no_log_says_so(body):
    found = event_log.read(body)
    assert not found.events and found.problems


def deep(levels: int) -> bytes:
    """Elements within elements."""
    made = bytearray(evtx_file.FIRST)
    start = len(made)
    made += struct.pack("<IIQQ", 0x2A2A, 0, 1, 0) + b"\x0f\x01\x01\x00\x01\0\0\0\0"
    evtx_file.named(made, "a")
    name = start + 24 + 4 + 5
    for _level in range(levels):
        made += b"\x02\x01" + bytes(4) + struct.pack("<I", name)
    size = len(made) - start + 4
    struct.pack_into("<I", made, start + 4, size)
    made += struct.pack("<I", size)
    struct.pack_into("<8sQQQQIII", made, 0, b"ElfChnk\0", 1, 1, 1, 1, 128, start, len(made))
    return evtx_file.header(1, 2) + evtx_file.summed(bytes(made).ljust(evtx_file.CHUNK, b"\0"))


def test_elements_without_end_are_no_end_of_ours():
    found = event_log.read(deep(6000))
    assert not found.events and found.problems


def test_names_that_lead_back_to_themselves_are_no_end_of_ours():
    whole = bytearray(evtx_file.log(crashed().events))
    at = evtx_file.HEADER + evtx_file.FIRST + 24 + 4 + 1 + 4 + 4  # the first name's "next"
    struct.pack_into("<I", whole, at, at - evtx_file.HEADER)
    for slot in range(64):  # and every list of names and templates begins there
        struct.pack_into("<I", whole, evtx_file.HEADER + 128 + 4 * slot, at - evtx_file.HEADER)
    for slot in range(32):
        struct.pack_into("<I", whole, evtx_file.HEADER + 384 + 4 * slot, at - evtx_file.HEADER)
    event_log.read(bytes(whole))


def test_a_reader_that_dies_or_hangs_is_a_damaged_file_and_no_more(monkeypatch, tmp_path):
    child = tmp_path / "child.py"
    monkeypatch.setattr(event_log, "CHILD", child)
    child.write_text("print('{\"Event\": {', flush=True); import os; os.abort()")
    assert tuple(map(str, event_log.read(b"").problems)) == (
        "the log is damaged: reading it broke off",
    )
    monkeypatch.setattr(event_log, "SECONDS", 0.5)
    child.write_text("import time; time.sleep(60)")
    assert "stopped" in str(event_log.read(b"").problems[0])


def test_the_reader_may_not_take_the_memory_of_the_host(monkeypatch, tmp_path):
    child = tmp_path / "child.py"
    monkeypatch.setattr(event_log, "CHILD", child)
    folder = str(Path(event_log.__file__).parent)
    child.write_text(
        f"import sys; sys.path.insert(0, {folder!r})\n"
        "import event_log_child as child; child.limit(); b'x' * (2 << 30)"
    )
    assert tuple(map(str, event_log.read(b"").problems)) == (
        "the log is damaged: reading it broke off",
    )


@fuzz(300)
@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_no_change_to_a_log_breaks_the_reader(random, changes):
    body = bytearray(evtx_file.log(crashed().events, a_chunk=6))
    for _change in range(changes):
        body[random.randrange(len(body) if random.random() < 0.1 else 9000)] = random.randrange(256)
    chunks = [bytes(body[at : at + evtx_file.CHUNK]) for at in range(4096, len(body), 65536)]
    found = event_log.read(bytes(body[:4096]) + b"".join(map(evtx_file.summed, chunks)))
    windows.judge({"events": list(found.events)})


@pytest.mark.skipif(not SAMPLE.exists(), reason=f"no {SAMPLE}")
def test_a_real_log_is_read_whole():
    found = event_log.read(SAMPLE.read_bytes())
    assert found.records == 1160  # as many as its chunks say
    boots = [e for e in found.events if e["id"] == 12 and "Kernel-General" in e["provider"]]
    assert [boot["time"][:16] for boot in boots] == [
        "2018-07-06T18:37",
        "2018-07-06T18:40",
        "2018-07-12T00:41",
    ]
    verdict = windows.judge({"events": list(found.events)}).verdict
    assert verdict.kind == "planned_update" and not verdict.crashed


def test_reading_runs_beside_the_portal_and_not_in_it():
    event_log.read(evtx_file.log(crashed().events))
    assert "evtx" not in sys.modules
