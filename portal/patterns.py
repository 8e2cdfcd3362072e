"""Regular expressions that people write. Whatever they are, matching takes time that grows with
the text alone: the engine knows no look around and no reference back."""

from __future__ import annotations

from functools import lru_cache

import re2

MEMORY = 1 << 20  # bytes that one pattern may hold; the engine keeps more than a hundred of them


class BadPattern(ValueError):
    """No regular expression, or one that asks for what the engine does not know."""


class Pattern:
    """Raises BadPattern, whose message says what is wrong."""

    def __init__(self, text: str, *, any_case: bool = False, by_line: bool = False) -> None:
        options = re2.Options()
        options.log_errors = False
        options.max_mem = MEMORY
        options.case_sensitive = not any_case
        try:
            wanted = f"(?m:{text})" if by_line else text
            re2.compile(text.encode(), options)  # by itself, so that no bracket leaves ours
            self._compiled = re2.compile(wanted.encode(), options)
        except (re2.error, UnicodeEncodeError) as error:
            words = error.args[0] if isinstance(error, re2.error) else str(error)
            words = words.decode(errors="replace") if isinstance(words, bytes) else words
            raise BadPattern(words) from None

    def stands_in(self, text: str) -> bool:
        return self._compiled.search(text.encode(errors="replace")) is not None

    def is_whole(self, text: str) -> bool:
        """Whether it describes the text from end to end."""
        return self._compiled.fullmatch(text.encode(errors="replace")) is not None


@lru_cache(maxsize=64)
def read(text: str, *, any_case: bool = False, by_line: bool = False) -> Pattern:
    """The pattern; with `by_line`, ^ and $ stand at the ends of each line."""
    return Pattern(text, any_case=any_case, by_line=by_line)
