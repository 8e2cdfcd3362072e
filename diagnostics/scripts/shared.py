"""Scripts made of parts of the collection scripts, so that a probe is written once.

A line `#use NAME ...` stands for those parts of the collection script: functions and blocks by
their first words, and "head" and "tail". KeyError names a part that is not there.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
FILES = {
    "linux": ("linux.sh", "readiness.sh"),
    "windows": ("windows.ps1", "readiness.ps1"),
}
# What is no function: from the first pattern up to (not with) the second.
STRETCHES = {
    "linux": {
        "head": (r"LC_ALL=C", r"# fit BYTES"),
        "tail": (r"form=plain", r"\Z"),
    },
    "windows": {
        "head": (r"\$ErrorActionPreference", r"\n# table"),
        "settings": (r"\$settings = @\(", r"\$headerParts"),
        "escape": (r"\$escape = \{", r"# System before"),
    },
}
FUNCTIONS = {
    "linux": r"{name}\(\) \{{(?:[^\n]*\}}$|.*?^\}}$)",
    "windows": r"(?:function {name}|Ask '{name}') \{{.*?^\}}$",
}


@cache
def readiness(os: str) -> str:
    """The script that asks what a machine would keep of a crash; KeyError for an unknown system."""
    source, own = ((HERE / name).read_text(encoding="ascii") for name in FILES[os])

    def used(line: re.Match[str]) -> str:
        return "\n".join(part(source, os, name).strip("\n") for name in line[1].split())

    return re.sub(r"(?m)^#use (.+)$", used, own)


def part(source: str, os: str, name: str) -> str:
    """One function, block or stretch of a collection script, as it stands there."""
    if name in STRETCHES[os]:
        first, last = STRETCHES[os][name]
        pattern = rf"^{first}.*?(?=^{last})" if last != r"\Z" else rf"^{first}.*\Z"
    else:
        pattern = "^" + FUNCTIONS[os].format(name=re.escape(name))
    found = re.search(pattern, source, re.M | re.S)
    if not found:
        raise KeyError(f"{FILES[os][0]} has no part {name}")
    return found[0]
