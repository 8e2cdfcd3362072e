"""Where in a text a telling word may stand: the fast look that lets quiet megabytes pass.

One expression looks for all words at once. What it costs is the letters at which it stops to try,
so that it tries each word from its most seldom letter on, and looks back for the letters before.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

# Of the letters in the words those that are seldom in logs, the most seldom first. Picked by
# measuring (benchmarks/analyze_speed.py); a word needs one of them before its last letter.
SELDOM = "YjJKXFBUONREIvkyw[mba"
# What applications print all day, and no kernel report begins with.
EVERYDAY = {"BUG": "DEBUG"}
# A word that holes in the file or colours break apart is not found by its letters.
BROKEN = [r"\x00(?<=[A-Za-z]\x00)\x00*[A-Za-z]", r"\x1b(?<=[A-Za-z]\x1b)\[[0-9;]*m[A-Za-z]"]


def expression(words: Iterable[str]) -> re.Pattern:
    """Matches inside every place of each of these words, but for `BUG` in `DEBUG`; and where any
    word is broken apart, for what it was cannot be known there."""
    tries = defaultdict(list)
    for word in words:
        at = min(SELDOM.index(letter) for letter in word[:-1] if letter in SELDOM)
        before, letter, behind = word.partition(SELDOM[at])
        tries[letter].append(re.escape(behind) + _looking_back(before, word))
    often = sorted(tries, key=SELDOM.index, reverse=True)
    groups = [f"{re.escape(letter)}(?:{'|'.join(tries[letter])})" for letter in often]
    return re.compile("|".join([*groups, *BROKEN]))


def _looking_back(before: str, word: str) -> str:
    checks = f"(?<={re.escape(word)})" if before else ""
    for part, longer in EVERYDAY.items():
        if word.startswith(part):
            checks += f"(?<!{re.escape(longer + word[len(part) :])})"
    return checks
