"""Speaks the sentences of `wording` in the language that is active, times in a given zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from diagnostics.wording import Text


def zone_of(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def clock(at: datetime, zone: tzinfo = UTC) -> str:
    """Such as 2026-11-20 23:14:03 +08:00; UTC is named, never written as an offset."""
    local = at.astimezone(zone)
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M:%S} " + (
        "UTC" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}"
    )


def both_clocks(at: datetime, zone: tzinfo = UTC) -> str:
    """In the zone, and in UTC where that differs."""
    local = clock(at, zone)
    return local if local.endswith("UTC") else f"{local} ({clock(at)})"


def spoken(value: object, zone: tzinfo = UTC) -> str:
    """One sentence (or plain value) as text. A message that lost a parameter is shown raw."""
    if isinstance(value, Text):
        words = {name: spoken(each, zone) for name, each in value.params.items()}
        try:
            return gettext(value.message) % words
        except (KeyError, ValueError, TypeError):
            return value.message
    if isinstance(value, datetime):
        return clock(value, zone)
    return str(value)


def spoken_lines(values: Iterable[object], zone: tzinfo = UTC) -> list[str]:
    return [spoken(value, zone) for value in values]
