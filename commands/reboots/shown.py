"""How batches look on pages: bars, why something waits, what an instance's reason means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.models import (
    Approval,
    BatchState,
    FreezeWindow,
    ItemOutcome,
    ItemState,
    RebootBatch,
    RebootItem,
    RebootWave,
    WaveStage,
)
from commands.reboots import halting, looking, planning
from commands.reboots.preflight import Unfit
from commands.shown import Bar
from portal.kept import told

TONES = {
    ItemOutcome.PROVEN: "good",
    ItemOutcome.REHEARSED: "good",
    ItemOutcome.NOT_BACK: "bad",
    ItemOutcome.SAME_BOOT: "bad",
    ItemOutcome.CHECK_FAILED: "bad",
    ItemOutcome.PRE_FAILED: "bad",
    ItemOutcome.REFUSED: "bad",
    ItemOutcome.UNVERIFIED: "attention",
    ItemOutcome.SKIPPED: "attention",
    ItemOutcome.NOT_STARTED: "attention",
    "": "going",
}
BATCH_TONES = {
    BatchState.WAITING: "attention",
    BatchState.READY: "going",
    BatchState.RUNNING: "going",
    BatchState.PAUSED: "attention",
}
ENDING_TONES = {"done": "good", "budget": "bad", "shrunk": "bad"}


def counts(items: Any) -> dict[str, int]:
    """How many items ended how; "" are those that are not over."""
    return dict(items.order_by().values_list("outcome").annotate(Count("pk")))


def bars(found: Mapping[str, int]) -> list[Bar]:
    whole, x, drawn = sum(found.values()), 0.0, []
    for outcome, tone in TONES.items():
        if number := found.get(outcome, 0):
            label = str(ItemOutcome(outcome).label) if outcome else _("not over yet")
            width = round(100 * number / whole, 2)
            drawn.append(Bar(outcome, label, number, tone, round(x, 2), width))
            x += width
    return drawn


def tone_of(batch: RebootBatch) -> str:
    if batch.over:
        return ENDING_TONES.get(batch.ending, "attention")
    return BATCH_TONES[BatchState(batch.state)]


def headline(batch: RebootBatch, found: Mapping[str, int]) -> str:
    """What a person reads first: the numbers that matter, in words."""
    said = [
        f"{found[outcome]} {ItemOutcome(outcome).label}"
        for outcome in TONES
        if outcome and found.get(outcome)
    ]
    going = found.get("", 0)
    if going and batch.state not in (BatchState.WAITING, BatchState.READY):
        said.append(ngettext("%d not over yet", "%d not over yet", going) % going)
    return ", ".join(said)


def waits_for(batch: RebootBatch, now: datetime | None = None) -> str:
    """Why it is not over, in one sentence; "" where it is."""
    now = now or timezone.now()
    if batch.over:
        return ""
    why = paused_words(batch) if batch.state == BatchState.PAUSED else ""
    if waiting := batch.approvals.filter(state="waiting").first():
        return f"{why} {_approval_words(waiting)} {looking.unasked(batch)}".strip()
    if why:
        return why
    if batch.stop_asked_at:
        return _("Stopped; what is down already is followed until it is back.")
    if now < batch.opens_at:
        return _("Approved; its window opens at %s.") % _clock(batch.opens_at)
    going = batch.waves.exclude(stage__in=(WaveStage.LATE, WaveStage.OVER)).order_by("number")
    said = [wave_words(wave, now) for wave in going[:3]]
    if said := [*said, *filter(None, [_trouble(batch)])]:
        return " ".join(said)
    if window := _freeze(batch, now):
        told = {"window": window, "until": _clock(window.ends_at)}
        return _("The freeze %(window)s stands in the way until %(until)s.") % told
    if _held_back(batch):
        return _("No instance may go down now: the spread limits hold those that are left back.")
    return _("The next wave begins in a moment.")


def _approval_words(waiting: Approval) -> str:
    words = _("Waits for somebody else's yes: %(given)d of %(needed)d given, until %(until)s.")
    return words % {
        "given": waiting.decisions.filter(yes=True).count(),
        "needed": waiting.quorum,
        "until": _clock(waiting.expires_at),
    }


def paused_words(batch: RebootBatch) -> str:
    """Why it is paused, in the reader's language where the reason is one of our own."""
    return _("Paused: %s") % pause_reason(batch)


def pause_reason(batch: RebootBatch) -> str:
    """The outcomes that it names are translated too."""
    with translation.override(None):
        labels = {str(outcome.label): outcome for outcome in ItemOutcome}
    longest_first = "|".join(re.escape(each) for each in sorted(labels, key=len, reverse=True))
    named = re.compile(rf"(?<= )(?:{longest_first})(?=, |\. |$)")
    return told(named.sub(lambda found: str(labels[found[0]].label), batch.paused_why))


def _freeze(batch: RebootBatch, now: datetime) -> FreezeWindow | None:
    left = [item.instance for item in planning.pending(batch)]
    return halting.freeze(batch, left, now)


def _held_back(batch: RebootBatch) -> bool:
    pending = planning.pending(batch)
    return bool(pending and batch.spread and planning.down_now())


def _trouble(row: RebootBatch | RebootWave) -> str:
    """What went wrong in its latest step, which is tried again."""
    if not row.last_error or row.due_at is None:
        return ""
    words = _("The latest step went wrong, and is tried again at %(at)s: %(error)s")
    return words % {"at": _clock(row.due_at), "error": row.last_error[:300]}


def wave_words(wave: RebootWave, now: datetime) -> str:
    """What this wave is doing and until when at most."""
    label = _("Wave %(number)d: %(stage)s.") % {
        "number": wave.number,
        "stage": wave.get_stage_display(),
    }
    if wave.deadline:
        label += " " + _("ECS could not be asked; it is tried until %s.") % _clock(wave.deadline)
    label = f"{label} {_trouble(wave)}".strip()
    if wave.stage != WaveStage.PROVING:
        return label
    awaited = wave.items.filter(state=ItemState.ASKED)
    number = awaited.count()
    last = awaited.order_by("-back_by").values_list("back_by", flat=True).first()
    if not number or not last:
        return label
    words = ngettext(
        "%(label)s %(number)d instance is awaited, until %(until)s at most.",
        "%(label)s %(number)d instances are awaited, until %(until)s at most.",
        number,
    )
    return words % {"label": label, "number": number, "until": _clock(last)}


def reason_words(item: RebootItem) -> str:
    """Why it ended so, with our own reasons in the reader's language."""
    code, _colon, rest = item.reason.partition(": ")
    if item.outcome == ItemOutcome.SKIPPED and code in Unfit.values:
        label = str(Unfit(code).label)
        return f"{label}: {told(rest)}" if rest else label
    return told(item.reason)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of an item's timeline."""

    at: datetime
    what: str
    proof: str = ""
    tone: str = "unknown"


def timeline(item: RebootItem) -> list[Moment]:
    """Everything that was seen of this instance, in the order of its times."""
    batch, found = item.batch, []

    def tell(at: datetime | None, what: str, proof: str = "", tone: str = "unknown") -> None:
        if at:
            found.append(Moment(at, what, proof, tone))

    tell(batch.asked_at, _("asked for by %s") % (batch.asked_by or "—"), batch.reason)
    for approval in batch.approvals.all():
        for decision in approval.decisions.select_related("person", "rule"):
            who = decision.person or decision.rule
            said = _("approved by %s") if decision.yes else _("rejected by %s")
            tell(decision.at, said % who, decision.comment, "good" if decision.yes else "bad")
    if item.wave:
        tell(item.wave.started_at, _("wave %d begins") % item.wave.number)
    tell(item.before_booted_at, _("booted, the time before"), item.before_boot_id)
    tell(item.asked_at, _("taken down: %s") % batch.get_way_display(), item.request_id, "going")
    tell(item.answered_at, _("ECS took it"), item.request_id)
    tell(item.down_seen_at, _("seen down"), "", "going")
    tell(item.up_seen_at, _("seen running again"))
    tell(item.after_booted_at, _("booted"), item.after_boot_id)
    if item.verdict:
        tone = TONES.get(item.outcome, "unknown")
        tell(item.judged_at, _("judged: %s") % item.get_verdict_display(), reason_words(item), tone)
    tell(item.late_at, _("came back late"), item.late_boot_id, "attention")
    return sorted(found, key=lambda row: row.at)


def _clock(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{local:%Y-%m-%d %H:%M} {local.tzname()}"
