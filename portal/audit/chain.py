"""Entries hang on each other by an HMAC whose key is not in the database.

Whoever writes to the database alone cannot change, remove, insert or reorder an entry unseen.
Cutting off the end is seen by the head: it stands in the database, and in the log after each act
(`audit head NUMBER MAC`), from where `manage.py verify_audit --head MAC` takes it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from datetime import UTC
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from portal.audit.models import AuditEntry, ChainHead

log = logging.getLogger(__name__)
SIGNED = (
    "number",
    "actor_id",
    "actor_label",
    "via",
    "act",
    "subject_label",
    "subject_key",
    "subject_url",
    "details",
    "previous",
)


def append(*, actor: Any, act: str, subject: Any, via: str, details: dict) -> AuditEntry:
    person = actor if isinstance(actor, Model) else None
    label, key, url = subject if isinstance(subject, tuple) else _named(subject)
    with transaction.atomic():
        head = _locked_head()
        entry = AuditEntry(
            number=head.number + 1,
            at=timezone.now(),
            actor=person,
            actor_label=_text(person.get_username() if person else actor or "portal", 150),
            via=via,
            act=act,
            subject_label=_text(label, 200),
            subject_key=_text(key, 100),
            subject_url=_text(url, 300),
            details=_plain(details),
            previous=head.mac,
        )
        entry.mac = seal(entry)
        entry.save(force_insert=True)
        ChainHead.objects.filter(pk=head.pk).update(number=entry.number, mac=entry.mac)
        transaction.on_commit(partial(log.info, "audit head %d %s", entry.number, entry.mac))
    return entry


def seal(entry: AuditEntry) -> str:
    """The HMAC over everything that the entry says and the one before it."""
    said = {name: getattr(entry, name) for name in SIGNED}
    said["at"] = entry.at.astimezone(UTC).isoformat()
    text = json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    secret = settings.SECRETS_KEY or settings.SECRET_KEY
    return salted_hmac("portal.audit", text, secret=secret, algorithm="sha256").hexdigest()


def genuine(subject: Model, acts: Iterable[str]) -> list[AuditEntry]:
    """The entries of these acts on this row whose seal holds."""
    _label, key, _url = _named(subject)
    rows = AuditEntry.objects.filter(subject_key=key, act__in=list(acts))
    return [row for row in rows if constant_time_compare(row.mac, seal(row))]


def problems(known_head: str = "") -> Iterator[str]:
    """What is wrong with the chain, one sentence each; nothing at all when it is whole."""
    number, previous, head_seen = 0, "", not known_head
    for entry in AuditEntry.objects.order_by("number").iterator(chunk_size=1000):
        if entry.number != number + 1:
            yield f"entries {number + 1} to {entry.number - 1} are missing"
        elif entry.previous != previous:
            yield f"entry {entry.number} does not follow entry {number}: inserted or reordered"
        if not constant_time_compare(entry.mac, seal(entry)):
            yield f"entry {entry.number} was changed, or written with another key"
        number, previous = entry.number, entry.mac
        head_seen = head_seen or entry.mac == known_head
    head = ChainHead.objects.first()
    if (head.number, head.mac) != (number, previous) if head else number:
        yield f"the end was cut off or forged: the last entry is {number}, {head} was promised"
    if not head_seen:
        yield "the head from the log is not in the chain: the end was cut off"


def _locked_head() -> ChainHead:
    """The end of the chain, ours until the transaction ends: entries never fork."""
    ChainHead.objects.get_or_create(pk=1)
    return ChainHead.objects.select_for_update().get(pk=1)


def _named(row: Model) -> tuple[str, str, str]:
    url = row.get_absolute_url() if hasattr(row, "get_absolute_url") else ""
    return str(row), f"{row._meta.label_lower}:{row.pk}", url


def _text(value: object, length: int) -> str:
    return str(value).replace("\x00", "\ufffd")[:length]


def _plain(value: object) -> Any:
    """The same value before and after any database's JSON: no floats, no NUL, no objects."""
    if isinstance(value, dict):
        return {_text(key, 100): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [_plain(item) for item in items]
    if value is None or isinstance(value, bool | int):
        return value
    return _text(value, 10_000)
