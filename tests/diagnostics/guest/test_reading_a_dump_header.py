"""The first 8 KB of a dump name the bugcheck, or say why they cannot."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.readers import dump_header

from .fuzzing import fuzz
from .windows_answers import dump, filetime

CRASHED = datetime(2026, 11, 20, 2, 31, 5, tzinfo=UTC)


@pytest.mark.parametrize("bits, machine", [(64, "x64"), (32, "x86")])
def test_both_widths_name_code_parameters_and_time(bits, machine):
    read = dump_header.read(dump(0xD1, (16, 2, 0, 0xF80), at=filetime(CRASHED), bits=bits))
    assert (read.problem, read.bits, read.machine, read.build) == ("", bits, machine, 17763)
    assert (read.code, read.parameters) == (0xD1, (16, 2, 0, 0xF80))
    assert read.crashed_at == CRASHED
    assert read.uptime == timedelta(hours=1)


@pytest.mark.parametrize("number, word", [(1, "complete"), (2, "kernel"), (4, "small")])
def test_the_kind_of_dump_is_named(number, word):
    assert dump_header.read(dump(0xD1, kind=number)).type == word


def test_a_field_that_windows_did_not_set_is_none():
    assert dump_header.read(dump(0xD1)).crashed_at is None
    assert dump_header.read(dump(0x45474150)).problem == "the dump's header holds no bugcheck"


@pytest.mark.parametrize(
    "first, problem",
    [
        (b"", "no Windows crash dump"),
        (b"\x7fELF" + bytes(8188), "no Windows crash dump"),
        (b"MDMP" + bytes(8188), "a dump of one program, not of the system"),
        (b"PAGE" * 2048, "the dump was begun and not finished"),
        (dump(0xD1)[:4000], "only a part of the dump's header was read"),
        (dump(0x5454414D), "memory was copied by an imaging tool: no crash"),
        (dump(0x4D415454), "memory was copied by an imaging tool: no crash"),
    ],
)
def test_what_is_no_crash_is_never_read_as_one(first, problem):
    read = dump_header.read(first)
    assert (read.problem, read.code) == (problem, None)


@fuzz()
@given(st.binary(max_size=300), st.integers(0, 0x2000), st.sampled_from([32, 64]))
def test_no_bytes_break_the_reader(noise, at, bits):
    first = bytearray(dump(0xD1, at=filetime(CRASHED), bits=bits))
    first[at : at + len(noise)] = noise
    dump_header.read(bytes(first))
    dump_header.read(bytes(noise))
