"""Which freeze windows stand in the way of a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from commands.models import FreezeWindow
from instances.models import Instance, InstanceTag


def standing(moment: datetime, instances: Sequence[Instance]) -> list[FreezeWindow]:
    """The windows that cover this moment and any of these instances."""
    windows = FreezeWindow.objects.filter(starts_at__lte=moment, ends_at__gt=moment)
    return [window for window in windows.order_by("ends_at") if _touches(window, instances)]


def _touches(window: FreezeWindow, instances: Sequence[Instance]) -> bool:
    if not window.tag_key:
        return bool(instances)
    wanted = Q(key=window.tag_key)
    if window.tag_value:
        wanted &= Q(value=window.tag_value)
    tagged = InstanceTag.objects.filter(wanted, instance__in=[row.pk for row in instances])
    return tagged.exists()
