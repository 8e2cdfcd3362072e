"""Batches of reboots on pages."""

from __future__ import annotations

from django import template

from commands.models import RebootBatch, RebootItem
from commands.reboots import shown
from commands.reboots.preflight import Unfit

register = template.Library()


@register.filter
def reboot_tone(outcome: str) -> str:
    """good | going | attention | bad."""
    return shown.TONES.get(outcome, "unknown")


@register.filter
def batch_tone(batch: RebootBatch) -> str:
    return shown.tone_of(batch)


@register.filter
def reboot_reason(item: RebootItem) -> str:
    """Why it ended so."""
    return shown.reason_words(item)


@register.filter
def unfit_label(code: str) -> str:
    return str(Unfit(code).label) if code in Unfit.values else code
