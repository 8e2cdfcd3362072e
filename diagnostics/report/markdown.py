"""The report as Markdown. Whatever a machine or a person wrote stays text and draws nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diagnostics.report.blocks import Block, Bullets, Code, Facts, Lines, Quote, Report, Text

SPECIAL = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])")
LINE_START = re.compile(r"^(\s*)([-+=#]|\d+[.)])")
LINKS = re.compile(r"://|www\.", re.I)


def render(report: Report) -> str:
    lines = [f"# {escaped(report.title)}", ""]
    for section in report.sections:
        lines += [f"{'#' * section.level} {escaped(section.heading)}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """`text` on one line, so that no Markdown reader sees anything in it but text."""
    line = SPECIAL.sub(lambda match: f"\\{match[0]}", " ".join(text.split()))
    line = LINKS.sub(lambda m: ":\\/\\/" if m[0] == "://" else f"{m[0][:-1]}\\.", line)
    return LINE_START.sub(lambda m: f"{m[1]}{_outside(m[2])}", line)


def _outside(mark: str) -> str:
    return f"{mark[:-1]}\\{mark[-1]}"


def fenced(text: str) -> Iterator[str]:
    """A block that its own content cannot end; indented, so that no line of it is a heading."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    yield f"{fence}text"
    yield from (f"    {line.rstrip()}" for line in text.splitlines())
    yield fence


def _block(block: Block) -> Iterator[str]:
    match block:
        case Lines():
            yield from _lines(block)
        case Facts():
            if block.label:
                yield f"**{block.label}:**"
                yield ""
            for name, value in block.rows:
                yield f"- **{name}**: {escaped(value)}"
        case Text():
            yield escaped(block.text)
        case Bullets():
            for number, item in enumerate(block.items, 1):
                yield f"{f'{number}.' if block.numbered else '-'} {escaped(item)}"
        case Code():
            yield f"**{block.label}:**"
            yield ""
            yield from fenced(block.text)
        case Quote():
            yield f"- {escaped(block.claim)}"
            if block.quote:
                yield f"  - {escaped(block.source)}: {escaped(block.quote)}"


def _lines(block: Lines) -> Iterator[str]:
    if len(block.lines) == 1:
        yield f"**{block.label}:** {escaped(block.lines[0])}"
        return
    yield f"**{block.label}:**"
    yield ""
    yield from (f"- {escaped(line)}" for line in block.lines)
