"""The frames of a report: which the unwinder vouches for, and the first that means something."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..readers.events import Event
from ..readers.frames import Frame, frames, pointer
from .kernel_names import EMPTY, OUTERMOST, SILENT

TRACE = re.compile(r"\s*(?:Call [Tt]race|stack backtrace|Backtrace)\b")


def told(function: str | None) -> bool:
    return bool(function) and not EMPTY.fullmatch(function)


def announced(event: Event) -> bool:
    """The trace has its heading: other frames stand in the report for other reasons."""
    return any(TRACE.match(line.text) for line in event.body)


def first(event: Event) -> str | None:
    """The innermost frame of the trace that means something."""
    return next((name for name in names_of(event) if told(name)), None)


def first_or_path(event: Event) -> str | None:
    """The same; where all are paths into the kernel it happened on the path: the innermost."""
    path = (n for n in names_of(event) if not (SILENT.fullmatch(n) or OUTERMOST.fullmatch(n)))
    return first(event) or next(path, None)


def standing_at(event: Event) -> Frame | None:
    for line in event.body:
        if frame := pointer(line.text):
            return frame
    return None


def trace(event: Event) -> tuple[Frame, ...]:
    """The frames that the unwinder vouches for (all, where it vouches for none)."""
    found = tuple(frames_of(event))
    return tuple(frame for frame in found if frame.sure) or found


def names_of(event: Event) -> list[str]:
    found = list(frames_of(event))
    return [frame.function for frame in found if frame.sure] or [f.function for f in found]


def frames_of(event: Event) -> Iterator[Frame]:
    """The first call trace; where none is announced, whatever frames are printed."""
    texts = [line.text for line in event.body]
    starts = [number for number, text in enumerate(texts) if TRACE.match(text)]
    if event.code == "warning.lockdep" and starts:
        return frames(texts[starts[-1] :])
    begin = starts[0] if starts else 0
    return frames(texts[begin : starts[1]] if len(starts) > 1 else texts[begin:])
