"""The messages that the code and the templates ask for, read as xgettext would, but at once."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("portal", "instances", "commands", "diagnostics")
# What a function calls its message: at which places (context, message) stand.
ONE = {"_", "_now", "say", "gettext", "gettext_lazy", "gettext_noop", "kept"}
ONE |= {"ngettext", "ngettext_lazy"}
TWO = {"pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"}
CALL = re.compile(r"(?<![\w.])(?:_|n?p?gettext) *\(", re.ASCII)
Message = tuple[str | None, str]  # context and message


def in_python(text: str) -> Iterator[Message]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            yield from _asked(node)


def _asked(call: ast.Call) -> Iterator[Message]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    words = []
    for argument in call.args[:2]:
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            break
        words.append(argument.value)
    if name in ONE and words and words[0]:
        yield None, words[0]
    elif name in TWO and len(words) == 2:
        yield words[0], words[1]


def in_template(text: str) -> Iterator[Message]:
    """`templatize` turns tags into calls and blots out the rest, so only the calls are read."""
    told = templatize(text)
    for found in CALL.finditer(told):
        yield from in_python(told[found.start() : _end(told, found.end())])


def _end(text: str, at: int) -> int:
    """The place after the bracket that closes; brackets in quotes do not count."""
    depth, quote = 1, ""
    while depth:
        letter = text[at]
        if quote:
            at += letter == "\\"
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        else:
            depth += (letter == "(") - (letter == ")")
        at += 1
    return at


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


def used() -> set[Message]:
    """Every message that our packages and templates name."""
    found: set[Message] = set()
    for path in modules():
        found.update(in_python(path.read_text(encoding="utf-8")))
    for path in (ROOT / "templates").rglob("*.html"):
        found.update(in_template(path.read_text(encoding="utf-8")))
    return found
