"""Memory ran out and the kernel killed a process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..findings import Finding
from ..readers.boots import Boot
from ..readers.events import Event
from ..wording import say as _
from .claims import claim
from .registry import analyzer

OOM = 63
VICTIM = re.compile(r"[Kk]ill(?:ed)? process (\d+),? (?:UID \d+, )?\(([^)]*)\)")
ROW = re.compile(r"\[ *(\d+)\] +\d+ +\d+ +(\d+) +(\d+) .* (\S+)$")
PAGE_MIB = 4096 / 2**20
LIMITS = {"memcg": _("a control group's limit"), "manual": _("sysrq asked for it")}
TASK = re.compile(r"task=([^,]+),pid=(\d+)")


@analyzer("down")
def kills(down: Boot) -> Iterator[Finding]:
    """A process was killed for memory: by which limit, who asked, who died."""
    events = down.of("oom")
    if not events:
        return
    subkind = scope(events, down)
    kill = next((event for event in events if VICTIM.search(event.text)), events[0])
    victims = tuple(dict.fromkeys(v for event in events if (v := _victim(event))))
    yield claim(
        "memory.oom-kill",
        _(
            "The kernel killed %(who)s for lack of memory (%(limit)s)",
            who=", ".join(victims[:3]) or _("a process"),
            limit=LIMITS.get(subkind, _("the whole machine ran out")),
        ),
        kill,
        "oom_kill",
        subkind,
        OOM,
        victims=victims,
        eaters=eaters(events),
        reason=kill.text.strip()[:300],
        line=events[0].line.number,
    )


def eaters(events: Sequence[Event]) -> tuple[str, ...]:
    """The tasks with the most memory in the kernel's own table, largest first."""
    rows: dict[str, float] = {}
    for event in events:
        for line in event.body:
            if found := ROW.match(line.text):
                rows[f"{found[4]} (pid {found[1]})"] = float(found[3]) * PAGE_MIB
    largest = sorted(rows.items(), key=lambda row: -row[1])[:5]
    return tuple(
        f"{name} {mib} MiB" for name, mib in ((n, round(m)) for n, m in largest) if mib > 0
    )


def scope(events: list[Event], down: Boot) -> str:
    first = next((event for event in events if event.code == "oom.invoked"), None)
    if any(event.code == "sysrq.oom" for event in down.events) or (
        first and "order=-1" in first.text
    ):
        return "manual"
    texts = [event.text for event in events]
    texts += [line.text for line in first.body] if first else []
    memcg = any("Memory cgroup" in t or "MEMCG" in t or "as a result of limit" in t for t in texts)
    return "memcg" if memcg else "global"


def _victim(event: Event) -> str | None:
    if found := VICTIM.search(event.text):
        return f"{found[2]} (pid {found[1]})"
    if found := TASK.search(event.text):
        return f"{found[1]} (pid {found[2]})"
    return None
