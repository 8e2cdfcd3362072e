"""Narrowing the list of cases. Values come from a checked form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from diagnostics.models import CaseQuerySet, CaseState


def cases(found: CaseQuerySet, asked: Mapping[str, object]) -> CaseQuerySet:
    if text := asked.get("q"):
        found = found.filter(_names(str(text)))
    if kind := asked.get("kind"):
        found = found.filter(kind=kind)
    if signature := asked.get("signature"):
        found = found.filter(signature=signature)
    if state := asked.get("state"):
        concluded = Q(state=CaseState.CONCLUDED)
        found = found.exclude(concluded) if state == "open" else found.filter(state=state)
    if region := asked.get("region"):
        found = found.filter(region=region)
    if name := asked.get("opened_by"):
        found = found.filter(opened_by__username__iexact=name)
    if since := asked.get("since"):
        found = found.filter(opened_at__gte=_midnight(since))
    if until := asked.get("until"):
        found = found.filter(opened_at__lt=_midnight(until) + timedelta(days=1))
    return found


def _names(text: str) -> Q:
    exact = Q(instance__addresses__address=text) if _address(text) else Q()
    named = (
        Q(instance_text__icontains=text)
        | Q(instance__instance_id__iexact=text)
        | Q(instance__name__icontains=text)
        | Q(instance__hostname__icontains=text)
        | Q(customer_reference__icontains=text)
    )
    return (named | exact) if exact else named


def _address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _midnight(day) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
