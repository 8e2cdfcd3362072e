"""The final report of a batch: what happened to each machine, as Markdown and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commands.models import ItemOutcome, RebootBatch, RebootItem
from commands.reboots import shown

COLUMNS: dict[Any, Callable[[RebootItem], object]] = {
    gettext_lazy("Instance"): lambda item: item.instance.instance_id,
    gettext_lazy("Name"): lambda item: item.instance.name,
    gettext_lazy("Region"): lambda item: item.instance.region,
    gettext_lazy("Wave"): lambda item: item.wave.number if item.wave else "",
    gettext_lazy("Outcome"): lambda item: item.outcome or item.state,
    gettext_lazy("Verdict"): lambda item: item.verdict,
    gettext_lazy("Reason"): lambda item: shown.reason_words(item),
    gettext_lazy("Taken down"): lambda item: item.asked_at,
    gettext_lazy("Judged"): lambda item: item.judged_at,
    gettext_lazy("Boot ID before"): lambda item: item.before_boot_id,
    gettext_lazy("Boot ID after"): lambda item: item.after_boot_id,
    gettext_lazy("Booted before"): lambda item: item.before_booted_at,
    gettext_lazy("Booted after"): lambda item: item.after_booted_at,
    gettext_lazy("Planned event"): lambda item: item.event_status,
    gettext_lazy("RequestId"): lambda item: item.request_id,
    gettext_lazy("Came back late"): lambda item: item.late_at,
}


def by_outcome(items: Any) -> Iterator[tuple[ItemOutcome, list[RebootItem]]]:
    """The worst first, each with its instances by name."""
    rows: dict[str, list[RebootItem]] = {}
    for item in items.select_related("instance", "wave", "batch").order_by("place"):
        rows.setdefault(item.outcome, []).append(item)
    order = ["bad", "attention", "going", "good"]
    for outcome in sorted(filter(None, rows), key=lambda o: order.index(shown.TONES[o])):
        yield ItemOutcome(outcome), rows[outcome]


def markdown(batch: RebootBatch, items: Any) -> str:
    """The report as Markdown; names and reasons are put so that they stay plain text."""
    found = shown.counts(items)
    lines = [
        f"# {plain(batch.name)}",
        "",
        f"**{shown.headline(batch, found) or '—'}**",
        "",
        f"- {_('Way down')}: {batch.get_way_display()}",
        f"- {_('State')}: {batch.get_state_display()} {batch.get_ending_display()}".rstrip(),
        f"- {_('Reason')}: {plain(batch.reason)}",
        f"- {_('Ticket')}: {plain(batch.ticket) or '—'}",
        f"- {_('Asked by')}: {plain(str(batch.asked_by or '—'))}, {_at(batch.asked_at)}",
    ]
    for approval in batch.approvals.order_by("pk"):
        for decision in approval.decisions.select_related("person", "rule").order_by("at"):
            who = plain(str(decision.person or decision.rule))
            word = _("yes") if decision.yes else _("no")
            told = f"- {_('Decided by')}: {who}, {word}, {_at(decision.at)}"
            lines.append(f"{told}: {plain(decision.comment)}" if decision.comment else told)
    lines += [
        f"- {_('Started')}: {_at(batch.started_at)}",
        f"- {_('Finished')}: {_at(batch.finished_at)}",
        *_emergency(batch),
    ]
    if hidden := batch.size - sum(found.values()):
        words = _("%(hidden)s more instances are outside the part of the fleet that you see.")
        lines += ["", words % {"hidden": hidden}]
    for outcome, rows in by_outcome(items):
        lines += ["", f"## {outcome.label}: {len(rows)}", ""]
        lines += [_row(item) for item in rows]
    return "\n".join(lines) + "\n"


def _emergency(batch: RebootBatch) -> list[str]:
    """What a yes covered; where there was none, that, and who looked at it afterwards."""
    if not batch.emergency:
        return [f"- {_('Digest of what was approved')}: `{batch.digest}`"]
    due = f"{_('Nobody else has reviewed it yet; due')} {_at(batch.review_due_at)}"
    if batch.reviewed_at:
        who = f"{plain(str(batch.reviewed_by))}, {_at(batch.reviewed_at)}"
        due = f"{_('Reviewed by')} {who}: {plain(batch.review)}"
    return [
        f"- {_('Emergency')}: {_('Nobody approved it beforehand.')} {due}",
        f"- {_('Digest of what was asked for')}: `{batch.digest}`",
    ]


def _row(item: RebootItem) -> str:
    said = [f"- {plain(str(item.instance))} `{item.instance.instance_id}`"]
    if reason := shown.reason_words(item):
        said.append(plain(reason))
    if item.after_boot_id:
        before = item.before_boot_id or _("not read")
        said.append(f"`{before}` → `{item.after_boot_id}`, {_at(item.after_booted_at)}")
    if item.late_at:
        said.append(_("came back late, %s") % _at(item.late_at))
    return "; ".join(said)


def plain(text: str) -> str:
    """Text of people and machines that cannot become markup."""
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#|" else sign for sign in flat)


def _at(moment: Any) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}" if moment else "—"
