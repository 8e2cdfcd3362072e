"""Did it go down without an orderly stop, and what does the record say about how?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ..findings import Finding
from ..readers.windows_boots import AFTERMATH, Boot, History
from ..readers.windows_events import Event
from . import windows_claims as claims
from .registry import analyzer
from .windows_bugcheck import code_of_41
from .windows_orderly import unclean as went_down_unclean

BUTTON, UNCLEAN = 70, 60
SHORTLY = timedelta(minutes=30)
HANG = timedelta(minutes=3)
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


@analyzer("boot")
def unclean(boot: Boot) -> Iterator[Finding]:
    """The session before this boot did not end with a clean shutdown."""
    if not went_down_unclean(boot):
        return
    power = boot.marks.get("unclean")
    pressed = button(power) if power else None
    proof = power or boot.marks.get("unexpected") or boot.marks.get("last shutdown")
    facts = {"heartbeat": boot.heartbeat, "gap": gap(boot)}
    if pressed:
        title = "The power button was held, or the platform forced the machine off"
        yield claims.claim(
            "windows.button", title, power, "power_button_forced", BUTTON, pressed=pressed, **facts
        )
    elif power and code_of_41(power) is None:
        title = "Windows went down without a shutdown; the record does not tell the bugcheck code"
        yield claims.claim(
            "windows.unclean", title, proof, "unclean_unknown_code", UNCLEAN, **facts
        )
    else:
        title = "Windows went down without a shutdown and without a bugcheck on record" + how(boot)
        yield claims.claim("windows.unclean", title, proof, "unclean_no_bugcheck", UNCLEAN, **facts)


def button(event: Event) -> str | None:
    """What tells of the power button: its time (a FILETIME), or that it was held."""
    stamp = event.number("PowerButtonTimestamp") or 0
    if stamp:
        try:
            return (EPOCH + timedelta(microseconds=stamp // 10)).isoformat()
        except OverflowError:
            return str(stamp)
    return "held" if event.text("LongPowerButtonPressDetected").lower() == "true" else None


def gap(boot: Boot) -> timedelta | None:
    """How long nothing was written before the boot; the heartbeat may be 15 minutes stale."""
    if boot.heartbeat is None or boot.at is None or boot.at < boot.heartbeat:
        return None
    return boot.at - boot.heartbeat


def how(boot: Boot) -> str:
    silent = gap(boot)
    if silent is None:
        return ""
    minutes = silent.total_seconds() / 60
    if silent >= HANG:
        return f": silent for {minutes:.0f} minutes before, as after a hang or a forced stop"
    return f": silent for {silent.total_seconds():.0f} s before, as after a reset or loss of power"


@analyzer("boot")
def strain(boot: Boot) -> Iterator[Finding]:
    """What ailed the machine shortly before it went down without a shutdown."""
    if not went_down_unclean(boot):
        return
    for event in boot.before:
        if not shortly_before(event, boot):
            continue
        if (event.source, event.id) == ("resource-exhaustion-detector", 2004):
            yield claims.context(
                "windows.memory", "Memory was nearly exhausted shortly before", event
            )
        elif event.id in (129, 153) and event.source not in ("time-service",):
            title = f"The storage driver {event.provider} did not get answers shortly before"
            yield claims.context("windows.storage", title, event)


@analyzer("boot")
def hardware(boot: Boot) -> Iterator[Finding]:
    """Fatal hardware errors that this boot reported of the session before."""
    for event in boot.said("whea-logger", 1, 18, 20, 46):
        if event.at is None or boot.at is None or abs(event.at - boot.at) <= AFTERMATH:
            yield claims.context("windows.hardware", "A fatal hardware error was reported", event)


@analyzer("boot", "history")
def repeated(boot: Boot, history: History) -> Iterator[Finding]:
    """The same, several times in a row."""
    boots = [one for one in history.boots if one.at and boot.at]
    near = [one for one in boots if abs(boot.at - one.at) <= timedelta(hours=2)]
    bad = [one for one in near if went_down_unclean(one)]
    if len(bad) >= 3 and went_down_unclean(boot):
        title = f"It went down without a shutdown {len(bad)} times within hours"
        yield claims.context("windows.loop", title, boot.marks.get("unclean"), times=len(bad))


def shortly_before(event: Event, boot: Boot) -> bool:
    ended = boot.heartbeat or boot.at
    if event.at is None or ended is None:
        return False
    return -AFTERMATH <= ended - event.at <= SHORTLY
