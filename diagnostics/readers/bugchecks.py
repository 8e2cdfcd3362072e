"""Names and meanings of Windows bugcheck codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MINIDUMP_FORM = 0x10000000  # set in the code when only a minidump was written


@dataclass(frozen=True, slots=True)
class Bugcheck:
    """`code` as 0x7A; `name` is "" for a code that Microsoft does not list; `hint` explains the
    first parameter, where that is known."""

    code: str
    name: str = ""
    category: str = ""
    meaning: str = ""
    hint: str = ""

    @property
    def title(self) -> str:
        return f"{self.code} {self.name}" if self.name else f"{self.code} (not a code of Windows)"


@cache
def table() -> Mapping[int, Mapping]:
    rows = json.loads(Path(__file__).with_name("bugchecks.json").read_text(encoding="utf-8"))
    return {int(code, 16): row for code, row in rows.items()}


def plain(code: int) -> int:
    """The code without sign and without the mark of a minidump: 0x100000D1 is 0xD1."""
    code &= 0xFFFFFFFF
    short = code & ~MINIDUMP_FORM
    return short if short in table() else code


def named(code: int, first_parameter: int | None = None) -> Bugcheck:
    """What Windows calls this code."""
    code = plain(code)
    row = table().get(code, {})
    hints = row.get("hints", {})
    hint = hints.get(f"0x{first_parameter:x}", "") if first_parameter is not None else ""
    return Bugcheck(
        code=f"0x{code:X}",
        name=row.get("name", ""),
        category=row.get("category", ""),
        meaning=row.get("meaning", ""),
        hint=hint or hints.get("note", ""),
    )
