"""The shape of an answer, and what every answer carries beside its cause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from diagnostics import check_words
from diagnostics.conclusions import advice, chain
from diagnostics.conclusions.asking import about
from diagnostics.facts import Facts
from diagnostics.findings import Analysis, Confidence, Finding, Quote, Verdict
from diagnostics.incident import ORDERLY, Incident, fits
from diagnostics.wording import Text, quoted
from diagnostics.wording import say as _

NOBODY = _("nobody: no action is needed")
OPERATORS = _("whoever operates the instance")
SUPPORT = _("Alibaba Cloud support, asked by whoever operates the instance")
OWNER = _("whoever owns the Alibaba Cloud account")


@dataclass(frozen=True, slots=True)
class Excluded:
    """Another explanation, and what speaks against it."""

    what: Text
    because: Text
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What a rule answers; `complete` makes a Conclusion of it."""

    verdict: Verdict
    sentence: Text
    advice: tuple[Text, ...]
    next_step: Text
    owner: Text
    went_down_at: datetime | None = None
    came_back_at: datetime | None = None
    excluded: tuple[Excluded, ...] = ()
    contradictions: tuple[Text, ...] = ()
    ends_search: bool = False
    origin: str = "guest"  # the evidence it rests on: guest | console | events | own | trail | none
    chain: tuple[chain.Link, ...] = ()  # what led to it, the first cause first
    names: Text | None = None  # who or what asked for it; for our own copy only
    end: str | Text = ""  # the end of that chain, as the record puts it
    cites: tuple[Finding, ...] = ()  # what no analyzer found, but a source outside of the guest


@dataclass(frozen=True, slots=True)
class Conclusion:
    verdict: Verdict
    root_cause: Text
    impact: Text
    recommendations: tuple[Text, ...]  # never empty
    excluded: tuple[Excluded, ...]
    contradictions: tuple[Text, ...]
    not_checked: tuple[Text, ...]
    next_step: Text
    owner: Text
    basis: Text  # how we know when
    window_start: datetime | None
    window_end: datetime | None
    went_down: bool | None
    went_down_at: datetime | None
    came_back_at: datetime | None
    outage_minutes: int | None
    ends_search: bool
    origin: str
    cites: tuple[Finding, ...] = ()
    chain: tuple[Text, ...] = ()  # what led to it, in order, the end last
    names: Text | None = None
    last_sign: bool = False  # `went_down_at` is its last sign of life: it went down after that


def complete(cause: Cause, facts: Facts, incident: Incident) -> Conclusion:
    incident = _timed(incident, cause)
    went_down = True if cause.verdict.kind in PLATFORM else incident.went_down
    missing = not_checked(facts, needed=went_down is not False and not cause.ends_search)
    return Conclusion(
        verdict=_as_sure_as_the_evidence(cause, facts),
        root_cause=_with_origin(cause, facts),
        impact=impact(facts, incident, went_down, cause.verdict.kind),
        recommendations=(*cause.advice, *advice.before_the_next_one(facts, cause.verdict)),
        excluded=(*cause.excluded, *excluded(facts, incident, cause)),
        contradictions=(*cause.contradictions, *contradictions(facts, incident, cause)),
        not_checked=missing,
        next_step=cause.next_step,
        owner=cause.owner,
        basis=incident.basis,
        window_start=incident.window.start if incident.window else None,
        window_end=incident.window.end if incident.window else None,
        went_down=went_down,
        went_down_at=incident.went_down_at,
        came_back_at=incident.came_back_at,
        outage_minutes=incident.minutes(),
        ends_search=cause.ends_search,
        origin=cause.origin,
        cites=cause.cites,
        chain=chain.lines(cause.chain, cause.end) if cause.chain else (),
        names=cause.names,
        last_sign=incident.last_sign,
    )


def _timed(incident: Incident, cause: Cause) -> Incident:
    """With the times of the cause's own record; none is told that is later than the return."""
    down, back = cause.went_down_at, cause.came_back_at or incident.came_back_at
    if down is None or (back and down > back) or down == incident.went_down_at:
        return replace(incident, came_back_at=back)
    return replace(incident, went_down_at=down, came_back_at=back, last_sign=False)


def _with_origin(cause: Cause, facts: Facts) -> Text:
    """What a person handed in is evidence, but nobody verified whose it is."""
    if not facts.handed or cause.origin != "guest" or cause.verdict.kind == "undetermined":
        return cause.sentence
    return _(
        "%(sentence)s This rests on what a person handed in (%(files)s); the portal could not"
        " verify where it comes from.",
        sentence=cause.sentence,
        files=quoted(", ".join(facts.handed[:5])),
    )


PLATFORM = frozenset({"platform_maintenance", "platform_failure", "instance_expired"})


def _as_sure_as_the_evidence(cause: Cause, facts: Facts) -> Verdict:
    """Half the output, or a source that was not asked, never leaves a negative certain."""
    verdict = cause.verdict
    negative = verdict.kind in {"unexplained_reboot", "none", "unclean_no_bugcheck"}
    blind = not facts.guest_complete or not facts.asked("events")
    if verdict.kind == "none" and facts.boot is not None:
        return verdict  # the boot time alone proves that it stayed up
    if negative and blind and verdict.confidence in (Confidence.CERTAIN, Confidence.LIKELY):
        return replace(verdict, confidence=Confidence.POSSIBLE)
    return verdict


def impact(facts: Facts, incident: Incident, went_down: bool | None, kind: str) -> Text:
    if went_down is False:
        return _("The system stayed up; there was no outage of the whole instance.")
    if facts.machine.status == "Stopped":
        if incident.went_down_at:
            return _("The instance is down since %(down)s.", down=incident.went_down_at)
        return _("The instance is stopped; no record tells since when.")
    if incident.minutes() is not None and incident.last_sign:
        return _(
            "The whole instance was down for at most %(minutes)s min: its last sign of life is of"
            " %(down)s, and it was back at %(up)s; everything on it was interrupted.",
            minutes=incident.minutes(),
            down=incident.went_down_at,
            up=incident.came_back_at,
        )
    if incident.minutes() is not None:
        return _(
            "The whole instance was down for about %(minutes)s min, from %(down)s to %(up)s;"
            " everything on it was interrupted.",
            minutes=incident.minutes(),
            down=incident.went_down_at,
            up=incident.came_back_at,
        )
    if incident.came_back_at:
        return _(
            "The whole instance was interrupted and came back at %(up)s; no record tells when it"
            " went down.",
            up=incident.came_back_at,
        )
    if incident.went_down_at:
        return _(
            "The whole instance was interrupted at %(down)s; no record tells when it came back.",
            down=incident.went_down_at,
        )
    if went_down:
        return _("The whole instance was interrupted; no record tells for how long.")
    return _("Whether and for how long the instance was down could not be established.")


def excluded(facts: Facts, incident: Incident, cause: Cause) -> tuple[Excluded, ...]:
    """What was asked and speaks against other explanations. An unasked source excludes nothing."""
    found = []
    if incident.window and not _platform_acted(facts, incident) and kind_is_ours(cause):
        found.append(_no_platform_event(facts))
    if incident.window and not _we_acted(facts, incident) and cause.origin != "own":
        found.append(
            Excluded(
                _("A reboot by this portal"),
                _("The portal's own records name no reboot or run that could stop it then."),
            )
        )
    if incident.window and facts.trail and facts.trail.covers(incident.window):
        found += _nobody_else(facts, incident)
    if cause.origin in ("guest", "console"):
        analysis = facts.guest if cause.origin == "guest" else facts.console
        found += [
            Excluded(each.what, each.because, each.quote)
            for each in (analysis.ruled_out if analysis else ())
        ]
    return tuple(found)


def _nobody_else(facts: Facts, incident: Incident) -> tuple[Excluded, ...]:
    if any(incident.window.holds(act.at) and not act.error for act in facts.trail.acts):
        return ()
    because = _(
        "The account's audit trail has no call that reboots, stops or starts it between %(start)s"
        " and %(end)s.",
        start=facts.trail.since,
        end=facts.trail.until,
    )
    return (Excluded(_("A reboot asked through the ECS console or API"), because),)


def kind_is_ours(cause: Cause) -> bool:
    return cause.verdict.kind not in PLATFORM


def _platform_acted(facts: Facts, incident: Incident) -> bool:
    """It did, or it could not be asked."""
    return not facts.asked("events") or any(
        event.cycle_status in ("Executed", "Executing") and fits(event, incident.window)
        for event in facts.events
    )


def _we_acted(facts: Facts, incident: Incident) -> bool:
    return not facts.asked("own") or any(
        act.takes_down and incident.window.holds(act.at) for act in facts.acts
    )


def _no_platform_event(facts: Facts) -> Excluded:
    if not facts.events:
        because = _("ECS was asked for its system events of every status and has none.")
    else:
        because = _(
            "ECS was asked; none of its %(count)s system events of this instance acted in the"
            " window.",
            count=len(facts.events),
        )
    return Excluded(_("A platform event"), because)


def contradictions(facts: Facts, incident: Incident, cause: Cause) -> tuple[Text, ...]:
    said = []
    if facts.other_host and cause.origin == "guest":
        said.append(
            _(
                "What was handed in is of the host %(told)s, but this instance is called %(known)s."
                " Check that it is of this machine.",
                told=quoted(facts.other_host),
                known=quoted(facts.machine.hostname),
            )
        )
    boot, asked = incident.other, facts.reported
    if boot and asked and incident.went_down is None:
        said.append(_("The guest's present boot began at %(boot)s.", boot=boot))
    if boot and asked and incident.went_down is False and boot > asked.end:
        said.append(
            _(
                "It did boot at %(boot)s, after the reported time. If that is the reboot that was"
                " meant, open a case for that time.",
                boot=boot,
            )
        )
    if _failed_by_the_platform(cause) and about(facts.guest, incident) and _ended_in_order(facts):
        said.append(
            _(
                "The guest's own record shows an orderly end (%(line)s), which neither a failing"
                " host nor a dead guest leaves: both may have happened, one after the other.",
                line=quoted(_line(facts.guest)),
            )
        )
    if cause.origin == "events" and _crash_record(facts.guest):
        said.append(
            _(
                "The guest also holds a record of a crash: %(line)s",
                line=quoted(_crash_record(facts.guest)),
            )
        )
    return tuple(said)


def _failed_by_the_platform(cause: Cause) -> bool:
    """Its own events say that the host or the guest failed."""
    return cause.origin == "events" and cause.verdict.kind not in PLANNED


PLANNED = frozenset({"platform_maintenance", "instance_expired"})


def _ended_in_order(facts: Facts) -> bool:
    return facts.guest is not None and facts.guest.verdict.kind in ORDERLY


def _line(analysis: Analysis) -> str | Text:
    return analysis.reason or (analysis.findings[0].title if analysis.findings else "")


def _crash_record(analysis: Analysis | None) -> str | Text:
    if analysis is None or analysis.verdict.kind not in ("kernel_panic", "bugcheck"):
        return ""
    return analysis.reason or analysis.verdict.kind


def not_checked(facts: Facts, *, needed: bool = True) -> tuple[Text, ...]:
    """What could not be asked. Who else acted is `needed` only where something is to explain."""
    missing = [
        _("%(source)s: %(why)s", source=SOURCE_NAMES[source], why=why)
        for source, why in facts.unasked.items()
        if needed or source != "audit_trail"
    ]
    if not facts.guest_complete:
        missing.append(
            _("Part of what the guest printed was lost on the way; only the rest was judged.")
        )
    for label, analysis in ((_("guest"), facts.guest), (_("console"), facts.console)):
        for name, error in (analysis.broken if analysis else {}).items():
            missing.append(
                _(
                    'The check "%(name)s" of the %(label)s broke: %(error)s',
                    name=check_words.check(name),
                    label=label,
                    error=error,
                )
            )
    return tuple(missing)


SOURCE_NAMES = {
    "instance": _("Instance"),
    "events": _("Platform events"),
    "own": _("Own actions"),
    "audit_trail": _("Audit trail of the account"),
    "agent": _("Agent status"),
    "guest": _("Guest records"),
    "console": _("Console output"),
    "screenshot": _("Screenshot"),
}
