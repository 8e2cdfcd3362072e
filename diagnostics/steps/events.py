"""Stage 4: what the platform did to the instance, by its own system events."""

from __future__ import annotations

from collections.abc import Iterable

from diagnostics.facts import Event
from diagnostics.findings import Window
from diagnostics.incident import fits
from diagnostics.steps.outcome import Outcome, Subject
from diagnostics.wording import Text, packed, unpacked
from diagnostics.wording import say as _
from instances import ecs
from instances.models import SystemEvent


def ask(subject: Subject) -> Outcome:
    answer = ecs.system_events(subject.account, subject.region, instance_id=subject.instance_id)
    events = [event for event in answer.value if event.instance_id == subject.instance_id]
    return Outcome(
        request_ids=answer.request_ids, facts={"events": [_told(event) for event in events]}
    )


def _told(event: ecs.EventInfo) -> dict:
    return packed(
        {
            "event_id": event.event_id,
            "type": event.type,
            "cycle_status": event.cycle_status,
            "published_at": event.published_at,
            "not_before": event.not_before,
            "finished_at": event.finished_at,
            "reason": event.reason or event.reason_code,
        }
    )


def read(facts: dict) -> tuple[Event, ...]:
    return tuple(Event(**unpacked(event)) for event in facts.get("events", ()))


def kept(instance_key: int | None, known: Iterable[Event]) -> tuple[Event, ...]:
    """Events that this portal mirrored and that ECS no longer tells."""
    told = {event.event_id for event in known}
    rows = SystemEvent.objects.filter(instance=instance_key).exclude(event_id__in=told)
    return tuple(
        Event(
            row.event_id,
            row.type,
            row.cycle_status,
            row.published_at,
            row.not_before,
            row.finished_at,
            row.reason,
            kept=True,
        )
        for row in (rows.order_by("-published_at")[:200] if instance_key else ())
    )


def lines(events: Iterable[Event], window: Window | None) -> tuple[Text, ...]:
    """One line per event that fits, and one that counts the others by name."""
    inside = [event for event in events if fits(event, window)]
    outside = [event for event in events if not fits(event, window)]
    said = [_line(event) for event in inside]
    if not inside and window:
        said.append(
            _(
                "No system event acted between %(start)s and %(end)s.",
                start=window.start,
                end=window.end,
            )
        )
    return (*said, *(_("Outside the window: %(line)s", line=_line(event)) for event in outside))


def _line(event: Event) -> Text:
    return _(
        "%(type)s, %(status)s, event %(id)s: published %(published)s, not before %(not_before)s,"
        " finished %(finished)s. Reason: %(reason)s",
        type=event.type,
        status=event.cycle_status,
        id=event.event_id,
        published=event.published_at or _("at a time that ECS does not tell"),
        not_before=event.not_before or _("given by ECS for no time"),
        finished=event.finished_at or _("not yet"),
        reason=event.reason or _("ECS gives none"),
    )
