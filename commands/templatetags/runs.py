"""What machines printed, as HTML."""

from __future__ import annotations

from django import template
from django.http import QueryDict
from django.utils.safestring import SafeString

from commands import decoding, explained, shown
from commands.models import Target

register = template.Library()


@register.filter
def coloured(text: str) -> SafeString:
    """Text of a machine with its colours; nothing of it can become a tag."""
    return decoding.coloured(text)


@register.filter
def in_words(target: Target) -> str:
    """What happened to this machine's part."""
    return explained.explained(target)[0]


@register.filter
def what_to_do(target: Target) -> str:
    return explained.explained(target)[1]


@register.filter
def query(told: dict[str, str]) -> str:
    """A query string."""
    params = QueryDict(mutable=True)
    params.update(told)
    return f"?{params.urlencode()}"


@register.filter
def get(mapping: dict, key: object) -> object:
    return mapping.get(key)


@register.filter
def outcome_tone(outcome: str) -> str:
    """good | going | attention | bad."""
    return shown.TONES.get(outcome, "unknown")
