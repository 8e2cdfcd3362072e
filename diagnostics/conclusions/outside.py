"""Did somebody else ask ECS for it: calls of other keys, by the account's audit trail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from diagnostics.conclusions.answer import OWNER, Cause
from diagnostics.conclusions.asking import named_by_the_guest
from diagnostics.facts import Facts, OutsideAct
from diagnostics.findings import Confidence, Finding, Quote, Severity, Verdict
from diagnostics.incident import ORDERLY, UNEXPLAINED, Incident
from diagnostics.wording import Text, quoted
from diagnostics.wording import say as _

TAKE_DOWN = frozenset({"RebootInstance", "RebootInstances", "StopInstance", "StopInstances"})
CLOCKS = timedelta(minutes=2)  # the trail's, ours and the guest's
OUR_AGENT = "ecs-portal"
UNNAMED = _("an unnamed identity")
HANGING = timedelta(minutes=5)  # no sign of life for so long before it was asked for


def others(facts: Facts) -> tuple[OutsideAct, ...]:
    """Calls that this portal did not make: its own it knows by their RequestIds, and where it
    got none, by its key and the time."""
    ours = {act.reference for act in facts.acts if act.reference}
    unanswered = [act.at for act in facts.acts if act.takes_down and not act.reference]
    return tuple(
        act
        for act in (facts.trail.acts if facts.trail else ())
        if act.request_id not in ours
        and not (_ours(act) and any(abs(act.at - at) <= CLOCKS for at in unanswered))
    )


def _ours(act: OutsideAct) -> bool:
    """Our key of now, or, for keys that change with the hours, the name that our calls carry."""
    return act.our_key or OUR_AGENT in act.agent


def acting(facts: Facts, incident: Incident) -> OutsideAct | None:
    """The last call that ECS took in the window, before the boot, and that takes it down."""
    if incident.window is None or incident.went_down is False:
        return None
    end = incident.came_back_at or incident.window.end
    fitting = [
        act
        for act in others(facts)
        if act.name in TAKE_DOWN and not act.error and incident.window.start <= act.at <= end
    ]
    return max(fitting, key=lambda act: act.at, default=None)


def took_it_down(facts: Facts, incident: Incident) -> Cause | None:
    act = acting(facts, incident)
    if act is None or named_by_the_guest(facts, incident):
        return None
    how = _how(act)
    return Cause(
        Verdict(
            "outside_action",
            planned=True,
            signature="outside_action",
            confidence=Confidence.CERTAIN,
        ),
        _(
            "%(who)s had ECS take the instance down at %(at)s, not through this portal: %(name)s%"
            "(forced)s from %(where)s%(how)s (audit trail, RequestId %(id)s).",
            who=_who(act),
            at=act.at,
            name=act.name,
            forced=_(", forced,") if act.forced else "",
            where=act.source_ip or _("an address that the trail does not tell"),
            how=how,
            id=act.request_id,
        ),
        (
            _("Ask whoever holds the identity that the audit trail names whether it was intended."),
            _(
                "Should it not have been: take the right to reboot and stop instances from that"
                " identity, or disable its key, and look at what else it did in ActionTrail."
            ),
        ),
        _("Confirm with whoever asked for it; nothing has to be repaired."),
        OWNER,
        went_down_at=incident.went_down_at or act.at,
        contradictions=_against(facts, incident, act),
        cites=(cited(act),),
        origin="trail",
    )


def _who(act: OutsideAct) -> Text:
    if act.our_key:
        return _(
            "Somebody who used this portal's own key (%(user)s) outside of it",
            user=quoted(act.user),
        )
    if act.user:
        return _("%(user)s (%(type)s)", user=quoted(act.user), type=quoted(act.user_type))
    return _("An identity that the audit trail does not name")


def _how(act: OutsideAct) -> Text:
    return _(", with %(agent)s", agent=quoted(act.agent)) if act.agent else quoted("")


def _against(facts: Facts, incident: Incident, act: OutsideAct) -> tuple[Text, ...]:
    """What the guest's own record does not have in common with an orderly reboot."""
    record = facts.guest
    if record is None or record.verdict.kind not in UNEXPLAINED:
        return ()
    last = incident.went_down_at
    if last and act.at - last > HANGING:
        return (
            _(
                "The guest's last sign of life (%(last)s) is older than the call: it may have hung"
                " before, and was rebooted for that.",
                last=last,
            ),
        )
    return (
        _(
            "The guest holds no record of an orderly end: it was forced, or did not react to the"
            " call in time."
        ),
    )


def cited(act: OutsideAct) -> Finding:
    """The trail's own event, as a finding of the case."""
    who = f"{act.user} ({act.user_type})" if act.user else str(UNNAMED)
    words = [act.at.isoformat(), act.name, who, act.source_ip, act.agent, act.request_id]
    quote = Quote(" | ".join(word for word in words if word), "audit_trail", act.at)
    named = _("%(user)s (%(type)s)", user=act.user, type=act.user_type)
    title = _("%(who)s called %(name)s", who=named if act.user else UNNAMED, name=act.name)
    return Finding("outside.power-call", Severity.CRITICAL, title, quote, "conclusions.outside")


def beside(facts: Facts, incident: Incident, cause: Cause) -> Cause:
    """A call in the window that is not the cause is told all the same."""
    act = acting(facts, incident)
    if act is None or cause.origin == "trail":
        return cause
    if cause.verdict.kind in ORDERLY:
        said = _(
            "The audit trail also has %(name)s of somebody else at %(at)s; the guest's record names"
            " another who asked for it.",
            name=act.name,
            at=act.at,
        )
    else:
        said = _(
            "The audit trail also has %(name)s of somebody else at %(at)s: an answer to it rather"
            " than its reason.",
            name=act.name,
            at=act.at,
        )
    finding = replace(cited(act), severity=Severity.INFO)
    return replace(
        cause, contradictions=(*cause.contradictions, said), cites=(*cause.cites, finding)
    )
