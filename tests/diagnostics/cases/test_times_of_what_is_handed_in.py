"""Lines without a zone: the zone of the case is meant first, and no guess makes a blame certain."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from diagnostics import reading
from diagnostics.findings import Confidence, Window
from diagnostics.readers import kinds
from diagnostics.reading import Handed

AT = datetime(2026, 11, 20, 2, 31, tzinfo=UTC)
WINDOW = Window(AT - timedelta(minutes=15), AT + timedelta(minutes=15))
PANIC = """\
Nov 20 {time}:01 web kernel: [  900.100001] BUG: kernel NULL pointer dereference, address: 00000018
Nov 20 {time}:01 web kernel: [  900.100001] RIP: 0010:nvme_queue_rq+0x2a/0x8c0 [nvme]
Nov 20 {time}:02 web kernel: [  900.200002] Kernel panic - not syncing: Fatal exception
"""


def read(time: str, zone: str):
    body = PANIC.format(time=time).encode()
    came = datetime(2026, 11, 21, tzinfo=UTC)
    piece = Handed("upload-1", kinds.MESSAGES, "messages", body, came)
    return reading.read({}, "linux", WINDOW, [piece], ZoneInfo(zone))


@pytest.mark.parametrize(("time", "zone"), [("02:31", "UTC"), ("10:31", "Asia/Shanghai")])
def test_the_zone_of_the_case_is_meant(time, zone):
    found = read(time, zone)
    assert found.guest.verdict.kind == "kernel_panic"
    assert found.guest.verdict.confidence == Confidence.CERTAIN
    assert found.guest.at == datetime(2026, 11, 20, 2, 31, 2, tzinfo=UTC) and not found.problems


def test_what_only_another_zone_brings_into_the_window_is_possible_and_said_to_be_a_guess():
    found = read("10:31", "UTC")
    assert found.guest.verdict.kind == "kernel_panic"
    assert found.guest.verdict.confidence == Confidence.POSSIBLE
    assert found.problems == ("times without a zone were read as +0800, which is a guess",)


def test_what_fits_in_no_zone_is_not_blamed():
    assert read("17:02", "UTC").guest.verdict.kind == "none"
