"""One message as a channel sends it, and the two ways in which that goes wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from portal.notices.models import Notification


class Refused(Exception):
    """The far side answered no to this message; others may still go through."""


class Unreached(Exception):
    """The far side is away or wants to be left alone: the channel's other messages wait too."""


@dataclass(frozen=True, slots=True)
class Message:
    key: str  # the same however often it is sent
    event: str
    severity: str  # info | attention | bad
    subject_label: str
    subject_key: str
    title: str
    body: str
    link: str  # absolute; "" where PORTAL_URL is not set
    at: datetime
    to: str = ""  # a person's address, for e-mail to persons

    @property
    def text(self) -> str:
        """Body and link, as plain text."""
        return "\n\n".join(part for part in (self.body, self.link) if part)


def of(row: Notification) -> Message:
    return Message(
        key=row.key,
        event=row.event,
        severity=row.get_severity_name(),
        subject_label=row.subject_label,
        subject_key=row.subject_key,
        title=row.title,
        body=row.body,
        link=link(row.url),
        at=row.made_at,
        to=row.person.email if row.person else "",
    )


def link(path: str) -> str:
    """The absolute address of a page of ours."""
    return f"{settings.PORTAL_URL}{path}" if settings.PORTAL_URL and path else ""


def masked(text: str, address: dict[str, str]) -> str:
    """`text` for the page and the log: without any part of the address that could be a secret."""
    parts = {
        part for value in address.values() for part in [value, *re.split(r"[\s/?&=@:,]+", value)]
    }
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= 6:
            text = text.replace(part, "•••")
    return "".join(c if c.isprintable() else " " for c in text)[:300]
