"""The pieces that a report is made of; markdown, HTML and JSON render the same ones."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Lines:
    """A label with what was found: one line stands beside it, several below it."""

    label: str
    lines: tuple[str, ...]
    kind: str = "lines"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with one value each."""

    rows: tuple[tuple[str, str], ...]
    label: str = ""
    kind: str = "facts"


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[str, ...]
    numbered: bool = False
    kind: str = "bullets"


@dataclass(frozen=True, slots=True)
class Code:
    """Machine text or commands, exactly as they are."""

    label: str
    text: str
    kind: str = "code"


@dataclass(frozen=True, slots=True)
class Quote:
    """One claim with the line that proves it and where that line stands."""

    claim: str
    quote: str
    source: str
    kind: str = "quote"


Block = Lines | Facts | Text | Bullets | Code | Quote


@dataclass(frozen=True, slots=True)
class Section:
    level: int  # 2 or 3
    heading: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    title: str
    copy: str
    language: str
    sections: tuple[Section, ...] = field(default=())
