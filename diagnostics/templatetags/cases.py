"""How verdicts look on a page."""

from __future__ import annotations

from django import template

from diagnostics import verdicts

register = template.Library()


@register.filter
def verdict(kind: str) -> str:
    return str(verdicts.KINDS.get(kind, kind))


@register.filter
def verdict_tone(kind: str) -> str:
    return verdicts.tone(kind)


@register.filter
def subkind(name: str) -> str:
    return str(verdicts.SUBKINDS.get(name, name))
