"""A sealed answer of a Windows machine becomes its record and state; hostile ones break nothing."""

import json
import random
import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.readers import bundle, windows_fields, windows_record, windows_state

from .fuzzing import SEED, fuzz
from .windows_answers import dump, filetime, header, sealed

CRASHED = datetime(2026, 11, 20, 2, 31, 5, tzinfo=UTC)
RECORD = {
    "system": {
        "hostname": "WINWEB01",
        "os": "Microsoft Windows Server 2019 Datacenter",
        "now": "2026-11-20T05:00:00.000Z",
        "last_boot": "2026-11-20T02:33:00.000Z",
        "uptime_s": 8820,
        "timezone": "China Standard Time",
        "utc_offset_minutes": 480,
    },
    "crash_control": {"CrashDumpEnabled": 7, "DumpFile": "C:\\Windows\\MEMORY.DMP"},
    "pagefile": {
        "Win32_PageFileUsage": [{"Name": "C:\\pagefile.sys", "AllocatedBaseSize": 4096}],
        "AutomaticManagedPagefile": True,
        "TotalPhysicalMemory": 17179869184,
        "SystemDriveFree": 21474836480,
    },
    "dump_counts": {"minidump": 7, "live": 0},
    "dumps": [
        {
            "path": "C:\\Windows\\MEMORY.DMP",
            "kind": "memory",
            "size": 900000000,
            "modified": "2026-11-20T02:34:00.000Z",
            "header": header(dump(0xD1, at=filetime(CRASHED))),
        }
    ],
    "dump_stack": None,
    "events": [
        {
            "time": "2026-11-20T02:33:20.123456700Z",
            "id": 41,
            "provider": "Microsoft-Windows-Kernel-Power",
            "channel": "System",
            "record_id": 900,
            "data": {"BugcheckCode": "209", "PowerButtonTimestamp": "0"},
        },
        {
            "time": "2026-11-20T02:33:19.5Z",
            "id": 20,
            "provider": "Microsoft-Windows-Kernel-Boot",
            "channel": "System",
            "record_id": 899,
            "data": {"LastShutdownGood": "false"},
        },
    ],
}


def record(value=RECORD, notes=""):
    read = bundle.read(sealed(value, notes))
    assert read.complete and read.os == "windows"
    return windows_record.read(read.sections)


def test_a_sealed_answer_comes_back_with_its_types():
    events = record()["events"]
    assert events[0]["data"] == {"BugcheckCode": 209, "PowerButtonTimestamp": 0}
    assert events[1]["data"] == {"LastShutdownGood": False}


def test_the_state_tells_boot_dump_and_page_file():
    state = windows_state.read(record())
    assert state.last_boot == datetime(2026, 11, 20, 2, 33, tzinfo=UTC)
    assert (state.dump_enabled, state.dump_type) == (7, "Automatic")
    assert state.page_files[0].size == 4096 << 20
    assert state.page_file_fits is True
    assert (state.minidump_count, state.minidumps) == (7, ())
    assert state.reasons == {}


def test_the_header_of_the_dump_comes_through_in_parts():
    found = windows_state.read(record()).memory_dump
    assert (found.header.code, found.header.crashed_at) == (0xD1, CRASHED)


def dumps_with(*headers):
    found = [
        {"path": f"C:\\Windows\\Minidump\\{number}.dmp", "kind": "minidump", "header": given}
        for number, given in enumerate(headers)
    ]
    return windows_state.read(record(RECORD | {"dumps": found})).minidumps


@pytest.mark.parametrize("bits", [32, 64])
def test_a_minidump_tells_code_and_parameters_in_both_widths(bits):
    given = header(dump(0x50, (0xFFFFF000, 0, 0x8052, 2), at=filetime(CRASHED), kind=4, bits=bits))
    (found,) = dumps_with(given)
    read = found.header
    assert (read.code, read.parameters) == (0x50, (0xFFFFF000, 0, 0x8052, 2))
    assert (read.bits, read.type, read.crashed_at) == (bits, "small", CRASHED)


@pytest.mark.parametrize("bits", [32, 64])
def test_a_file_cut_within_its_header_tells_no_time(bits):
    whole = dump(0x50, at=filetime(CRASHED), bits=bits)
    (found,) = dumps_with(header(whole[:2000].ljust(8192, b"\0")))
    assert (found.header.crashed_at, found.header.type) == (None, None)


def test_an_empty_dump_is_no_crash():
    (found,) = dumps_with(header(bytes(8192)))
    assert (found.header.problem, found.header.code) == ("no Windows crash dump", None)


@pytest.mark.parametrize(
    "given",
    [
        {},
        [],
        "QUJD",
        {"0": "QUJD"},
        {"0": "no Base64!", "3840": ""},
        header(dump(0x50)) | {"0": "A" * 10_000},
        {"99999999999": header(dump(0x50))["0"]},
        {"-1": "QUJD"},
    ],
)
def test_a_header_of_another_form_is_none_and_the_dump_stays_listed(given):
    (found,) = dumps_with(given)
    assert (found.header, found.kind) == (None, "minidump")


def test_the_largest_record_without_events_fits_into_a_call():
    chance = random.Random(SEED)
    dense = string.ascii_letters + string.digits + string.punctuation

    def noise(size):
        return "".join(chance.choices(dense, k=size))

    def file(number):
        found = {"path": noise(260), "kind": "minidump", "size": 10**12, "modified": noise(24)}
        return found | ({"header": header(chance.randbytes(8192))} if number < 4 else {})

    largest = RECORD | {
        "system": {name: noise(64) for name in RECORD["system"]},
        "crash_control": {name: noise(260) for name in windows_fields.CRASH_CONTROL},
        "dumps": [file(number) for number in range(11)],
        "dump_stack": noise(2500),
        "events": [],
    }
    notes = "\n".join(noise(220) for _ in range(len(windows_fields.QUERIES) + 6))
    assert len(sealed(largest, notes)) < 24_576, f"FUZZ_SEED={SEED}"


def test_no_page_file_on_the_system_drive_means_no_dump():
    paging = RECORD["pagefile"] | {"Win32_PageFileUsage": []}
    assert windows_state.read(record(RECORD | {"pagefile": paging})).page_file_fits is False


def test_what_could_not_be_asked_is_none_with_the_reason():
    state = windows_state.read(
        record(RECORD | {"crash_control": None, "dumps": None}, "dumps: Access is denied")
    )
    assert (state.dump_enabled, state.dump_type, state.minidumps) == (None, None, None)
    assert state.reasons["dumps"] == "dumps: Access is denied"
    assert state.reasons["crash_control"] == 'the answer holds no "crash_control"'


def test_of_a_cut_record_the_whole_events_are_kept():
    text = json.dumps(RECORD)
    read = windows_record.read({"record": text[: text.index('"id": 20')]})
    assert [event["id"] for event in read["events"]] == [41]
    assert read["gaps"] == ["record: cut; what stood before the cut was read"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*RECORD, "Name", "path", "header", "0", "time", "id", "CrashDumpEnabled"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@fuzz()
@given(st.dictionaries(st.sampled_from(list(RECORD)), anything), st.integers(0, 3000))
def test_no_record_breaks_the_readers(changes, cut):
    text = json.dumps(RECORD | changes)
    for shape in (text, text[:cut]):
        windows_state.read(windows_record.read({"record": shape, "collection": "dumps: x"}))
