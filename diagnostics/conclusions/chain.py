"""What came first: ailments that lead to the end which was found, in the order of their times.

The kernel's own last words name the end (a watchdog, a blocked task); what began it stands before
them. Only pairs of which one is known to bring the other are told, and never as certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from diagnostics.findings import Analysis, Finding, Quote
from diagnostics.readers import lines as printed
from diagnostics.wording import Text, listed, quoted
from diagnostics.wording import say as _

SOON = timedelta(hours=1)  # between a cause and its consequence
STORAGE = ("storage.filesystem", "storage.io-error", "windows.storage")
MEMORY = ("memory.oom-kill", "windows.memory")
STANDING = ("kernel.hung-task", "kernel.soft-lockup", "kernel.hard-lockup", "kernel.rcu-stall")
STANDING += ("kernel.lockup-other",)
HARDWARE = ("hardware.corrected", "hardware.fatal", "windows.hardware")
DAMAGE = ("kernel.memory-corruption", "kernel.slab-debug", "kernel.refcount")
ANYTHING = (*STORAGE, *MEMORY, *STANDING, *HARDWARE)
LEADS_TO = {  # subkind of the end -> what is known to bring it
    "hung_task": (*STORAGE, *MEMORY, *STANDING, *HARDWARE),
    "watchdog": ANYTHING,
    "soft_lockup": (*STORAGE, *MEMORY, *STANDING),
    "hard_lockup": (*STANDING, *HARDWARE),
    "rcu_stall": (*STORAGE, *MEMORY, *STANDING),
    "oom_panic": MEMORY,
    "init_killed": (*MEMORY, *STORAGE, *HARDWARE),
    "fs_panic": (*STORAGE, *HARDWARE),
    "mce": HARDWARE,
    "nmi": HARDWARE,
    **dict.fromkeys(
        ("oops", "null_deref", "paging_fault", "gpf", "kernel_bug", "stack", "memory_corruption"),
        (*DAMAGE, *HARDWARE),
    ),
}
ITSELF = {  # the same thing by another name: alone it is no beginning
    "oom_panic": "memory.oom-kill",
    "fs_panic": "storage.filesystem",
    "mce": "hardware.fatal",
    "memory_corruption": "kernel.memory-corruption",
}
OF_WINDOWS = (*STORAGE, *MEMORY, *HARDWARE)


@dataclass(frozen=True, slots=True)
class Link:
    """One step on the way, as it stands in a record."""

    what: str | Text
    code: str
    at: datetime | None
    quote: Quote | None


def before(analysis: Analysis) -> tuple[Link, ...]:
    """The way to this end without the end itself, the first cause first; empty if it is alone."""
    verdict = analysis.verdict
    if not verdict.crashed:
        return ()
    leads = OF_WINDOWS if verdict.kind == "bugcheck" else LEADS_TO.get(verdict.subkind or "", ())
    end = _end(analysis)
    if end is None:
        return ()
    found = [each for each in analysis.findings if each.code in leads and _leads(each, end)]
    itself = ITSELF.get(verdict.subkind or "", _code_of(verdict.subkind))
    if all(each.code == itself for each in found):
        return ()
    found.sort(key=_place)
    return tuple(Link(f.title, f.code, f.quote.at if f.quote else None, f.quote) for f in found)


def _code_of(subkind: str | None) -> str:
    return f"kernel.{(subkind or '').replace('_', '-')}"


def _end(analysis: Analysis) -> Finding | None:
    told = (analysis.verdict.kind, analysis.verdict.subkind)
    for finding in analysis.findings:
        if (finding.facts.get("kind"), finding.facts.get("subkind")) == told:
            return finding
    return None


def _leads(finding: Finding, end: Finding) -> bool:
    """It stands before the end: by the times of both, else by their place in one text."""
    if finding is end or finding.quote is None or end.quote is None:
        return False
    first, last = finding.quote.at, end.quote.at
    if first and last and bool(first.tzinfo) == bool(last.tzinfo):
        if first != last:
            return timedelta(0) < last - first <= SOON
    elif finding.quote.source != end.quote.source:
        return False
    since = [printed.read(each.quote.text).stamp for each in (finding, end)]
    if None not in since and not 0 <= since[1] - since[0] <= SOON.total_seconds():
        return False
    return _line(finding) < _line(end)


def _line(finding: Finding) -> int:
    value = finding.facts.get("line", 0)
    return value if isinstance(value, int) else 0


def _place(finding: Finding) -> tuple[bool, float, int]:
    at = finding.quote.at if finding.quote else None
    return at is None, at.timestamp() if at else 0.0, _line(finding)


def words(links: tuple[Link, ...]) -> Text:
    """A sentence for the cause; nothing where there is no way to tell."""
    if not links:
        return quoted("")
    if len(links) == 1:
        return _(" It most likely began with: %(first)s.", first=quoted(links[0].what))
    return _(
        " It most likely began with: %(first)s; then: %(then)s.",
        first=quoted(links[0].what),
        then=listed(link.what for link in links[1:]),
    )


def lines(links: tuple[Link, ...], end: str | Text) -> tuple[Text, ...]:
    """The whole way in order, the end last."""
    if not links:
        return ()
    told = [
        _("%(number)s. %(at)s: %(what)s", number=n, at=link.at, what=quoted(link.what))
        if link.at
        else _("%(number)s. %(what)s", number=n, what=quoted(link.what))
        for n, link in enumerate(links, 1)
    ]
    last = _("%(number)s. The end: %(what)s", number=len(links) + 1, what=quoted(end))
    return (*told, last)


def begins_with(links: tuple[Link, ...]) -> str:
    """storage | memory | hardware | "" for anything else, or nothing."""
    code = links[0].code if links else ""
    named = {"storage": STORAGE, "memory": MEMORY, "hardware": HARDWARE}
    return next((name for name, codes in named.items() if code in codes), "")
