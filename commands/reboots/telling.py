"""Who is told of a batch, wherever they are; see portal.notices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.models import Ending, ItemOutcome, RebootBatch
from commands.reboots import shown
from instances import groups
from instances.models import Instance
from portal import notices

NAMED = 30  # instances in one message
ASKED = 100  # people looked at for an emergency
BAD = (*ItemOutcome.errors(), ItemOutcome.SKIPPED, ItemOutcome.NOT_STARTED)
HALTED = (Ending.BUDGET, Ending.SHRUNK)


def started(batch: RebootBatch) -> None:
    """Its first wave begins."""
    _tell(batch, "reboot.started", lambda: _("Reboots begin: %s") % batch, _size(batch))


def paused(batch: RebootBatch) -> None:
    """It waits for a person; each pause is told."""

    def title() -> str:
        return _("Reboots are paused: %s") % batch

    which = f"{batch.pk}:{batch.waves.count()}"
    _tell(batch, "reboot.paused", title, lambda: [shown.pause_reason(batch)], which=which)


def finished(batch: RebootBatch) -> None:
    """It is over: what came of it, and each instance that is not proven, with its reason."""
    batch.refresh_from_db()
    found = dict(_counts(batch))
    event = "reboot.halted" if batch.ending in HALTED else "reboot.finished"

    def title() -> str:
        words = ", ".join(f"{n} {ItemOutcome(outcome).label}" for outcome, n in found.items())
        return f"{batch}: {batch.get_ending_display()}" + (f" ({words})" if words else "")

    _tell(batch, event, title, lambda: _not_proven(batch))


def back(batch: RebootBatch) -> None:
    """An instance that had not come back is there after all."""
    late = batch.items.exclude(late_at=None).select_related("instance").order_by("late_at")
    names = ", ".join(str(item.instance) for item in late[:NAMED])

    def title() -> str:
        return _("Came back late: %(names)s (%(batch)s)") % {"names": names, "batch": batch}

    _tell(batch, "back_to_normal", title, [], which=f"{batch.pk}:{late.count()}")


def emergency(batch: RebootBatch) -> None:
    """Somebody reboots an instance without asking first: managers hear of it at once."""

    def title() -> str:
        told = {"who": batch.asked_by, "batch": batch}
        return _("%(who)s reboots without approval: %(batch)s") % told

    def lines() -> list[str]:
        return [batch.reason, _("Somebody else has to review it within a day.")]

    _tell(batch, "reboot.emergency", title, lines, people=lambda: _managers(batch))


def _tell(
    batch: RebootBatch,
    event: str,
    title: Callable[[], str],
    lines: Any,
    *,
    people: Any = None,
    which: str = "",
) -> None:
    reached = Instance.objects.filter(reboot_items__batch=batch)
    accounts = reached.order_by().values_list("account__name", flat=True).distinct()
    notices.tell(
        event,
        subject_label=str(batch),
        subject_key=f"reboot:{batch.pk}",
        url=batch.get_absolute_url(),
        title=title,
        lines=lines,
        groups=lambda: groups.names_of(reached),
        accounts=list(accounts),
        people=people or [batch.asked_by],
        once=f"{event}:{which or batch.pk}",
    )


def _size(batch: RebootBatch) -> Callable[[], list[str]]:
    def lines() -> list[str]:
        count = ngettext("On %d instance", "On %d instances", batch.size) % batch.size
        return [f"{batch.get_way_display()}. {count}", batch.reason]

    return lines


def _counts(batch: RebootBatch) -> list[tuple[str, int]]:
    rows = batch.items.exclude(outcome="").order_by().values_list("outcome", flat=True)
    found = list(rows)
    return [(outcome, found.count(outcome)) for outcome in ItemOutcome.values if outcome in found]


def _not_proven(batch: RebootBatch) -> list[str]:
    rows = batch.items.filter(outcome__in=BAD).select_related("instance").order_by("place")
    number = rows.count()
    lines = [_line(item) for item in rows[: NAMED - 1]]
    if (more := number - len(lines)) > 0:
        lines.append(ngettext("and %d more", "and %d more", more) % more)
    return lines


def _line(item: Any) -> str:
    instance = item.instance
    name = f"{instance.name} ({instance.instance_id})" if instance.name else instance.instance_id
    reason = f": {shown.reason_words(item)}" if item.reason else ""
    return f"{name}: {item.get_outcome_display()}{reason}"


def _managers(batch: RebootBatch) -> list[Any]:
    """Who may review it: they see the instance and are not the one who did it."""
    held = get_user_model().objects.with_perm(
        "commands.decide_reboot", backend="portal.backends.PeopleBackend"
    )
    people = held.filter(is_active=True).exclude(email="").exclude(pk=batch.asked_by_id)
    keys = list(batch.items.values_list("instance", flat=True))
    return [
        person
        for person in people.order_by("pk")[:ASKED]
        if Instance.objects.visible_to(person).filter(pk__in=keys).count() == len(keys)
    ]
