"""The verdict on the record of a Windows machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from ..findings import Analysis, Confidence, Finding, RuledOut, Verdict, Window
from ..readers import windows_boots, windows_events, windows_state
from ..readers.windows_boots import Boot, History
from ..readers.windows_events import Event
from ..wording import Text
from ..wording import say as _
from . import registry, signature, windows_bugcheck, windows_orderly, windows_quiet, windows_unclean
from . import windows_claims as claims

MODULES = (windows_bugcheck, windows_orderly, windows_unclean, windows_quiet)
CLOCK = timedelta(minutes=15)
SURE = {"event 1001": Confidence.CERTAIN, "event 41": Confidence.CERTAIN}


def judge(record: Mapping, window: Window | None = None) -> Analysis:
    """What the record tells about the last going-down, or about the last one in the window.

    `record` as windows_record.read gives it; one with "events" alone will do. The kind is one of
    the causes, or "undetermined" where there is nothing to judge by."""
    events = windows_events.ordered(record.get("events") or [])
    history = windows_boots.split(e for e in events if e.channel.lower() != "application")
    state = windows_state.read(record)
    boot = chosen(history, window)
    evidence = {
        "windows_events": events,
        "windows_history": history,
        "windows_record": record,
        "windows_state": state,
        "windows_dumps": windows_state.found_dumps(record) or (),
        "windows_live": state.last_boot is not None,
        "windows_since": within(history.since, window),
    }
    if boot:
        evidence["windows_boot"] = boot
    else:
        evidence["windows_quiet"] = within(events, window)
    outcome = registry.run(evidence, names())
    findings = sorted(outcome.findings, key=lambda one: -int(one.facts.get("weight", 0)))
    unseen = unrecorded(history, state)
    best = None if unseen else next((one for one in findings if "kind" in one.facts), None)
    return Analysis(
        verdict=verdict(best),
        findings=(*([unseen] if unseen else []), *findings),
        skipped=outcome.skipped,
        broken=outcome.broken,
        ruled_out=tuple(ruled_out(findings, best, boot)),
        at=boot.down_at or boot.at if boot else None,
        module=best.facts.get("driver") if best else None,
        reason=reason(best),
        details=details(findings, best, boot, history),
    )


def names() -> list[str]:
    """The analyzers of Windows records."""
    ours = tuple(module.__name__.rpartition(".")[2] + "." for module in MODULES)
    return [name for name in registry.ANALYZERS if name.startswith(ours)]


def chosen(history: History, window: Window | None) -> Boot | None:
    """The boot that is judged: the last; with a window the last that fell into it."""
    for boot in reversed(history.boots):
        if window is None:
            return boot
        down, up = boot.down_at or boot.at, boot.at or boot.down_at
        if down and up and down <= window.end and up >= window.start:
            return boot
    return None


def within(events: Iterable[Event], window: Window | None) -> tuple[Event, ...]:
    """Those of the window, and those without a time; all without a window."""
    return tuple(one for one in events if window is None or not one.at or window.holds(one.at))


def unrecorded(history: History, state: windows_state.WindowsState) -> Finding | None:
    """The machine booted later than its log knows: then the log says nothing about that boot."""
    last = max((boot.at for boot in history.boots if boot.at), default=None)
    if state.last_boot is None or last is None or state.last_boot - last <= CLOCK:
        return None
    title = _("The log ends before the last boot (%(at)s)", at=state.last_boot)
    return claims.context("windows.log.lost", title, None)


def verdict(best: Finding | None) -> Verdict:
    if best is None:
        return Verdict("undetermined", confidence=Confidence.NONE)
    facts = best.facts
    kind = str(facts["kind"])
    return Verdict(
        kind=kind,
        crashed=bool(facts["crashed"]),
        bugcheck_code=facts.get("bugcheck_code"),
        planned=None if kind.startswith("none_") else kind.startswith("planned_"),
        signature=signature.of_windows(facts),
        confidence=confidence(best),
    )


def confidence(best: Finding) -> Confidence:
    kind, facts = best.facts["kind"], best.facts
    if kind == "bugcheck":
        return SURE.get(str(facts.get("told_by")), Confidence.LIKELY)
    if kind in ("unclean_no_bugcheck", "unclean_unknown_code", "planned_unknown_initiator"):
        return Confidence.POSSIBLE
    return Confidence.LIKELY


def ruled_out(
    findings: list[Finding], best: Finding | None, boot: Boot | None
) -> Iterator[RuledOut]:
    if best is None or boot is None:
        return
    kind = str(best.facts["kind"])
    if kind.startswith("planned_"):
        because = _("no event 41, 6008 or BugCheck 1001 came with the boot")
        yield RuledOut(_("a crash"), because, claims.quote(boot.marks.get("start")))
    if kind in ("unclean_no_bugcheck", "power_button_forced"):
        because = _("event 41 carries code 0 and no BugCheck 1001 came with the boot")
        yield RuledOut(_("a bugcheck on record"), because, claims.quote(boot.marks.get("unclean")))
    for finding in findings:
        if finding is not best and finding.facts.get("kind") in ("none_app_crash",):
            what = _("a crashed program as the cause")
            yield RuledOut(what, finding.title, finding.quote)


def reason(best: Finding | None) -> str | Text | None:
    if best is None:
        return None
    name, code = best.facts.get("name"), best.facts.get("bugcheck_code")
    return f"{code} {name}".strip() if code else best.title


def details(
    findings: list[Finding], best: Finding | None, boot: Boot | None, history: History
) -> dict[str, object]:
    """Facts for the report: times of the boot, what became of the dump, who asked."""
    found: dict[str, object] = {"last_boot": history.boots[-1].at if history.boots else None}
    if boot:
        found |= {
            "booted_at": boot.at,
            "previous_boot": boot.previous,
            "heartbeat": boot.heartbeat,
            "down_at": boot.down_at,
        }
    dump = next((one for one in findings if one.code == "windows.dump"), None)
    if dump:
        found |= {"dump": dump.facts.get("dump"), "dump_path": dump.facts.get("path")}
    if best:
        keys = ("process", "user", "reason_code", "comment", "parameters", "meaning", "hint", "gap")
        found |= {key: best.facts[key] for key in keys if best.facts.get(key)}
    return found
