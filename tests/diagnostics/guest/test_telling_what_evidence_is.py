"""A piece of evidence is recognised by its content, then by its name, in any encoding."""

import struct

import pytest

from diagnostics import reading
from diagnostics.readers import encodings, journal_export, kinds
from diagnostics.reading import Handed
from tests.diagnostics import evtx_file
from tests.diagnostics.guest import windows_answers
from tests.diagnostics.guest.windows_log import Log

EVENT = {"id": 6005, "provider": "EventLog", "channel": "System", "record_id": 1, "data": {}}
EVENT["time"] = "2026-11-20T02:00:00Z"
START = b"[ 0.000000] Linux version 5.10.134-16.al8.x86_64 #1 SMP\n"
SYSLOG = b"Nov 20 02:00:00 web01 systemd[1]: Started Session 12 of user root.\n"


def entry(message: bytes, **fields: str) -> bytes:
    lines = [b"__CURSOR=s=1", b"__REALTIME_TIMESTAMP=1795141981000000", b"_HOSTNAME=web01"]
    lines += [f"{name}={value}".encode() for name, value in fields.items()]
    if b"\n" in message:
        return b"\n".join([*lines, b"MESSAGE"]) + b"\n" + struct.pack("<Q", len(message)) + message
    return b"\n".join([*lines, b"MESSAGE=" + message])


EXPORT = entry(b"Linux version 5.10", _TRANSPORT="kernel") + b"\n\n"
EXPORT += entry(b"two\nlines", SYSLOG_IDENTIFIER="app", _PID="7") + b"\n\n"


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("vmcore-dmesg.txt", b"[ 1.0] x\n", kinds.VMCORE),
        ("dmesg.202611200231", b"[ 1.0] x\n", kinds.VMCORE),
        ("console.log", b"[ 1.0] x\n", kinds.CONSOLE),
        ("dmesg.txt", START, kinds.DMESG),
        ("dmesg.txt", START + b"[ 1.0] x\n" + START, kinds.CONSOLE),  # of more than one boot
        ("vmcore-dmesg.txt", START + b"[ 1.0] x\n" + START, kinds.CONSOLE),
        ("journal-b-1.txt", SYSLOG, kinds.JOURNAL_PREVIOUS),
        ("journal.txt", SYSLOG, kinds.JOURNAL),
        ("paste", b"-- Logs begin at Mon --\n" + SYSLOG, kinds.JOURNAL),
        ("paste", SYSLOG, kinds.MESSAGES),
        ("messages-20261120", SYSLOG, kinds.MESSAGES),
        ("paste", b"[ 1.0] x\n", kinds.TEXT),
        ("paste", EXPORT, kinds.JOURNAL),
        ("messages", evtx_file.log(Log().events), kinds.EVENT_LOG),  # content before name
        ("MEMORY.DMP", windows_answers.dump(0xD1), kinds.DUMP),
        ("paste", b"$ sh collect.sh\n" + windows_answers.sealed({"events": []}), kinds.BUNDLE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_recognised(name, body, kind):
    assert kinds.why_not(body) is None
    assert kinds.recognised(name, body) == kind


def test_a_bundle_is_recognised_in_the_encoding_of_powershells_tee():
    body = windows_answers.sealed({"events": []}).decode().encode("utf-16")
    assert kinds.recognised("ecs-case-1.txt", body) == kinds.BUNDLE
    piece = Handed("upload-1", kinds.BUNDLE, "ecs-case-1.txt", body)
    found = reading.read({}, "windows", None, [piece])
    assert found.complete and found.state is not None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_texts_are_read_in_whatever_encoding_they_are(encoding):
    text = "系统日志 02:00 kernel: panic – été\n" * 20 + "plain ascii line\n" * 200
    assert encodings.is_text(text.encode(encoding))
    assert encodings.decoded(text.encode(encoding)).text.replace("\ufeff", "") == text


def test_a_mixture_of_encodings_is_read_line_by_line():
    found = encodings.decoded("一行\n".encode() + "二行\n".encode("gbk") + b"\xff\xfe broken\n")
    assert found.text.startswith("一行\n二行\n") and "broken" in found.text
    assert found.encoding == "mixed"


def test_the_nuls_of_a_lost_write_are_no_reason_to_refuse_a_log():
    body = SYSLOG * 3 + bytes(40_000) + SYSLOG
    assert encodings.is_text(body)
    assert encodings.decoded(body).text == (SYSLOG * 4).decode()


def test_a_journal_export_reads_like_the_journal():
    assert journal_export.read(EXPORT).splitlines() == [
        "2026-11-20T02:33:01.000000+00:00 web01 kernel: Linux version 5.10",
        "2026-11-20T02:33:01.000000+00:00 web01 app[7]: two",
        "2026-11-20T02:33:01.000000+00:00 web01 app[7]: lines",
    ]
    for cut in range(0, len(EXPORT), 7):
        journal_export.read(EXPORT[:cut])


def test_what_is_of_another_system_is_left_aside_and_named():
    log = Handed("upload-1", kinds.EVENT_LOG, "System.evtx", evtx_file.log([EVENT]))
    found = reading.read({}, "linux", None, [log])
    assert found.guest is None
    assert tuple(map(str, found.problems)) == (
        "System.evtx: not read, it is not of a Linux machine",
    )


def test_the_newest_whole_output_of_the_script_counts_and_the_others_are_named():
    whole = windows_answers.sealed({"events": [EVENT], "system": {"hostname": "WEB01"}})
    cut = whole[: len(whole) // 2] + b"\r\n"
    pieces = [
        Handed("upload-1", kinds.BUNDLE, "first.txt", whole),
        Handed("upload-2", kinds.BUNDLE, "second.txt", whole),
    ]
    found = reading.read({"guest_output": cut}, "windows", None, pieces)
    assert found.complete and found.state.hostname == "WEB01"
    assert len(found.problems) == 1 and str(found.problems[0]).startswith("first.txt: not read")
    assert reading.read({}, "linux", None, pieces).guest is None  # of another system
