"""What a machine printed, as text that is safe to show: decoded, control sequences tamed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

# SGR, any other CSI, OSC and friends, and lone escapes, in this order.
SEQUENCE = re.compile(
    r"\x1b\[([0-9;]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[@-_]?"
)
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]")
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
NO_TEXT = re.compile(rb"[\x01-\x06\x0e-\x1a\x1c-\x1f\x7f]")  # what no text holds beside a NUL
SAMPLE = 4096  # bytes by which binary data is known


@dataclass(frozen=True, slots=True)
class Text:
    """An output as text; `encoding` is utf-8, gbk, utf-16 or binary (without text: not shown)."""

    text: str
    encoding: str


def decoded(body: bytes) -> Text:
    """UTF-8 if it is, else GBK if it is, else only what is printable ASCII counts as text."""
    if b"\0" in body[:SAMPLE]:
        return _with_nul(body)
    for encoding in ("utf-8", "gbk"):
        try:
            return Text(_plain_ends(body.decode(encoding)), encoding)
        except UnicodeDecodeError as error:
            # Cloud Assistant cuts by bytes: a broken sign at the very end, or where it dropped
            # the middle, does not make it another encoding.
            if error.start >= len(body) - 3 or (encoding == "utf-8" and _mostly_utf8(body)):
                return Text(_plain_ends(body.decode(encoding, "replace")), encoding)
    return Text(_plain_ends(body.decode("utf-8", "replace")), "binary")


def _with_nul(body: bytes) -> Text:
    """Lists that programs part by NUL are text, and so is what Windows writes two bytes a sign."""
    if body.startswith(b"\xff\xfe") or body[1:SAMPLE:2].count(0) > 0.8 * len(body[1:SAMPLE:2]):
        return Text(_plain_ends(body.decode("utf-16", "replace")), "utf-16")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return Text("", "binary")
    if NO_TEXT.search(body[:SAMPLE]):
        return Text("", "binary")
    return Text(_plain_ends(text), "utf-8")


def _mostly_utf8(body: bytes) -> bool:
    text = body.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    foreign = sum(1 for sign in text if sign > "\x7f") - broken
    return broken <= 6 and foreign >= 3 * broken


def _plain_ends(text: str) -> str:
    """Line ends of Windows, and lines that a progress bar wrote over again and again. Where no
    other line end is, each return ends a line: otherwise only the last would be left."""
    text = text.replace("\r\n", "\n")
    if "\r" not in text:
        return text
    if "\n" not in text:
        return text.replace("\r", "\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


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
