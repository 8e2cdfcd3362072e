"""Lines of a log without what the loggers put before them.

One message reaches us as a printk line, through syslog, the journal, a serial console, pstore,
a mail. `Line.text` is always what the kernel (or the program) itself said.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

LONGEST = 4000  # characters of one line that are looked at
YEARS = 1e9  # seconds: no kernel ran for so long, its clock was wrong or it is a time of day
KERNEL_TAGS = {"kernel", "klogd", "vmunix", "unix"}
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][0-9A-B])|\x00|#033\[[0-9;]*m")
QUOTED = re.compile(r"^(?:[>|] ?)+(?=\S)|^(?:> ?)+")
LEVEL = re.compile(r"^<\d{1,3}>(?:\d+ (?=\d{4}-))?")
DECODED_LEVEL = re.compile(r"^(?:kern|user|daemon|syslog)\s*:\s*(?:\w+)\s*:\s*")
COLLECTOR = re.compile(r"^- \d{9,10} \d{4}\.\d\d\.\d\d \S+ ")  # of the big machines' archives
PUT_BEFORE = ">|<-kuds"  # with one of these each of the four begins
# "messages-1:" or "syslog:1207:", as grep puts it before a line of a log
FILE = re.compile(
    r"^[\w./~+-]{1,120}:(?:\d{1,9}:)?(?=[A-Z][a-z]{2} [ \d]\d \d\d:|\d{4}-\d\d-\d\d[T ]\d\d:)"
)
ISO = re.compile(
    r"^\[?(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
    r"\s?(Z|[+-]\d\d:?\d\d)?\]?\s+"
)
SYSLOG = re.compile(
    r"^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) (?:(\d{4}) )?"
    r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? "
)
# journalctl -o short-full, short-unix and short-monotonic (behind its stamp); the system log's own
# protocol; /dev/kmsg
FULL = re.compile(
    r"^[A-Z][a-z]{2} (\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? "
    r"([+-]\d\d(?:\d\d)?|[A-Z]{2,5}) (?=\S+ \S+: )"
)
UNIX = re.compile(r"^(\d{10})\.\d{6} (?=\S+ \S+: )")
HOST_TAG = re.compile(r"^([\w.-]+) (kernel|[\w./@-]+(?=\[\d))(?:\[(\d+)\])?: ?")
PROTOCOL = re.compile(r"^(\S+) ([\w./-]+) (?:-|(\d+)) \S+ (?:-|\[[^\]]*\]) ")
KMSG = re.compile(r"^\d{1,4},\d{1,12},(\d{1,15}),[-c+][^;]{0,80};")
TAG = re.compile(r"^(\S*[^\s:]) (?:\S+@\S+ )?([\w./@():+-]+?)(?:\[(\d+)\])?: ?")
BARE_TAG = re.compile(r"^ {0,2}(kernel): ?")
STAMP = re.compile(
    r"\[ *(\d{1,12}\.\d{3,9})(?: <[ \d.]+>|@\d+)? ?\](?:\[ *([TC]\d+) ?\])? ?|"
    r"\(\d+\)\[(\d+\.\d{6})\]|"
    r"\[ *\d+\]\[(\d+\.\d{6})\] ?"
)
# dmesg -T, in the words of its user's language; -H, which counts on from the line above
HUMAN = re.compile(r"\[[^\W\d]{1,8}\.? (\w{1,8})\.? +(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})\] ?")
SINCE = re.compile(r"\[(?: *\+\d{1,9}\.\d{6}|\w{1,8}\.? +\d{1,2} \d\d:\d\d)\] ?")
AGAIN = re.compile(r"(?<=\S)\s*(?=\[ *\d{1,7}\.\d{6}\](?:\[ *[TC]\d+\])? \S)")
ALONE = re.compile(r"\[ *([TC]\d+)\] ?")
CALLER = re.compile(r"^(?:\[ *([TC]\d+)\] ?|\(\d+\)|<\d>)")
_DAY = r"(?:{m}) +(?:[1-9]|1\d|2[0-8])|(?!Feb)(?:{m}) (?:29|30)|(?:Jan|Mar|May|Jul|Aug|Oct|Dec) 31"
_DATE = r"[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?"
# A line that some program other than the kernel surely said. One that fits not may be its too.
PROGRAM = re.compile(
    rf"(?:(?:{_DAY.format(m='|'.join(MONTHS))}) {_TIME}|{_DATE}T{_TIME}(?:Z|[+-]\d\d:\d\d)?) "
    rf"[\w.-]+ (?:[\w.-]+/)*(?!(?:{'|'.join(sorted(KERNEL_TAGS))})\b)[\w.-]+(?:\[\d+\])?: "
)


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    raw: str
    number: int
    stamp: float | None = None  # seconds since boot
    at: datetime | None = None  # wall clock where printed; without zone unless printed
    program: str | None = None  # None: unknown, "kernel", or who said it
    caller: str | None = None  # T123 or C0: who printed, where the kernel says
    pid: str | None = None

    @property
    def by_kernel(self) -> bool:
        return self.program is None or self.program in KERNEL_TAGS

    @property
    def marked(self) -> bool:
        """A logger's mark stands before it: it is a line of a log, not of a terminal."""
        return self.stamp is not None or self.program is not None


def apart(raw: str) -> list[str]:
    """One line, or the several messages that a console or a mail ran together into one."""
    if raw.count("[") < 2 or not STAMP.match(LEVEL.sub("", raw, count=1)):
        return [raw]
    return [part for part in AGAIN.split(raw) if part]


def read(raw: str, number: int = 0) -> Line:
    """One printed line taken apart. Never fails: what is not understood stays in `text`."""
    raw = raw[:LONGEST].rstrip("\r\n")
    text = ESCAPES.sub("", raw) if "\x1b" in raw or "\x00" in raw or "#033" in raw else raw
    text = text.replace("\xa0", " ")  # mail programs' way to keep blanks
    if text[:1] == "{":
        text = _journal_json(text)
    stamp = program = caller = pid = None
    if text[:1] in PUT_BEFORE:
        for pattern in (QUOTED, COLLECTOR, LEVEL, DECODED_LEVEL):
            text = pattern.sub("", text, count=1)
    at, text, by_dmesg = _dated(text)
    if by_dmesg:
        program = "kernel"
    elif at and (found := TAG.match(text) or PROTOCOL.match(text)):
        program, pid, text = found[2].rpartition("/")[2], found[3], text[found.end() :]
    elif found := BARE_TAG.match(text):
        program, text = "kernel", text[found.end() :]
    if program is None or program in KERNEL_TAGS:
        text, stamp, caller, human = _printk(text)
        at = at or human
        if program is None and stamp is not None and (found := HOST_TAG.match(text)):
            program, pid, text = found[2], found[3], text[found.end() :]
    return Line(text, raw, number, stamp, at, program, caller, pid)


def _dated(text: str) -> tuple[datetime | None, str, bool]:
    """The time in front of a line, what stands behind it, and whether dmesg put it there."""
    if found := SYSLOG.match(text):
        return _syslog(found), text[found.end() :], False
    if found := ISO.match(text):
        by_dmesg = len(found[7] or "") == 6 and found[0][19] == "," and ":" in (found[8] or "")
        return _iso(found), text[found.end() :], by_dmesg
    if found := FULL.match(text):
        return _iso(found), text[found.end() :], False
    if found := FILE.match(text):
        return _dated(text[found.end() :])
    if found := UNIX.match(text):
        return datetime.fromtimestamp(int(found[1]), UTC), text[found.end() :], False
    return None, text, False


def _printk(text: str) -> tuple[str, float | None, str | None, datetime | None]:
    """The message behind printk's own stamp, which may stand behind a prompt on a console."""
    text = LEVEL.sub("", text, count=1)
    if found := ALONE.match(text):
        return text[found.end() :], None, found[1], None
    if found := STAMP.search(text, 0, 240):
        seconds = float(found[1] or found[3] or found[4])
        stamp = seconds if seconds < YEARS else None
        caller, text = found[2], text[found.end() :]
        if more := CALLER.match(text):
            caller, text = caller or more[1], text[more.end() :]
        return text, stamp, caller, None
    if found := HUMAN.search(text, 0, 120):
        return text[found.end() :], None, None, _human(found)
    if found := KMSG.match(text):
        return text[found.end() :], int(found[1]) / 1e6, None, None
    if found := SINCE.match(text):
        return text[found.end() :], None, None, None
    return text, None, None, None


def _journal_json(text: str) -> str:
    try:
        entry = json.loads(text)
        message = entry["MESSAGE"]
        micros = int(entry.get("__REALTIME_TIMESTAMP", 0))
    except (ValueError, KeyError, TypeError, RecursionError):
        return text
    if not isinstance(message, str) or not 0 < micros < 4e15:
        return text
    when = datetime.fromtimestamp(micros / 1e6, UTC).isoformat()
    who = str(entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or "kernel")
    return f"{when} {entry.get('_HOSTNAME') or 'host'} {who}: {message}"


def _iso(found: re.Match) -> datetime | None:
    return _time(*(int(found[n]) for n in range(1, 7)), zone=_zone(found[8] or ""))


def _zone(said: str) -> timezone | None:
    """UTC or an offset; other names say too little, for CST is two of them."""
    if said in ("Z", "UTC"):
        return UTC
    if said[:1] not in ("+", "-"):
        return None
    digits = said[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset >= timedelta(hours=24):
        return None
    return timezone(-offset if said[0] == "-" else offset)


def _syslog(found: re.Match) -> datetime | None:
    numbers = (int(found[n]) for n in (4, 5, 6))
    year = int(found[3]) if found[3] else 1900  # the line does not say
    return _time(year, MONTHS.index(found[1]) + 1, int(found[2]), *numbers)


def _human(found: re.Match) -> datetime | None:
    numeral = found[1].removesuffix("月")
    if not numeral.isdecimal() and numeral not in MONTHS:
        return None
    month = int(numeral) if numeral.isdecimal() else MONTHS.index(numeral) + 1
    numbers = (int(found[n]) for n in (2, 3, 4, 5))
    return _time(int(found[6]), month, *numbers)


def _time(*numbers: int, zone: timezone | None = None) -> datetime | None:
    try:
        return datetime(*numbers, tzinfo=zone)
    except ValueError:
        return None
