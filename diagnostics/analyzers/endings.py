"""How a boot ended when the kernel did not stop itself: in order, or with nothing said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..findings import Finding, Severity
from ..readers.boots import Boot, Story
from ..readers.events import Event
from ..wording import say as _
from .claims import claim, quote
from .registry import analyzer

KEYED, ORDERLY, ABRUPT = 85, 70, 65
UNSAID = {"stopping", "leaving"}  # an end in order, but not which: a restart is likelier
# Their lines reach the kernel's log too, for they name no facility.
UNSORTED = re.compile(r"NetworkManager|gnome-.*|gsd-.*|org\.gnome\..*")


@analyzer("down")
def orderly(down: Boot) -> Iterator[Finding]:
    """The system was taken down by its own programs."""
    ends = down.ends()
    if not ends or down.of("panic") or down.captured:  # then the crash kernel restarts
        return
    reasons = [event for event in ends if event.name not in UNSAID]
    event = reasons[0] if reasons else ends[0]
    shutdown = bool(reasons) and all(e.name == "shutdown" for e in reasons)
    subkind = "shutdown" if shutdown else "reboot"
    title = {
        "shutdown": _("The system was shut down in order"),
        "reboot": _("The system was restarted in order"),
    }
    yield claim(
        "system.orderly",
        title[subkind],
        event,
        "normal_reboot",
        subkind,
        ORDERLY,
        indirect=not reasons,
    )


@analyzer("down")
def keys(down: Boot) -> Iterator[Finding]:
    """The machine was reset at once through sysrq, without unmounting."""
    for event in down.of("sysrq"):
        if event.name in ("reboot", "off"):
            title = _("The machine was reset at once through sysrq")
            yield claim("sysrq.reset", title, event, "unexplained_reboot", "sysrq_b", KEYED)
            return


@analyzer("story")
def abrupt(story: Story) -> Iterator[Finding]:
    """Another boot begins, and the one before it ends with no word of an end."""
    down = story.down
    if not down.followed or down.died or down.captured or down.ends():
        return
    start = story.boots[story.boots.index(down) + 1].start
    if start is not None and not _would_tell(start):
        return
    subkind = "power_reset" if _whole_console(down) else "unknown"
    finding = claim(
        "system.no-end",
        _("The machine started again, and the boot before it ends without any record of an end"),
        start or Event("boot.kernel", down.last),
        "unexplained_reboot",
        subkind,
        ABRUPT,
    )
    finding.facts["open_end"] = not _whole_console(down)
    if down.last:
        finding.facts["last_words"] = quote(down.last, start.source if start else "text").text
    yield finding


@analyzer("previous")
def unfinished(previous: Boot) -> Iterator[Finding]:
    """The journal of the boot before this one ends in the middle of its work."""
    if previous.died or previous.ends() or previous.of("sysrq") or previous.last is None:
        return
    told = {"kind": "unexplained_reboot", "subkind": "unknown", "crashed": True, "weight": ABRUPT}
    told["open_end"] = True
    yield Finding(
        "system.no-end",
        Severity.CRITICAL,
        _("The journal of the boot before this one ends without any record of an end"),
        quote(previous.last, "journal_previous"),
        facts=told,
    )


def _would_tell(start: Event) -> bool:
    """Is this a record in which an orderly end would stand? Programs write it, or the console
    shows it; a log of the kernel alone (kern.log, dmesg) breaks off at every reboot."""
    lines = [line for line in start.before if line.text.strip()]
    programs = any(
        not line.by_kernel and not UNSORTED.fullmatch(line.program or "") for line in lines
    )
    console = any(not line.marked and line.at is None for line in lines)
    return programs or console or start.code == "boot.firmware"


def _whole_console(down: Boot) -> bool:
    """Nothing can be missing: a console shows each line at once, and it shows this boot from
    its start. A journal or a syslog may have lost the last seconds."""
    if down.start is None or down.start.line.program is not None:
        return False
    return down.last is not None and down.last.at is None
