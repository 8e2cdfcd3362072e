"""Did we do it: runs and reboots of this portal."""

from __future__ import annotations

from diagnostics.conclusions import outside
from diagnostics.conclusions.answer import NOBODY, Cause
from diagnostics.facts import Facts, OwnAct
from diagnostics.findings import Confidence, Verdict
from diagnostics.incident import Incident
from diagnostics.wording import say as _


def acting(facts: Facts, incident: Incident) -> OwnAct | None:
    """The last act in the window, before the boot, that can take an instance down."""
    if incident.window is None or incident.went_down is False:
        return None
    end = incident.came_back_at or incident.window.end
    acts = [a for a in facts.acts if a.takes_down and incident.window.start <= a.at <= end]
    ours, other = max(acts, key=lambda act: act.at, default=None), outside.acting(facts, incident)
    return None if ours and other and other.at > ours.at else ours


def took_it_down(facts: Facts, incident: Incident) -> Cause | None:
    act = acting(facts, incident)
    if act is None:
        return None
    approved = (
        _(
            "asked for by %(asker)s, approved by %(approver)s",
            asker=act.asked_by,
            approver=act.approved_by,
        )
        if act.approved_by
        else _("asked for by %(asker)s", asker=act.asked_by)
    )
    return Cause(
        Verdict("own_action", planned=True, signature="own_action", confidence=Confidence.CERTAIN),
        _(
            "This portal took the instance down at %(at)s: %(name)s (%(reference)s), %(who)s.",
            at=act.at,
            name=act.name,
            reference=act.reference,
            who=approved,
        ),
        (
            _(
                "Nothing has to be repaired. If it came at a bad time, ask the person named and"
                " agree on a window."
            ),
        ),
        _("Tell whoever reported it that the reboot was intended."),
        NOBODY,
        went_down_at=incident.went_down_at or act.at,
        origin="own",
    )
