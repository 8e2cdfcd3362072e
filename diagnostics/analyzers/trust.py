"""How far the kernel that printed a report can be trusted with who is to blame."""

from __future__ import annotations

import re

from ..readers.events import Event

FOLLOWED = 4  # first major version whose traces follow the frames; before, the stack was scanned
NEAR = 60  # lines below a report's first one in which the version stands
VERSION = re.compile(
    r"^\s*(\d+)\.\d+\S*(?: #\d+)?\s*(?:$|Not tainted|Tainted:)"
    r"|(?:Not tainted|Tainted: .{0,60}?) (\d+)\.\d+"
)
# Only a kernel built to follow its locks prints these, in its lists or as frames of its own.
FOLLOWS_LOCKS = re.compile(
    r"locks? held by |Showing all locks held|INFO: lockdep is turned off|\b\w+_nested\+0x"
    r"|\b(?:lock_(?:acquire|release|downgrade|is_held\w*)|mark_held_locks|debug_check_no_locks\w*"
    r"|lockdep_\w+|trace_hardirqs_\w+)(?:\.\w+)*\+0x"
)


def guesses(event: Event) -> bool:
    """The trace was found by scanning the stack: its frames need not have been there."""
    for line in event.body[:NEAR]:
        if found := VERSION.search(line.text):
            return int(found[1] or found[2]) < FOLLOWED
    return False


def checks_locks(event: Event) -> bool:
    """This kernel knows who holds what, so a waiting task points at something."""
    return any(FOLLOWS_LOCKS.search(line.text) for line in event.body)
