"""Which function a kernel report is about: the first frame that means something.

Where the report says so itself (the instruction pointer, "KASAN: ... in f", "WARNING: at ... f")
that counts, unless it only names a checker. Else the innermost frame that is neither a reporter,
a checker, a waiting or locking primitive, a string helper nor an entry path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..readers.events import Event
from ..readers.frames import OFFSET, SYMBOL, Frame, bare, frames, nowhere, pointer
from .kernel_names import CHECKERS, EMPTY, HELPERS, NOISE, PRIMITIVES

NAMED = re.compile(rf"\b(?:in:?|at:?) (?:\[<[0-9a-fx]+>\]\s*)?({SYMBOL}){OFFSET}")
RACE = re.compile(rf" in ({SYMBOL})(?: / |$|\+0x)")
WARNED = re.compile(rf"WARNING: .*?\bat (?:\S+ )?({SYMBOL}){OFFSET}")
TRACE = re.compile(r"\s*(?:Call [Tt]race|stack backtrace|Backtrace)\b")
HELD = re.compile(
    rf"at: (?:\[<[0-9a-fx]+>\]\s*)?(?:\[<\s*inline\s*>\] )?({SYMBOL}){OFFSET}"
    rf"|^\s*\[<[0-9a-fx]+>\] ({SYMBOL}){OFFSET}"
)
ACQUIRES = re.compile(
    r"is trying to (?:acquire|release)\b|is freeing memory|takes:|\) at:$"
    r"|changed the state of lock"
)
KEEPS = re.compile(r"lock held (?:when|at)|locks held|held lock freed")
HOLDS = re.compile(r"locks? held by")
CALLER = re.compile(rf"^caller is ({SYMBOL}){OFFSET}")
# What was interrupted stands behind these.
INTERRUPTED = re.compile(
    r"(?:smp_)?(?:\w+_)?apic_timer_interrupt\w*|asm_(?:sysvec|common|exc_nmi)\w*|common_interrupt"
    r"|ret_from_intr|el1_irq|el1h_64_irq|__irq_svc|end_repeat_nmi|nmi_restore|timer_interrupt"
)
LAST_WORK = re.compile(rf"last function: ({SYMBOL})")


def named(event: Event) -> str | None:
    """The function whose misbehaviour this report is about, None if it names none."""
    rule = RULES.get(event.code, RULES.get(event.family, first))
    return rule(event)


def told(function: str | None) -> bool:
    return bool(function) and not EMPTY.fullmatch(function)


def first(event: Event) -> str | None:
    """The innermost frame of the trace that means something."""
    return next(_telling(_frames(event)), None)


def where(event: Event) -> str | None:
    """The instruction pointer's function, and behind a mere checker its caller."""
    standing = standing_at(event)
    if standing is None and any(nowhere(line.text) for line in event.body):
        return None
    if standing and not CHECKERS.fullmatch(standing.function):
        return standing.function
    return first(event)


def stuck(event: Event) -> str | None:
    """Where a processor was found that did not move on."""
    standing = standing_at(event)
    if standing and not NOISE.fullmatch(standing.function):
        return standing.function
    found = list(_frames(event))
    entries = [n for n, f in enumerate(found) if INTERRUPTED.fullmatch(f.function)]
    below = found[entries[-1] + 1 :] if entries else found
    return next(_telling(below), None) or (standing.function if standing else None)


def standing_at(event: Event) -> Frame | None:
    for line in event.body:
        if frame := pointer(line.text):
            return frame
    return None


def trace(event: Event) -> tuple[Frame, ...]:
    """The frames that the unwinder vouches for (all, where it vouches for none)."""
    found = tuple(_frames(event))
    return tuple(frame for frame in found if frame.sure) or found


def _telling(found: Iterable[Frame]) -> Iterator[str]:
    found = list(found)
    sure = [frame for frame in found if frame.sure]
    yield from (frame.function for frame in sure or found if told(frame.function))


def _frames(event: Event) -> Iterator[Frame]:
    """The first call trace; where none is announced, whatever frames are printed."""
    texts = [line.text for line in event.body]
    starts = [number for number, text in enumerate(texts) if TRACE.match(text)]
    if event.code == "warning.lockdep" and starts:
        return frames(texts[starts[-1] :])
    begin = starts[0] if starts else 0
    return frames(texts[begin : starts[1]] if len(starts) > 1 else texts[begin:])


def warned(event: Event) -> str | None:
    if (found := WARNED.search(event.text)) and not PRIMITIVES.fullmatch(bare(found[1])):
        return bare(found[1])
    standing = standing_at(event)
    if standing and not PRIMITIVES.fullmatch(standing.function):
        return standing.function
    return first(event)


def calling(event: Event) -> str | None:
    """The caller that the check names itself."""
    named_by_it = (CALLER.match(line.text) for line in event.body[:3])
    found = next((found for found in named_by_it if found), None)
    if found and not PRIMITIVES.fullmatch(bare(found[1])):
        return bare(found[1])
    return first(event)


def accused(event: Event) -> str | None:
    """Named on the first line by a sanitizer, unless that is only a helper."""
    found = NAMED.search(event.text) or RACE.search(event.text)
    if found and not HELPERS.fullmatch(bare(found[1])):
        return bare(found[1])
    return first(event) or (bare(found[1]) if found else None)


def acquiring(event: Event) -> str | None:
    """Who takes the lock that lockdep complains about."""
    texts = [event.text, *(line.text for line in event.body)]
    keeps = KEEPS.search(event.text)
    for number, text in enumerate(texts):
        if found := LAST_WORK.search(text):
            return bare(found[1])
        if not ACQUIRES.search(text) and not (keeps and HOLDS.search(text)):
            continue
        for near in texts[number : number + 4]:
            if found := HELD.search(near):
                name = bare(found[1] or found[2])
                return name if told(name) else first(event)
    return first(event)


def blocked(event: Event) -> str | None:
    return first(event)


RULES = {
    "oops": where,
    "panic": where,
    "hang": stuck,
    "hang.hung_task": blocked,
    "warning.warn": warned,
    "warning.preempt": calling,
    "warning.lockdep": acquiring,
    "warning.memory_corruption": accused,
    "warning.kmsan": accused,
    "warning.kcsan": accused,
}
