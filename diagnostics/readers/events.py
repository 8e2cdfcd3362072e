"""A log of any size read once, into its events: reports with the lines below them, and marks.

Memory is bounded by the events kept, not by the text: blocks in which no telling word stands are
passed over whole, a report keeps its first lines, a boot its first and last events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from . import lines, telling
from .headers import REPORTS, Header
from .lines import Line
from .marks import BY_ANYONE, BY_KERNEL

DEADLY = ("panic", "oops")
BODY = 400  # lines kept below a report's first one
LIFE = 3 * BODY  # lines after which an open report is over, even if others printed them
BLOCK = 1 << 16
CONTEXT = 6000  # characters above a boot that are kept
TABLE: tuple[Header, ...] = (*REPORTS, *BY_KERNEL, *BY_ANYONE)
EVERY_WORD = {word for header in TABLE for word in header.words}
# "ernel BUG " is found by "BUG ": looking for the shorter one is enough.
WORDS = tuple(sorted(w for w in EVERY_WORD if not any(v in w for v in EVERY_WORD - {w})))
TELLING = telling.Words(WORDS)
TELLING_OF_PROGRAMS = telling.Words(word for header in BY_ANYONE for word in header.words)
# People quote these phrases in lists and sentences. What the kernel printed says more: a reason,
# an address, the place.
QUOTABLE = frozenset(header.code for header in REPORTS if header.code.split(".")[0] in DEADLY)
PRINTED = re.compile(
    r"syncing: (?!%)\w|0x[0-9a-f]|\b[0-9a-f]{8,16}\b|: [0-9a-f]{1,8} \[?|\.[chS]:\d+|\(null\)"
)
WORDING = 4  # lines below a WARNING in which it says what it warns of
NEAR = 40  # lines in which the second line about the same fault comes
# Of several lines about one fault the one that says most names it.
TELLS_MORE = {"oops.null_deref": 2, "oops.kernel_bug": 2, "oops.oops": 0}
REGISTERS = re.compile(r"\bRIP\b|^pc :|EIP is at|PC is at|NIP \[|^epc ")
COMMIT = re.compile(r"^commit [0-9a-f]{40}\b.*\n(?:Merge: .*\n)?Author: .*$", re.M)
OUTSIDE = re.compile(r"^(?!AuthorDate: |Date: |Commit: |CommitDate: )\S", re.M)
CLOSING = re.compile(r"-+\[ end (?:trace|Kernel panic)")


@dataclass(slots=True)
class Event:
    """One report or mark: which, its line, what stood below, and where in the text."""

    code: str
    line: Line
    body: list[Line] = field(default_factory=list)
    source: str = "text"
    before: tuple[Line, ...] = ()  # the lines above, kept where a boot begins

    @property
    def family(self) -> str:
        return self.code.partition(".")[0]

    @property
    def name(self) -> str:
        return self.code.partition(".")[2]

    @property
    def text(self) -> str:
        return self.line.text


def recognise(line: Line) -> Header | None:
    """The table's entry that this line begins, if any."""
    text = line.text.lstrip()
    if not TELLING.stand_in(text):
        return None
    if not line.by_kernel and _of_a_session(line):
        return None
    for header in TABLE if line.by_kernel else BY_ANYONE:
        if any(word in text for word in header.words) and header.pattern.match(text):
            return header
    return None


def _of_a_session(line: Line) -> bool:
    """A user's own service manager goes down when he logs out; only the first process counts."""
    return line.program == "systemd" and line.pid not in (None, "1")


def read(blocks: Iterable[str], source: str = "text") -> Iterator[Event]:
    """Events in the order of the text. `blocks` are cut anywhere."""
    cutter = _Cutter(source)
    for line, above in _telling(blocks, cutter):
        yield from cutter.take(line, above)
    yield from cutter.close()
    yield Event("text.end", cutter.last, source=source)


class _Cutter:
    """Puts lines to the report they belong to. At most one is open."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.opened: Event | None = None
        self.last = lines.read("")  # of the whole text, as far as it was read
        self.between: list[Event] = []  # single lines that stood inside the open report
        self.age = 0  # lines since it was opened, whoever printed them

    def close(self) -> Iterator[Event]:
        if self.opened:
            yield self.opened
        yield from self.between
        self.opened, self.between, self.age = None, [], 0

    def take(self, line: Line, above: tuple[str, int]) -> Iterator[Event]:
        self.age += 1
        if self.age > LIFE:
            yield from self.close()
        header = recognise(line)
        if header and not line.marked and _of_a_program(header, line.text):
            header = None
        if header and line.raw[:4].isspace() and _of_a_commit(*above):
            header = None
        if header and not self._echoes(header, line.text):
            event = Event(header.code, line, source=self.source, before=_above(header, above))
            if self.opened and header.single and event.family not in ("boot", "end"):
                self.between.append(event)
                return
            yield from self.close()
            self.opened = event
            if header.single:
                yield from self.close()
        elif self.opened and line.by_kernel:
            if header and (_tells_more(header, self.opened) or _outer(header, self.opened)):
                self.opened.code, self.opened.line, line = header.code, line, self.opened.line
            self._below(self.opened, line)
            if CLOSING.match(line.text) or len(self.opened.body) >= BODY:
                yield from self.close()

    def _echoes(self, header: Header, text: str) -> bool:
        """The kernel's own second line about the same thing, such as `Oops: 0002 [#1]`."""
        if self.opened is None:
            return False
        if self.opened.code == header.code == "panic" and CLOSING.match(text):
            return True
        if self.opened.family == "oops" and header.code.startswith("oops."):
            return not _has_registers(self.opened) and len(self.opened.body) < NEAR
        if self.opened.code == "warning.warn" and header.code == "hang.hard_lockup":
            return len(self.opened.body) < WORDING
        if _outer(header, self.opened):
            return True
        twofold = header.code == self.opened.code == "warning.memleak"  # the leak, then the object
        return twofold or header.code == "warning.words"

    def _below(self, opened: Event, line: Line) -> None:
        if _wrapped(opened, line):
            _join(opened, line)
        else:
            opened.body.append(line)


def _of_a_program(header: Header, text: str) -> bool:
    """Somebody quotes the kernel, or a program warns in its own words."""
    if header.code == "warning.words":
        return True
    return header.code in QUOTABLE and not PRINTED.search(text)


def _of_a_commit(text: str, end: int) -> bool:
    """It stands in the message of a commit that `git log` shows: a story, not a log."""
    above = text[max(0, end - CONTEXT) : end]
    found = next(reversed(list(COMMIT.finditer(above))), None)
    return bool(found) and not OUTSIDE.search(above, found.end())


def _wrapped(opened: Event, line: Line) -> bool:
    """A mailer broke the line above: in a stamped report every printed line has its stamp."""
    above = opened.body[-1] if opened.body else opened.line
    text = line.text.strip()
    return bool(
        text and not line.marked and above.marked and len(above.text) < 300 and line.raw[0] != "["
    )


def _join(opened: Event, line: Line) -> None:
    above = opened.body.pop() if opened.body else opened.line
    whole = replace(above, text=f"{above.text} {line.text.strip()}")
    if above is opened.line:
        opened.line = whole
        told = recognise(whole)  # the broken line may have said too little of what it is
        opened.code = told.code if told and not told.single else opened.code
    else:
        opened.body.append(whole)


def _above(header: Header, above: tuple[str, int]) -> tuple[Line, ...]:
    if not header.code.startswith("boot."):
        return ()
    text, end = above
    begin = max(0, end - CONTEXT)
    raws = text[begin:end].splitlines()
    return tuple(lines.read(raw) for raw in (raws[1:] if begin else raws))


def _tells_more(header: Header, opened: Event) -> bool:
    return TELLS_MORE.get(header.code, 1) > TELLS_MORE.get(opened.code, 1)


def _outer(header: Header, opened: Event) -> bool:
    """A decoder repeats the first line for each function that was compiled into its caller; the
    last of these lines names the function that the kernel knows."""
    same = header.code == opened.code and len(opened.body) < WORDING
    return same and opened.text.endswith("[inline]")


def _has_registers(event: Event) -> bool:
    return any(REGISTERS.search(line.text) for line in event.body)


def _telling(blocks: Iterable[str], cutter: _Cutter) -> Iterator[tuple[Line, tuple[str, int]]]:
    """Lines that hold a telling word, and every line while a report is open.

    Beside each the text above it, as (text, where the line starts in it).
    """
    number, kept, end_of_text = 0, "", ("", 0)
    for fresh in _whole_lines(blocks):
        block, at = kept + fresh, len(kept)
        places = (len(kept) + place for place in TELLING.places(fresh))
        while at < len(block):
            if cutter.opened is None:
                found = next((place for place in places if place >= at), None)
                if found is None:
                    break
                start = block.rfind("\n", at, found) + 1 or at
                number += block.count("\n", at, start)
                at = start
            end = block.find("\n", at)
            end = len(block) if end < 0 else end
            number += 1
            if cutter.opened is None and _of_no_concern(block, at, end):
                at = end + 1
                continue
            for raw in lines.apart(block[at : min(end, at + lines.LONGEST)]):
                yield lines.read(raw, number), (block, at)
            at = end + 1
        number += block.count("\n", at)
        kept = block[-CONTEXT:]
        if not kept.isspace():
            unread = at < len(block) and block[-1] != "\n"
            end_of_text = kept, number + unread
    cutter.last = _last_line(*end_of_text) or cutter.last


def _of_no_concern(block: str, at: int, end: int) -> bool:
    """A program said what only the kernel can mean, such as `INFO: `."""
    said = lines.PROGRAM.match(block, at, end)
    return bool(said) and not TELLING_OF_PROGRAMS.stand_in(block[at:end])


def _last_line(text: str, number: int) -> Line | None:
    raws = [raw for line in text.splitlines() if (raw := line.strip("\0")).strip()]
    return lines.read(raws[-1], number) if raws else None


def _whole_lines(blocks: Iterable[str]) -> Iterator[str]:
    """The same text in blocks that end with a line; an endless line is cut."""
    rest = ""
    for block in blocks:
        for start in range(0, len(block), BLOCK):
            rest += block[start : start + BLOCK]
            cut = rest.rfind("\n") + 1
            if cut:
                yield rest[:cut]
                rest = rest[cut:]
            elif len(rest) > 16 * BLOCK:
                yield rest
                rest = ""
    if rest:
        yield rest
