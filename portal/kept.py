"""Sentences of ours that rows keep: written in English, shown in the reader's language.

    TOO_LATE = kept("No answer arrived in time.")

A sentence may take %(name)s parameters: `TOO_LATE % {"name": ...}` is what the row keeps.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext

_SENTENCES: dict[str, re.Pattern[str]] = {}


def kept(sentence: str) -> str:
    """`sentence` as it is, known to `told` and found for translation."""
    literal, *rest = re.split(r"%\((\w+)\)s", sentence)
    pattern = re.escape(literal)
    for name, literal in zip(rest[::2], rest[1::2], strict=True):
        pattern += f"(?P<{name}>.+?){re.escape(literal)}"
    _SENTENCES[sentence] = re.compile(rf"{pattern}(?P<_more>\s.*)?", re.DOTALL)
    return sentence


def told(text: str) -> str:
    """What a row keeps, in the active language as far as it is ours: a sentence of `kept`, alone
    or with what ECS or a machine said after it."""
    for sentence, pattern in _SENTENCES.items():
        if found := pattern.fullmatch(text):
            words = {name: told(value) for name, value in found.groupdict().items() if value}
            more = words.pop("_more", "")
            said = gettext(sentence) % words if words else gettext(sentence)
            return f"{said} {told(more.strip())}".strip()
    return text
