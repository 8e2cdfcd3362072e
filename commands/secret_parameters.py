"""Values of a run that nobody may read: opened for the call, taken out of whatever comes back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import quote, quote_plus

from commands.models import Invocation
from portal.secrets import WrongKey, unseal

MARK = "***"
WITHHELD = "(withheld: SECRETS_KEY changed, so the run's secrets cannot be taken out)"


def of(run: Invocation) -> dict[str, str] | None:
    """All parameters of the run, the secret ones opened; None if it takes none.

    Raises WrongKey where SECRETS_KEY has changed since the run was asked for.
    """
    return {**run.parameters, **unseal(run.sealed)} if run.takes_parameters else None


class Redactor:
    """Puts a mark wherever one of these values stands, as it is or in a common disguise."""

    def __init__(self, values: Iterable[str]) -> None:
        disguises = {form for value in values if value for form in _disguises(value)}
        # The longest first: a value may be a part of another one.
        self._forms = sorted(disguises, key=lambda form: (-len(form), form))

    def body(self, output: bytes) -> bytes:
        for form in self._forms:
            output = output.replace(form, MARK.encode())
        return output

    def text(self, words: str) -> str:
        return self.body(words.encode()).decode() if self._forms else words


class Withholder(Redactor):
    """Shows nothing at all: nobody knows any more what would have to be taken out."""

    def __init__(self) -> None:
        super().__init__(())

    def body(self, output: bytes) -> bytes:
        return WITHHELD.encode() if output else b""

    def text(self, words: str) -> str:
        return WITHHELD if words else ""


def redactor(run: Invocation) -> Redactor:
    """What takes this run's secrets out of a text."""
    try:
        return Redactor(unseal(run.sealed).values())
    except WrongKey:
        return Withholder()


def _disguises(value: str) -> Iterable[bytes]:
    """As it is, as programs quote it, and as machines that do not speak UTF-8 print it."""
    yield from _in_base64(value.encode())
    quoted = {quote(value, safe=""), quote_plus(value), value.replace("'", "'\\''")}
    quoted |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    for form in {value, *quoted}:
        yield form.encode()
    for encoding in ("gbk", "utf-16-le"):
        with suppress(UnicodeEncodeError):
            yield value.encode(encoding)


def _in_base64(value: bytes) -> Iterable[bytes]:
    """What stays of a value in the Base64 of a text that holds it, at each of three offsets."""
    yield base64.b64encode(value)
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + value)
        first, last = -(-before * 8 // 6), (before + len(value)) * 8 // 6
        if last - first >= 6:  # shorter pieces would be found in any text
            yield whole[first:last]
