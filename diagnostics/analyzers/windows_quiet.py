"""What a record tells when it tells of no going-down (or of none in the window): sleep, programs
that crashed, or nothing. These are not asked where a boot is judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..findings import Finding
from ..readers.windows_boots import History
from ..readers.windows_events import Event
from ..wording import say as _
from . import windows_claims as claims
from .registry import analyzer

SLEEP = {
    ("kernel-power", 42),
    ("kernel-power", 107),
    ("kernel-power", 187),
    ("kernel-power", 506),
    ("kernel-power", 507),
    ("power-troubleshooter", 1),
}
PROGRAMS = {("application error", 1000), ("application hang", 1002)}


@analyzer("windows_quiet")
def exhaustion(events: Sequence[Event]) -> Iterator[Finding]:
    """Virtual memory ran low."""
    for event in _of(events, {("resource-exhaustion-detector", 2004)})[-1:]:
        title = _("Windows ran low on virtual memory")
        yield claims.claim("windows.memory.low", title, event, "none_resource_exhaustion", 14)


@analyzer("windows_quiet")
def sleep(events: Sequence[Event]) -> Iterator[Finding]:
    """It slept and woke: no boot."""
    for event in _of(events, SLEEP)[-1:]:
        yield claims.claim("windows.sleep", _("It slept and woke"), event, "none_sleep_resume", 12)


@analyzer("windows_quiet")
def programs(events: Sequence[Event]) -> Iterator[Finding]:
    """Programs crashed; Windows went on."""
    crashed = _of(events, PROGRAMS)
    if crashed:
        title = _("%(count)s crashes of programs; Windows itself went on", count=len(crashed))
        yield claims.claim("windows.program", title, crashed[-1], "none_app_crash", 11)


@analyzer("windows_quiet", "windows_history")
def reasons(events: Sequence[Event], history: History) -> Iterator[Finding]:
    """A person typed why it had stopped, or a request for a stop failed; no boot is on record."""
    said = _of(events, {("user32", 1076), ("user32", 1073)})
    if said and not history.boots:
        title = _("A reason was recorded, and no boot that it could belong to")
        yield claims.claim("windows.reason", title, said[-1], "none_reason_recorded", 13)


@analyzer("windows_events", "windows_quiet", "windows_history")
def healthy(events: Sequence[Event], quiet: Sequence[Event], history: History) -> Iterator[Finding]:
    """Records were read and nothing in them tells of a stop at the time in question."""
    boot = history.boots[-1] if history.boots else None
    if not events:
        return
    title = _("No boot and no stop is on record")
    if boot and boot.at:
        title = _("It did not go down in this window; it last booted at %(at)s", at=boot.at)
    proof = boot.marks.get("start") if boot else None
    yield claims.claim("windows.quiet", title, proof, "none_healthy", 1)


def _of(events: Sequence[Event], wanted: set[tuple[str, int]]) -> list[Event]:
    return [event for event in events if (event.source, event.id) in wanted]
