"""Lock reports and blocked tasks: who takes the lock, and where everybody waits."""

from __future__ import annotations

import re
from itertools import dropwhile

from ..readers.events import Event
from ..readers.frames import OFFSET, SYMBOL, bare, frames
from .kernel_names import HELPERS
from .traces import announced, first, frames_of, names_of, told
from .trust import checks_locks

HELD = re.compile(
    rf"at: (?:\[<[0-9a-fx]+>\]\s*)?(?:\[<\s*inline\s*>\] )?({SYMBOL}){OFFSET}"
    rf"|^\s*\[<[0-9a-fx]+>\] ({SYMBOL}){OFFSET}"
)
ACQUIRES = re.compile(
    r"is trying to (?:acquire|release|lock)\b|is freeing memory|takes:|\) at:$"
    r"|changed the state of lock"
)
ALREADY = re.compile(r"is already holding")
BECAME = re.compile(r"^\s*\.\.\. which became \S+-safe at:")  # it is taken in interrupts there
EXHAUSTED = re.compile(r"BUG: MAX_")  # the checker ran out of room; nobody did anything
KEEPS = re.compile(r"lock held (?:when|at)|locks held|held lock freed")
HOLDS = re.compile(r"locks? held by")
LAST_WORK = re.compile(rf"last function: ({SYMBOL})")
WAITS = re.compile(r"(?:^|_)(?:wait|waiting|lock|locked|slowlock|completion)(?:_|$)")
SHARED = re.compile(r"(rtnl_lock)|_*synchronize_(?:rcu|s?rcu|net|sched)")


def acquiring(event: Event) -> str | None:
    """Who takes the lock that lockdep complains about; if that is a helper, who holds the other."""
    if EXHAUSTED.match(event.text):
        return None
    texts = [event.text, *(line.text for line in event.body)]
    inner = (frame.function for frame in frames(behind(BECAME, texts)))
    if taken := next(filter(told, inner), None):
        return taken
    keeps = KEEPS.search(event.text)
    for number, text in enumerate(texts):
        if found := LAST_WORK.search(text):
            return bare(found[1])
        if ACQUIRES.search(text) or (keeps and HOLDS.search(text)):
            if name := _taker(texts, number):
                return name
            break
    return first(event) if announced(event) else None


def _taker(texts: list[str], number: int) -> str | None:
    taker, holder = _held(texts[number:]), _held(behind(ALREADY, texts))
    if told(taker):
        return taker
    return holder if holder and not HELPERS.fullmatch(holder) else None


def _held(texts: list[str]) -> str | None:
    """The function behind the first "at:" of these lines."""
    found = next((found for near in texts[:4] if (found := HELD.search(near))), None)
    return bare(found[1] or found[2]) if found else None


def behind(mark: re.Pattern, texts: list[str]) -> list[str]:
    return list(dropwhile(lambda text: not mark.search(text), texts))


def blocked(event: Event) -> str | None:
    """Where a blocked task waits, on a kernel that knows who holds what; else nobody is named."""
    return shared_wait(event) or (waits_in(event) if checks_locks(event) else None)


def waits_in(event: Event) -> str | None:
    """The first frame that means something and says more than that it waits."""
    telling = [name for name in names_of(event) if told(name)]
    return next((name for name in telling if not WAITS.search(name)), None)


def shared_wait(event: Event) -> str | None:
    """The place in which tasks of the whole system wait, if this one stands there."""
    for frame in frames_of(event):
        if frame.sure and (found := SHARED.match(frame.function)):
            return found[1] or "synchronize_rcu"
    return None
