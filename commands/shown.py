"""How runs look on pages: bars of outcomes, and why something is still waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.models import Dispatch, Invocation, Outcome
from commands.targets import Selection
from instances.models import InstanceGroup

TONES = {
    Outcome.OK: "good",
    Outcome.GOING_DOWN: "good",
    Outcome.FAILED: "bad",
    Outcome.UNREACHED: "bad",
    Outcome.STOPPED: "attention",
    Outcome.NOT_STARTED: "attention",
    Outcome.UNKNOWN: "attention",
    "": "going",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One outcome's share of a run, drawn in hundredths of the whole."""

    outcome: str
    label: str
    count: int
    tone: str
    x: float
    width: float


def bars(counts: Mapping[str, int]) -> list[Bar]:
    whole = sum(counts.values())
    found, x = [], 0.0
    for outcome, tone in TONES.items():
        if number := counts.get(outcome, 0):
            label = str(Outcome(outcome).label) if outcome else _("not over yet")
            width = round(100 * number / whole, 2)
            found.append(Bar(outcome, label, number, tone, round(x, 2), width))
            x += width
    return found


def picked_by(kept: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How instances were picked (a run's or a schedule's JSON), as label and value."""
    selection = Selection.read(kept)
    group = InstanceGroup.objects.filter(pk=selection.group).first() if selection.group else None
    narrowed = [f"{name}={value}" for name, value in selection.filter.items()]
    told = [
        (_("Ticked instances"), str(len(selection.picked)) if selection.picked else ""),
        (_("IDs, IPs, names or hostnames"), selection.text),
        (_("Group"), str(group or f"#{selection.group}") if selection.group else ""),
        (_("Only those that fit"), ", ".join(narrowed)),
    ]
    return [(label, value) for label, value in told if value]


def waiting_for(run: Invocation) -> str:
    """What keeps this run from being over, in one sentence."""
    if run.state == Invocation.State.WAITING:
        return _("Somebody else has to approve it first.")
    rows = run.dispatches.exclude(state=Dispatch.State.FINISHED).order_by().values_list("state")
    sizes = {state: size for state, _n, size in rows.annotate(Count("pk"), Sum("size"))}
    said = []
    if size := sizes.get("sent"):
        said.append(
            ngettext(
                "ECS has it; answers of %d instance are awaited.",
                "ECS has it; answers of up to %d instances are awaited.",
                size,
            )
            % size
        )
    if size := sizes.get("sending"):
        said.append(_("A call for %d instances is on its way.") % size)
    if size := sizes.get("waiting"):
        said.append(_("%d instances wait for a worker to send their call.") % size)
    if size := sizes.get("held"):
        said.append(_("%d instances are held back until others are over.") % size)
    trouble = run.dispatches.exclude(state=Dispatch.State.FINISHED).exclude(error="")
    if last := trouble.values_list("error_code", "error").first():
        said.append(_("ECS last said: %(code)s %(words)s") % {"code": last[0], "words": last[1]})
    return " ".join(said)
