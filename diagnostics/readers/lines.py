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
KERNEL_TAGS = {"kernel", "klogd", "vmunix", "unix"}
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][0-9A-B])|\x00|#033\[[0-9;]*m")
QUOTED = re.compile(r"^(?:[>|] ?)+(?=\S)|^(?:> ?)+")
LEVEL = re.compile(r"^<\d{1,3}>(?:\d+ (?=\d{4}-))?")
DECODED_LEVEL = re.compile(r"^(?:kern|user|daemon|syslog)\s*:\s*(?:\w+)\s*:\s*")
COLLECTOR = re.compile(r"^- \d{9,10} \d{4}\.\d\d\.\d\d \S+ ")  # of the big machines' archives
PUT_BEFORE = ">|<-kuds"  # with one of these each of the four begins
# "name: " that a collector of ours or journalctl --merge puts before a printed line
ISO = re.compile(
    r"^\[?(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
    r"\s?(Z|[+-]\d\d:?\d\d)?\]?\s+"
)
SYSLOG = re.compile(
    r"^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) (?:(\d{4}) )?"
    r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? "
)
TAG = re.compile(r"^(\S+) (?:\S+@\S+ )?([\w./@():+-]+?)(?:\[(\d+)\])?: ?")
BARE_TAG = re.compile(r"^(kernel): ?")
STAMP = re.compile(
    r"\[ *(\d{1,9}\.\d{3,9})\](?:\[ *([TC]\d+)\])? ?|\(\d+\)\[(\d+\.\d{6})\]|"
    r"\[ *\d+\]\[(\d+\.\d{6})\] ?"
)
HUMAN = re.compile(
    r"\[(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\w{3}) +(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})\] ?"
)
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
    at = stamp = program = caller = pid = None
    if text[:1] in PUT_BEFORE:
        for pattern in (QUOTED, COLLECTOR, LEVEL, DECODED_LEVEL):
            text = pattern.sub("", text, count=1)
    if found := ISO.match(text):
        at, text = _iso(found), text[found.end() :]
    elif found := SYSLOG.match(text):
        at, text = _syslog(found), text[found.end() :]
    if at and (found := TAG.match(text)):
        program, pid, text = found[2].rpartition("/")[2], found[3], text[found.end() :]
    elif found := BARE_TAG.match(text):
        program, text = "kernel", text[found.end() :]
    if program is None or program in KERNEL_TAGS:
        text, stamp, caller, human = _printk(text)
        at = at or human
    return Line(text, raw, number, stamp, at, program, caller, pid)


def _printk(text: str) -> tuple[str, float | None, str | None, datetime | None]:
    """The message behind printk's own stamp, which may stand behind a prompt on a console."""
    text = LEVEL.sub("", text, count=1)
    if found := ALONE.match(text):
        return text[found.end() :], None, found[1], None
    if found := STAMP.search(text, 0, 240):
        stamp = float(found[1] or found[3] or found[4])
        caller, text = found[2], text[found.end() :]
        if more := CALLER.match(text):
            caller, text = caller or more[1], text[more.end() :]
        return text, stamp, caller, None
    if found := HUMAN.search(text, 0, 120):
        return text[found.end() :], None, None, _human(found)
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
    zone = None
    if found[8]:
        sign = -1 if found[8][0] == "-" else 1
        digits = found[8][1:].replace(":", "")
        zone = UTC
        if found[8] != "Z":
            offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
            if offset < timedelta(hours=24):
                zone = timezone(sign * offset)
    return _time(*(int(found[n]) for n in range(1, 7)), zone=zone)


def _syslog(found: re.Match) -> datetime | None:
    numbers = (int(found[n]) for n in (4, 5, 6))
    year = int(found[3]) if found[3] else 1900  # the line does not say
    return _time(year, MONTHS.index(found[1]) + 1, int(found[2]), *numbers)


def _human(found: re.Match) -> datetime | None:
    if found[1] not in MONTHS:
        return None
    numbers = (int(found[n]) for n in (3, 4, 5))
    return _time(int(found[6]), MONTHS.index(found[1]) + 1, int(found[2]), *numbers)


def _time(*numbers: int, zone: timezone | None = None) -> datetime | None:
    try:
        return datetime(*numbers, tzinfo=zone)
    except ValueError:
        return None
