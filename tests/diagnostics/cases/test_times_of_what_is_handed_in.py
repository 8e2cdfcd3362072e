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
    assert tuple(map(str, found.problems)) == (
        "times without a zone were read as +0800, which is a guess",
    )


def test_what_fits_in_no_zone_is_not_blamed():
    assert read("17:02", "UTC").guest.verdict.kind == "none"


TERMINAL = """\
$ last -x -F | head
reboot   system boot  5.10.134 Fri Nov 20 10:33:10 2026   still running
shutdown system down  5.10.134 Fri Nov 20 10:31:05 2026 - Fri Nov 20 10:33:10 2026  (00:02)
reboot   system boot  5.10.134 Mon Nov  2 08:00:00 2026 - Fri Nov 20 10:31:05 2026 (18+02:31)
$ journalctl --list-boots
 -1 cb9e4232cee64287a4083a682f54131d Mon 2026-11-02 08:00:01 CST Fri 2026-11-20 10:31:04 CST
  0 a5e52a70b4d140c3a2ae20b4f3f6cd28 Fri 2026-11-20 10:33:12 CST Fri 2026-11-20 13:01:01 CST
"""


def test_a_pasted_terminal_tells_when_it_came_up_and_in_what_zone():
    came = datetime(2026, 11, 21, tzinfo=UTC)
    piece = Handed("upload-1", kinds.TEXT, "pasted text", TERMINAL.encode(), came)
    found = reading.read({}, "linux", WINDOW, [piece])  # the case is in UTC, the machine is not
    assert found.boot.at == datetime(2026, 11, 20, 2, 33, 12, tzinfo=UTC)
    assert found.earlier_boots[0].end == datetime(2026, 11, 20, 2, 31, 4, tzinfo=UTC)
    assert (found.guest.verdict.kind, found.guest.verdict.subkind) == ("normal_reboot", "reboot")
    assert found.guest.at == datetime(2026, 11, 20, 2, 31, 5, tzinfo=UTC) and not found.problems


def test_a_line_that_names_its_zone_speaks_for_the_others():
    zoned = b"2026-11-20T09:00:00+0800 web sshd[1]: hello\n"
    body = zoned + PANIC.format(time="10:31").encode()
    came = datetime(2026, 11, 21, tzinfo=UTC)
    piece = Handed("upload-1", kinds.MESSAGES, "messages", body, came)
    found = reading.read({}, "linux", WINDOW, [piece])
    assert found.guest.verdict.confidence == Confidence.CERTAIN and not found.problems
