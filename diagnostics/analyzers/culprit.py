"""Which function a kernel report is about: the first frame that means something.

Where the report says so itself (the instruction pointer, "KASAN: ... in f", "WARNING: at ... f")
that counts, unless it only names a checker. Else the innermost frame that is neither a reporter,
a checker, a waiting or locking primitive, a string helper nor an entry path.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice, takewhile

from ..readers.events import Event
from ..readers.frames import OFFSET, SYMBOL, bare, frames, nowhere, pointer
from .kernel_names import CHECKERS, DISPATCHING, HELPERS, IDLING, NOISE, PRIMITIVES, REPORTERS
from .locks import acquiring, behind, blocked
from .traces import announced, first, first_or_path, frames_of, standing_at, told
from .trust import guesses

Rule = Callable[[Event], str | None]

NAMED = re.compile(rf"\b(?:in:?|at:?) (?:\[<[0-9a-fx]+>\]\s*)?({SYMBOL}){OFFSET}")
RACE = re.compile(rf" in ({SYMBOL})(?: / |$|\+0x)")
WARNED = re.compile(rf"WARNING: .*?\bat (?:\S+ )?({SYMBOL}){OFFSET}")
# Damage that is noticed when the page is used again, by whoever comes next.
DAMAGED = re.compile(r"BUG: Bad ")
OWNED = re.compile(r"page last allocated via ")
FREED = re.compile(r"page last free |Modules linked")
DENTRY = re.compile(r"BUG: Dentry .*\[unmount of ")  # printed by one function alone
IN_HEADER = re.compile(r"UBSAN: .* in \S+\.h:\d+")
CALLER = re.compile(rf"^caller is ({SYMBOL}){OFFSET}")
# What was interrupted stands behind these.
INTERRUPTED = re.compile(
    r"(?:smp_)?(?:\w+_)?apic_timer_interrupt\w*|asm_(?:sysvec|common|exc_nmi)\w*|common_interrupt"
    r"|ret_from_intr|el1_irq|el1h_64_irq|__irq_svc|end_repeat_nmi|nmi_restore|timer_interrupt"
)
# One wrapper of a system call is taken off: `__x64_sys_futex` is sys_futex, `ksys_mount` mount.
WRAPPED = re.compile(
    r"^(?:__(?:x64|ia32|arm64|riscv|s390x?|se|do)_(?=(?:compat_)?sys_)|(?:compat_)?(?:SyS|SYSC)_|k?sys_)"
)
SWITCHED_OFF = {"__schedule", "__switch_to", "schedule"}


def named(event: Event) -> str | None:
    """The function whose misbehaviour this report is about, None if it names none."""
    rule = RULES.get(event.code, RULES.get(event.family, first))
    return rule(event)


def nobody(event: Event) -> None:
    """Reports of a whole pool, or of damage that whoever came next found, tell of no place."""


def where(event: Event) -> str | None:
    """The instruction pointer's function, and behind a mere checker its caller.

    Where the kernel jumped to no function at all it is who jumped, if the trace vouches for the
    innermost frame. A report without any pointer was cut: none.
    """
    standing = standing_at(event)
    if standing and not CHECKERS.fullmatch(standing.function):
        return standing.function
    if standing:
        return first(event)
    jumped = any(nowhere(line.text) for line in event.body)
    return first(event) if jumped and all(f.sure for f in islice(frames_of(event), 1)) else None


def stopped(event: Event) -> str | None:
    """A panic without a report of its own: the pointer, else who called it."""
    if standing_at(event) or any(nowhere(line.text) for line in event.body):
        return where(event)
    return first(event)


def stuck(event: Event) -> str | None:
    """Where a processor was found that did not move on, unless it idled.

    Without a pointer the trace was taken at a random moment of a loop: what entered it counts.
    """
    found = [frame for line in event.body if (frame := pointer(line.text))]
    busy = (frame.function for frame in found if not IDLING.fullmatch(frame.function))
    return next(busy, None) if found else entered(event)


def entered(event: Event) -> str | None:
    """The outermost function below the general ways into the kernel; none of a task that did not
    run: where it waits is not where a processor is."""
    found = [frame.function for frame in frames_of(event) if frame.sure]
    entries = [n for n, name in enumerate(found) if INTERRUPTED.fullmatch(name)]
    if found and found[0] in SWITCHED_OFF and not entries:
        return None
    below = found[entries[-1] + 1 :] if entries else found
    inner = list(takewhile(lambda name: not DISPATCHING.fullmatch(name), below))
    cut = len(inner) == len(below)  # above the way in, so that the last frame is any frame
    if cut or not inner or NOISE.fullmatch(inner[-1]):
        return None
    return WRAPPED.sub("", inner[-1])


def warned(event: Event) -> str | None:
    """The first line's function, or behind a mere check its caller, if the report bears it out."""
    standing = standing_at(event)
    seen = [f.function for f in frames_of(event)] + ([standing.function] if standing else [])
    found = WARNED.search(event.text)
    says = bare(found[1]) if found else standing and standing.function
    if all(REPORTERS.fullmatch(name) for name in seen):
        return None  # cut below its first line, which may have run into another one
    if says and not PRIMITIVES.fullmatch(says):
        return says
    others = says is not None and says not in seen and first(event)  # another report's trace
    return None if others else first_or_path(event)


def undefined(event: Event) -> str | None:
    """Who did it; a source line in a header was inlined, and by whom is not said."""
    return None if IN_HEADER.search(event.text) else first(event)


def calling(event: Event) -> str | None:
    """The caller that the check names itself."""
    named_by_it = (CALLER.match(line.text) for line in event.body[:3])
    found = next((found for found in named_by_it if found), None)
    if found and not PRIMITIVES.fullmatch(bare(found[1])):
        return bare(found[1])
    return first_or_path(event)


def accused(event: Event) -> str | None:
    """Named on the first line by a sanitizer, unless that is only a helper: then its caller."""
    if DENTRY.match(event.text):
        return "umount_check"
    found = NAMED.search(event.text) or RACE.search(event.text)
    if found and not HELPERS.fullmatch(bare(found[1])):
        return bare(found[1])
    return allocating(event) if DAMAGED.match(event.text) else first(event)


def allocating(event: Event) -> str | None:
    """Whose page it is that was found damaged, where the kernel keeps a record of owners."""
    texts = behind(OWNED, [line.text for line in event.body])
    theirs = takewhile(lambda text: not FREED.match(text), texts)
    return next((f.function for f in frames(theirs) if told(f.function)), None)


def slept(event: Event) -> str | None:
    """Who slept where nobody may, by the announced trace: other frames tell who forbade it."""
    return first_or_path(event) if announced(event) else None


def unvouched(rule: Rule) -> Rule:
    """The rule, for kernels whose traces can be followed; on older ones nobody is named."""
    return lambda event: None if guesses(event) else rule(event)


RULES = {
    "oops": where,
    "panic": stopped,
    "hang": stuck,
    "hang.lockup_other": nobody,
    "hang.hung_task": blocked,
    "warning.warn": warned,
    "warning.preempt": unvouched(calling),
    "warning.sched_atomic": unvouched(slept),
    "warning.lockdep": unvouched(acquiring),
    "warning.memory_corruption": accused,
    "warning.slab_debug": nobody,
    "warning.ubsan": undefined,
    "warning.kmsan": accused,
    "warning.kcsan": accused,
}
