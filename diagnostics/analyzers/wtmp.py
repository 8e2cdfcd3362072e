"""The record of logins and boots: was there a shutdown before the last boot?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..findings import Finding, Quote, Severity
from ..readers import wtmp
from ..readers.clock import Clock
from ..readers.wtmp import Row
from .registry import analyzer

ORDERLY, ABRUPT = 68, 64
SOON = timedelta(minutes=15)  # a machine that is back so soon was restarted, not switched off


@analyzer("last", "clock")
def last_end(last: str, clock: Clock) -> Iterator[Finding]:
    """How the boot before the present one ended, by the login records."""
    rows = list(wtmp.read(last))
    present = next((number for number, row in enumerate(rows) if row.boot), None)
    if present is None:
        return
    older = rows[present + 1 :]
    until = next((number for number, row in enumerate(older) if row.boot), len(older))
    before, reach = older[:until], until < len(older)
    boot = rows[present]
    if down := next((row for row in before if row.shutdown), None):
        yield _orderly(down, boot, clock, _back_soon(down, boot))
    elif crash := next((row for row in older if row.end == "crash"), None):
        yield _abrupt(crash, "A session ended in a crash, not in a logout or shutdown", clock, boot)
    elif stopped := next((row for row in before if row.end == "down"), None):
        yield _orderly(stopped, boot, clock, False)
    elif older and any(row.shutdown for row in rows) and reach:
        yield _abrupt(boot, "The machine booted with no shutdown recorded before it", clock, boot)


def _orderly(row: Row, boot: Row, clock: Clock, soon: bool) -> Finding:
    told = {"kind": "normal_reboot", "subkind": "reboot" if soon else "shutdown", "crashed": False}
    at = clock.exact(row.begun) if row.shutdown else None
    title = "The login records show a shutdown in order before this boot"
    quote = Quote(row.raw, "last", at)
    return Finding("last.orderly", Severity.INFO, title, quote, facts=told | {"weight": ORDERLY})


def _abrupt(row: Row, title: str, clock: Clock, boot: Row) -> Finding:
    told = {"kind": "unexplained_reboot", "subkind": "power_reset", "crashed": True}
    quote = Quote(row.raw, "last", clock.exact(boot.begun))
    told |= {"weight": ABRUPT, "open_end": True}
    return Finding("last.no-shutdown", Severity.CRITICAL, title, quote, facts=told)


def _back_soon(down: Row, boot: Row) -> bool:
    if down.begun is None or boot.begun is None:
        return False
    return timedelta(0) <= boot.begun - down.begun <= SOON
