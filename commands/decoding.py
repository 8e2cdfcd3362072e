"""What a machine printed, as text that is safe to show: decoded, control sequences tamed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

# SGR, any other CSI, OSC and friends, and lone escapes, in this order.
SEQUENCE = re.compile(
    r"\x1b\[([0-9;]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?"
)
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]")
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
BINARY = re.compile(rb"\x00")


@dataclass(frozen=True, slots=True)
class Text:
    """An output as text; `encoding` is utf-8, gbk or binary (then nothing is shown)."""

    text: str
    encoding: str


def decoded(body: bytes) -> Text:
    """UTF-8 if it is, else GBK if it is, else only what is printable ASCII counts as text."""
    if BINARY.search(body[:4096]):
        return Text("", "binary")
    for encoding in ("utf-8", "gbk"):
        try:
            return Text(_plain_ends(body.decode(encoding)), encoding)
        except UnicodeDecodeError as error:
            # Cloud Assistant cuts by bytes: a broken sign at the very end, or where it dropped
            # the middle, does not make it another encoding.
            if error.start >= len(body) - 3 or (encoding == "utf-8" and _mostly_utf8(body)):
                return Text(_plain_ends(body.decode(encoding, "replace")), encoding)
    return Text(_plain_ends(body.decode("utf-8", "replace")), "binary")


def _mostly_utf8(body: bytes) -> bool:
    text = body.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    foreign = sum(1 for sign in text if sign > "\x7f") - broken
    return broken <= 6 and foreign >= 3 * broken


def _plain_ends(text: str) -> str:
    """Line ends of Windows, and lines that a progress bar wrote over again and again."""
    text = text.replace("\r\n", "\n")
    return re.sub(r"[^\n]*\r(?=[^\n])", "", text)


def plain(text: str) -> str:
    """Without any control sequence; other control characters become visible signs."""
    return CONTROLS.sub(_visible, SEQUENCE.sub("", text))


def coloured(text: str) -> SafeString:
    """HTML in which only colours and weight of the machine's own remain, as classes."""
    return format_html_join("", '<span class="{}">{}</span>', _parts(text))


def _parts(text: str) -> Iterator[tuple[str, str]]:
    classes: dict[str, str] = {}
    start = 0
    for match in SEQUENCE.finditer(text):
        if match.start() > start:
            yield " ".join(classes.values()), CONTROLS.sub(_visible, text[start : match.start()])
        if match[1] is not None:
            _set(classes, match[1])
        start = match.end()
    if start < len(text):
        yield " ".join(classes.values()), CONTROLS.sub(_visible, text[start:])


def _set(classes: dict[str, str], codes: str) -> None:
    for code in (int(part or 0) for part in codes.split(";")[:16]):
        if code == 0:
            classes.clear()
        elif code == 1:
            classes["weight"] = "ansi-bold"
        elif 30 <= code <= 37 or 90 <= code <= 97:
            classes["ink"] = f"ansi-{NAMES[code % 10]}"
        elif code == 39:
            classes.pop("ink", None)
        elif code == 22:
            classes.pop("weight", None)


def _visible(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x20:
        return chr(0x2400 + number)
    return "\u2421" if number == 0x7F else "\N{REPLACEMENT CHARACTER}"
