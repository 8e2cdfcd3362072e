"""From an event to the messages that the written rules make of it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import ngettext

from portal.notices.events import Event, find
from portal.notices.models import Channel, Kind, Notification, Rule

log = logging.getLogger(__name__)

DEADLINE = timedelta(hours=24)
MOST_LINES = 30
LONGEST_LINE = 300
NOWHERE = ".invalid"  # such as the addresses of the demo's people
Destination = tuple[Channel, Any]  # a channel, and the person for the one to people


def tell(event: str, *, once: str, **said: Any) -> int:
    """See portal.notices.tell."""
    known = find(event)
    try:
        with transaction.atomic():
            return _tell(known, once=once, **said)
    except Exception:  # the event itself must take place, whatever is wrong with its message
        log.exception("nobody is told of %s (%s)", event, once)
        return 0


def _tell(event: Event, *, once: str, severity: Any, people: Any, **said: Any) -> int:
    severity = event.severity if severity is None else severity
    rules = _fitting(event, severity, said.pop("groups"), said.pop("accounts"))
    to = _destinations(event, rules, people)
    return write([row(event, once, severity, channel, person, said) for channel, person in to])


def write(rows: list[Notification]) -> int:
    """Keep what is not kept yet, and ring once for each channel; answers how many are new."""
    keys = [each.key for each in rows]
    kept = set(Notification.objects.filter(key__in=keys).values_list("key", flat=True))
    new = [each for each in rows if each.key not in kept]
    if not new:
        return 0
    # Somebody may have told the same at this very moment: then theirs stays.
    Notification.objects.bulk_create(new, ignore_conflicts=True)
    rung: dict[int, Notification] = {}
    for kept_row in Notification.objects.filter(key__in=[each.key for each in new]):
        rung.setdefault(kept_row.channel_id, kept_row)
    for kept_row in rung.values():
        kept_row.ring()
    return len(new)


def _fitting(event: Event, severity: int, groups: Any, accounts: Iterable[str]) -> list[Rule]:
    rules = Rule.objects.filter(enabled=True).prefetch_related("channels", "people")
    wanting = [rule for rule in rules if rule.wants(event.name, severity)]
    groups = list(_value(groups)) if any(rule.groups for rule in wanting) else []
    accounts = list(accounts)
    return [rule for rule in wanting if rule.fits(groups, accounts)]


def _destinations(event: Event, rules: list[Rule], people: Any) -> list[Destination]:
    """Each channel once and each person once, however many rules name them."""
    channels = {c.pk: c for rule in rules for c in rule.channels.all() if c.enabled}
    mail = Channel.objects.filter(kind=Kind.PEOPLE, enabled=True).first()
    persons = _persons(event, rules, people) if mail and settings.EMAIL_URL else []
    to_people = [(mail, person) for person in persons]
    return [(c, None) for c in channels.values() if c.kind != Kind.PEOPLE] + to_people


def _persons(event: Event, rules: list[Rule], people: Any) -> list[Any]:
    persons = {p.pk: p for rule in rules for p in rule.people.all()}
    if event.always or any(rule.concerned for rule in rules):
        persons |= {p.pk: p for p in _value(people) if p is not None}
    return [person for person in persons.values() if reachable_by_mail(person)]


def reachable_by_mail(person: Any) -> bool:
    """Active, and with an address that can exist (the demo's people have none)."""
    return bool(person.is_active and person.email and not person.email.endswith(NOWHERE))


def row(
    event: Event, once: str, severity: int, channel: Channel, person: Any, said: dict[str, Any]
) -> Notification:
    """The message of one event for one destination, in its language; not kept yet."""
    now = timezone.now()
    with translation.override(channel.language):
        title, body = _plain(_value(said["title"]), 200), _body(_value(said["lines"]))
    return Notification(
        key=key_of(once, channel, person),
        once=once[:200],
        event=event.name,
        severity=severity,
        subject_label=_plain(said["subject_label"], 200),
        subject_key=_plain(said["subject_key"], 100),
        url=_path(said["url"]),
        title=title,
        body=body,
        channel=channel,
        person=person,
        due_at=now,
        rung_at=now,
        deadline=now + DEADLINE,
    )


def key_of(once: str, channel: Channel, person: Any) -> str:
    """The same for the same event, channel and person."""
    told = f"{once}\0{channel.pk}\0{person.pk if person else ''}"
    return hashlib.sha256(told.encode()).hexdigest()


def _body(lines: Iterable[Any]) -> str:
    lines = [_plain(line, LONGEST_LINE) for line in lines]
    shown, more = lines[:MOST_LINES], len(lines) - MOST_LINES
    if more > 0:
        shown.append(ngettext("and %d more", "and %d more", more) % more)
    return "\n".join(shown)


def _value(value: Any | Callable[[], Any]) -> Any:
    return value() if callable(value) else value


def _plain(text: Any, most: int) -> str:
    """One line without control characters: it may hold what a machine said."""
    line = " ".join(str(text).split())
    return "".join(c for c in line if c.isprintable())[:most]


def _path(url: str) -> str:
    """A page of ours; anything else would send people elsewhere."""
    ours = url.startswith("/") and not url.startswith("//") and "\\" not in url
    return url[:300] if ours and url.isprintable() else ""
