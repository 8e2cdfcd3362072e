"""Did it go down without an orderly stop, and what does the record say about how?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from ..findings import Finding
from ..readers.windows_boots import AFTERMATH, Boot, History
from ..readers.windows_events import Event
from ..readers.windows_state import WindowsDump
from ..wording import Text
from ..wording import say as _
from . import windows_claims as claims
from .registry import analyzer
from .windows_bugcheck import code_of_41, sources, traces
from .windows_orderly import unclean as went_down_unclean

BUTTON, UNCLEAN = 70, 60
SHORTLY = timedelta(minutes=30)
HEARTBEAT = timedelta(minutes=16)  # between two signs of life, at most
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


@analyzer("windows_boot", "windows_dumps", "windows_record")
def unclean(
    boot: Boot, dumps: Sequence[WindowsDump], record: Mapping[str, object]
) -> Iterator[Finding]:
    """The session before this boot did not end with a clean shutdown."""
    if not went_down_unclean(boot):
        return
    power = boot.marks.get("unclean")
    proof = power or boot.marks.get("unexpected") or boot.marks.get("last shutdown")
    if traces(boot) or list(sources(boot, dumps, record)):
        title = with_silence(_("Windows went down without a shutdown"), boot)
        yield claims.context("windows.down", title, proof)
        return
    facts = {"heartbeat": boot.heartbeat, "gap": gap(boot)}
    if pressed := power and button(power):
        title = _("The power button was held, or the platform forced the machine off")
        kind, weight, facts = "power_button_forced", BUTTON, facts | {"pressed": pressed}
    elif power and code_of_41(power) is None:
        title = _(
            "Windows went down without a shutdown; the record does not tell the bugcheck code"
        )
        kind, weight = "unclean_unknown_code", UNCLEAN
    else:
        title = _("Windows went down without a shutdown, and no bugcheck is on record")
        title = with_silence(title, boot)
        kind, weight = "unclean_no_bugcheck", UNCLEAN
    yield claims.claim("windows.unclean", title, proof, kind, weight, **facts)


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


def with_silence(title: Text, boot: Boot) -> Text:
    """With the gap in words. Shorter than a heartbeat it tells nothing about how it went down."""
    silent = gap(boot)
    if silent is None:
        return title
    seconds = silent.total_seconds()
    words = _("%(count)s minutes", count=f"{seconds / 60:.0f}")
    if seconds < 120:
        words = _("%(count)s s", count=f"{seconds:.0f}")
    if silent > HEARTBEAT:
        return _(
            "%(what)s; nothing was written for %(time)s before the boot: it hung or stood still",
            what=title,
            time=words,
        )
    return _("%(what)s; nothing was written for %(time)s before the boot", what=title, time=words)


@analyzer("windows_boot")
def strain(boot: Boot) -> Iterator[Finding]:
    """What ailed the machine shortly before it went down without a shutdown."""
    if not went_down_unclean(boot):
        return
    for event in boot.before:
        if not shortly_before(event, boot):
            continue
        if (event.source, event.id) == ("resource-exhaustion-detector", 2004):
            yield claims.context(
                "windows.memory", _("Memory was nearly exhausted shortly before"), event
            )
        elif event.id in (129, 153) and event.source not in ("time-service",):
            title = _(
                "The storage driver %(name)s did not get answers shortly before",
                name=event.provider,
            )
            yield claims.context("windows.storage", title, event)


@analyzer("windows_boot")
def hardware(boot: Boot) -> Iterator[Finding]:
    """Fatal hardware errors that this boot reported of the session before."""
    for event in boot.said("whea-logger", 1, 18, 20, 46):
        if event.at is None or boot.at is None or abs(event.at - boot.at) <= AFTERMATH:
            yield claims.context(
                "windows.hardware", _("A fatal hardware error was reported"), event
            )


@analyzer("windows_boot", "windows_history")
def repeated(boot: Boot, history: History) -> Iterator[Finding]:
    """The same, several times in a row."""
    boots = [one for one in history.boots if one.at and boot.at]
    near = [one for one in boots if abs(boot.at - one.at) <= timedelta(hours=2)]
    bad = [one for one in near if went_down_unclean(one)]
    if len(bad) >= 3 and went_down_unclean(boot):
        title = _("It went down without a shutdown %(count)s times within hours", count=len(bad))
        yield claims.context("windows.loop", title, boot.marks.get("unclean"), times=len(bad))


def shortly_before(event: Event, boot: Boot) -> bool:
    ended = boot.heartbeat or boot.at
    if event.at is None or ended is None:
        return False
    return -AFTERMATH <= ended - event.at <= SHORTLY
