"""The record of logins and boots: was there a shutdown before the last boot?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..findings import Finding, Quote, Severity
from ..readers import wtmp
from ..readers.boots import Boot
from ..readers.clock import Clock
from ..readers.wtmp import Row
from ..wording import Text
from ..wording import say as _
from .registry import analyzer

ORDERLY, ABRUPT = 68, 65
CRASHED = _("A session ended in a crash, not in a logout or shutdown")
UNRECORDED = _("The machine booted with no shutdown recorded before it")
SOON = timedelta(minutes=15)  # a machine that is back so soon was restarted, not switched off


@analyzer("last", "clock")
def last_end(last: str, clock: Clock) -> Iterator[Finding]:
    """How the boot before the present one ended, by the login records."""
    yield from _judged(list(wtmp.read(last)), clock, "last")


@analyzer("last", "clock")
def sessions(last: str, clock: Clock) -> Iterator[Finding]:
    """Who was logged in when the boot before the present one ended without a logout."""
    rows = list(wtmp.read(last))
    present = next((number for number, row in enumerate(rows) if row.boot), None)
    if present is None:
        return
    told: set[str] = set()
    for row in rows[present + 1 :]:
        if row.boot:
            return
        if row.login and row.end in ("crash", "down") and row.user not in told:
            told.add(row.user)
            named = {"user": row.user, "line": row.line, "host": row.host}
            title = _("%(user)s was logged in on %(line)s when it went down", **named)
            if row.host:
                title = _(
                    "%(user)s was logged in from %(host)s on %(line)s when it went down", **named
                )
            # Its line tells of the login, which may lie days before.
            yield Finding("login.session", Severity.INFO, title, Quote(row.raw, "last"))


@analyzer("down")
def printed_logins(down: Boot) -> Iterator[Finding]:
    """The same where what `last` printed stands in a text."""
    printed = "\n".join(event.line.raw for event in down.of("wtmp"))
    yield from _judged(list(wtmp.read(printed)), Clock(), "text")


def _judged(rows: list[Row], clock: Clock, source: str) -> Iterator[Finding]:
    present = next((number for number, row in enumerate(rows) if row.boot), None)
    if present is None:
        return
    older = rows[present + 1 :]
    until = next((number for number, row in enumerate(older) if row.boot), len(older))
    before, reach = older[:until], until < len(older)
    boot = rows[present]
    if down := next((row for row in before if row.shutdown), None):
        yield _orderly(down, boot, clock, source)
    elif crash := next((row for row in older if row.end == "crash"), None):
        yield _abrupt(crash, CRASHED, clock, boot, source)
    elif stopped := next((row for row in before if row.end == "down"), None):
        yield _orderly(stopped, boot, clock, source)
    elif older and any(row.shutdown for row in rows) and reach:
        yield _abrupt(boot, UNRECORDED, clock, boot, source)


def _orderly(row: Row, boot: Row, clock: Clock, source: str) -> Finding:
    soon = row.shutdown and _back_soon(row, boot)
    told = {"kind": "normal_reboot", "subkind": "reboot" if soon else "shutdown", "crashed": False}
    at = clock.exact(row.begun) if row.shutdown else None
    title = _("The login records show a shutdown in order before this boot")
    quote = Quote(row.raw, source, at)
    return Finding("last.orderly", Severity.INFO, title, quote, facts=told | {"weight": ORDERLY})


def _abrupt(row: Row, title: Text, clock: Clock, boot: Row, source: str) -> Finding:
    told = {"kind": "unexplained_reboot", "subkind": "power_reset", "crashed": True}
    quote = Quote(row.raw, source, clock.exact(boot.begun))
    told |= {"weight": ABRUPT, "open_end": True}
    return Finding("last.no-shutdown", Severity.CRITICAL, title, quote, facts=told)


def _back_soon(down: Row, boot: Row) -> bool:
    if down.begun is None or boot.begun is None:
        return False
    return timedelta(0) <= boot.begun - down.begun <= SOON
