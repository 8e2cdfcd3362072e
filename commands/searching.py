"""Finding a text in what machines printed: every distinct output is read once, within bounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import QuerySet

from commands.decoding import decoded, plain
from commands.grouping import outputs_of
from commands.models import Target
from portal import patterns

SECONDS = 2.0
MOST_FOUND = 5_000  # distinct outputs


@dataclass(frozen=True)
class Found:
    """The digests of outputs that hold the text; how many of them were looked at."""

    digests: list[str]
    searched: int
    total: int

    @property
    def complete(self) -> bool:
        return self.searched == self.total


def search(
    targets: QuerySet[Target], wanted: str, *, pattern: bool = False, to_the_end: bool = False
) -> Found:
    """For these words, or a regular expression; case does not matter. Stops after some seconds,
    unless it is to go on `to_the_end`, and says how far it came. Raises BadPattern."""
    outputs = outputs_of(targets).order_by("pk")
    total, searched, digests = outputs.count(), 0, []
    fits, give_up = _seeking(wanted, pattern), time.monotonic() + SECONDS
    for output in outputs.iterator(chunk_size=200):
        if not to_the_end and (time.monotonic() > give_up or len(digests) >= MOST_FOUND):
            break
        searched += 1
        if fits(plain(decoded(output.body()).text)):
            digests.append(output.digest)
    return Found(digests, searched, total)


def _seeking(wanted: str, pattern: bool) -> Callable[[str], bool]:
    if pattern:
        return patterns.read(wanted, any_case=True, by_line=True).stands_in
    needle = wanted.casefold()
    return lambda text: needle in text.casefold()
