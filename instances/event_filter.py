"""Narrowing system events to what was asked; each way has an index behind it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from instances.filters import Filter
from instances.models import Instance, SystemEventQuerySet

PENDING = ("Scheduled", "Inquiring", "Executing")  # these still lie ahead, or are under way


def narrow(queryset: SystemEventQuerySet, asked: Mapping[str, Any]) -> SystemEventQuerySet:
    """`asked`: text, type, status, region, since and until (dates, both included)."""
    for name, field in (("status", "cycle_status"), ("region", "region"), ("type", "type")):
        if asked.get(name):
            queryset = queryset.filter(**{field: asked[name]})
    if asked.get("since"):
        queryset = queryset.filter(published_at__gte=_midnight(asked["since"]))
    if asked.get("until"):
        after = _midnight(asked["until"] + timedelta(days=1))
        queryset = queryset.filter(published_at__lt=after)
    return queryset.filter(_mentions(asked["text"])) if asked.get("text") else queryset


def _mentions(text: str) -> Q:
    """An event's own id, or any way to name its instance, released or not."""
    named = Filter(text=text, released="shown").apply(Instance.objects.all())
    return Q(event_id=text) | Q(instance_id_text=text) | Q(instance__in=named.values("pk"))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
