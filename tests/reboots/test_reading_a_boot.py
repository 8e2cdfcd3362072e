"""Only a whole, well-formed answer of the probe counts as a reading."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.reboots.proof import Reading, read
from tests.sizes import examples

BOOT = "0b1f6a3e-9a41-4c0e-8d52-0a6f5d1f3c77"
LINUX = f"boot_id={BOOT}\nbooted=1790000000\nend=1\n"
WINDOWS = "boot_id=20260921T140000.123456Z\r\nbooted=1790000000\r\nend=1\r\n"
AT = datetime.fromtimestamp(1790000000, UTC)


def test_what_linux_prints_is_read():
    assert read(LINUX.encode(), "linux") == Reading(BOOT, AT)


def test_what_windows_prints_is_read():
    assert read(WINDOWS.encode(), "windows") == Reading("20260921T140000.123456Z", AT)


def test_what_others_print_around_it_does_no_harm():
    assert read(f"Welcome!\n{LINUX}bye\n".encode(), "linux") is not None


@pytest.mark.parametrize(
    "output",
    [
        "",
        LINUX.replace("end=1\n", ""),  # cut off
        LINUX.replace("end=1", "end=0"),
        LINUX.replace(BOOT, ""),
        LINUX.replace(BOOT, BOOT[:-1]),
        LINUX.replace(BOOT, BOOT + "0"),
        LINUX.replace(BOOT, "cat: boot_id: No such file"),
        LINUX.replace("booted=1790000000\n", ""),
        LINUX.replace("1790000000", "-5"),
        LINUX.replace("1790000000", "17900000000000"),
        LINUX + f"boot_id={BOOT[::-1]}\n",  # two answers got mixed up
        LINUX * 2,
        WINDOWS,
        "x" * 5000 + LINUX,
    ],
)
def test_anything_else_is_no_reading_of_linux(output):
    assert read(output.encode(), "linux") is None


@pytest.mark.parametrize("output", [LINUX, WINDOWS.replace(".123456Z", "Z"), WINDOWS[:40]])
def test_anything_else_is_no_reading_of_windows(output):
    assert read(output.encode(), "windows") is None


@settings(max_examples=examples(2000), deadline=None)
@given(st.binary(max_size=200), st.integers(0, 100), st.sampled_from(["linux", "windows"]))
def test_no_bytes_break_it(noise, at, os_type):
    read(noise, os_type)
    read(LINUX.encode()[:at] + noise + LINUX.encode()[at:], os_type)
