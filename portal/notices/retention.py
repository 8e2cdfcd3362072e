"""Messages that may go: those that were delivered, unless their end is still to be told."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from portal.notices.models import Notification
from portal.retention import Kind

# Told again while it lasts, and its end is told to whoever heard of it.
LASTS, ENDS = "sync.stopped", "back_to_normal:"


def _delivered(before: datetime) -> QuerySet:
    ended = Notification.objects.filter(once=Concat(Value(ENDS), OuterRef("once")))
    return Notification.objects.filter(
        ~Q(event=LASTS) | Exists(ended), state=Notification.State.SENT, sent_at__lt=before
    )


KINDS = (Kind("messages", _delivered, "sent_at"),)
