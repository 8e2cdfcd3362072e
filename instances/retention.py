"""System events that may go: those that are over, and those of instances that are gone."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from instances.events import STAGE
from instances.models import SystemEvent
from portal.retention import Kind


def _events(before: datetime) -> QuerySet:
    """Old by every time that they name: what ECS may still list would only come back."""
    over = ~Q(cycle_status__in=STAGE) | Q(instance__released_at__lt=before)
    return SystemEvent.objects.filter(
        over,
        Q(published_at=None) | Q(published_at__lt=before),
        Q(finished_at=None) | Q(finished_at__lt=before),
        seen_at__lt=before,
    )


KINDS = (Kind("system events", _events, "seen_at"),)
