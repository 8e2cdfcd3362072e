"""What a piece of evidence is, by its own content: the closed list, and how each is recognised."""

from __future__ import annotations

import re

from ..wording import Text
from ..wording import say as _
from . import encodings, event_log, journal_export, windows_print
from .bundle import HEADER

BUNDLE, EVENT_LOG, EVENTS, DUMP = "bundle", "event_log", "events", "dump"
VMCORE, CONSOLE, DMESG, JOURNAL = "vmcore_dmesg", "console", "dmesg", "journal"
JOURNAL_PREVIOUS, MESSAGES, TEXT, UNUSED = "journal_previous", "messages", "text", "unused"

LABELS = {
    BUNDLE: _("output of the collection script"),
    VMCORE: _("kernel log of a crash (vmcore-dmesg, dmesg.*)"),
    CONSOLE: _("serial console"),
    DMESG: _("kernel log of the present boot (dmesg)"),
    JOURNAL: _("journal (journalctl)"),
    JOURNAL_PREVIOUS: _("journal of the boot before (journalctl -b -1)"),
    MESSAGES: _("system log (messages, syslog)"),
    TEXT: _("other Linux log"),
    EVENT_LOG: _("Windows event log (.evtx)"),
    EVENTS: _("Windows events as printed"),
    DUMP: _("Windows crash dump"),
    UNUSED: _("not to be read"),
}
WINDOWS = frozenset({EVENT_LOG, EVENTS, DUMP})
LINUX = frozenset({VMCORE, CONSOLE, DMESG, JOURNAL, JOURNAL_PREVIOUS, MESSAGES, TEXT})
BINARY = frozenset({EVENT_LOG, DUMP})

BY_NAME = (
    (re.compile(r"(?i)vmcore-dmesg|^dmesg\.\d{8}|pstore|dmesg-(?:efi|ramoops|erst)"), VMCORE),
    (re.compile(r"(?i)console|serial|ttyS"), CONSOLE),
    (re.compile(r"(?i)journal.*(?:-1|prev)"), JOURNAL_PREVIOUS),
    (re.compile(r"(?i)journal"), JOURNAL),
    (re.compile(r"(?i)messages|syslog|kern\.log|kern-"), MESSAGES),
    (re.compile(r"(?i)^dmesg"), DMESG),
)
SYSLOG_LINE = re.compile(
    r"^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ \S+:", re.M
)
JOURNAL_MARK = re.compile(r"^-- (?:Logs begin|Journal begins|Boot [0-9a-f]{32}|Reboot) ?", re.M)
OF_ONE_BOOT = frozenset({VMCORE, DMESG})
KERNEL_START = re.compile(rb"Linux version \d")
# Things people have at hand that hold no text: what they are, and what to bring instead.
OTHERS: tuple[tuple[bytes, Text], ...] = (
    (b"\x7fELF", _("a memory image (vmcore): bring vmcore-dmesg.txt, which lies beside it")),
    (b"KDUMP   ", _("a memory image (vmcore): bring vmcore-dmesg.txt, which lies beside it")),
    (b"makedumpfile", _("a memory image (vmcore): bring vmcore-dmesg.txt, which lies beside it")),
    (b"LPKSHHRH", _("a journal file: bring what journalctl --file NAME -o short-iso prints")),
    (b"MDMP", _("a dump of one program, not of the system")),
    (b"\xfd7zXZ\x00", _("packed with xz: unpack it, or use gzip or zip")),
    (b"BZh", _("packed with bzip2: unpack it, or use gzip or zip")),
    (b"\x28\xb5\x2f\xfd", _("packed with zstd: unpack it, or use gzip or zip")),
    (b"7z\xbc\xaf", _("packed with 7-Zip: use zip or gzip")),
    (b"Rar!", _("packed with RAR: use zip or gzip")),
    (b"\x89PNG", _("a picture: bring the text")),
    (b"\xff\xd8\xff", _("a picture: bring the text")),
    (b"%PDF", _("a PDF: bring the text")),
)
DUMPS = (b"PAGEDU64", b"PAGEDUMP")
NO_TEXT = _("neither text nor a kind of file that is read here")
EMPTY = _("empty")


def why_not(body: bytes) -> Text | None:
    """Why this cannot be evidence; None if it can."""
    if not body.strip(b"\0 \r\n\t"):
        return EMPTY
    if body.startswith((event_log.MAGIC, *DUMPS)) or journal_export.looks_like(body):
        return None
    if body[257:262] == b"ustar":
        return _("a tar archive: pack the files with zip, or each with gzip")
    for magic, why in OTHERS:
        if body.startswith(magic):
            return why
    return None if encodings.is_text(body) else NO_TEXT


def recognised(name: str, body: bytes) -> str:
    """The kind of a piece that `why_not` lets through: its content decides before its name."""
    if body.startswith(event_log.MAGIC):
        return EVENT_LOG
    if body.startswith(DUMPS):
        return DUMP
    if journal_export.looks_like(body):
        return JOURNAL
    start = encodings.decoded(body[: encodings.SAMPLE]).text
    if HEADER.search(start.replace("\r", "\n").encode()) or _holds_bundle(body):
        return BUNDLE
    if windows_print.looks_like(start):
        return EVENTS
    named = _by_name(name)
    if named in OF_ONE_BOOT and len(KERNEL_START.findall(body)) > 1:
        return CONSOLE  # whatever it is called
    return named or _by_lines(start)


def _holds_bundle(body: bytes) -> bool:
    """People paste the prompt and what went before, too."""
    return b"#ecs-bundle " in body[:1_000_000] or b"#ecs-end bytes=" in body[-4096:]


def _by_name(name: str) -> str:
    return next((kind for pattern, kind in BY_NAME if pattern.search(name)), "")


def _by_lines(start: str) -> str:
    if JOURNAL_MARK.search(start):
        return JOURNAL
    if SYSLOG_LINE.search(start):
        return MESSAGES
    return TEXT
