"""How readiness looks in a list of instances."""

from __future__ import annotations

from django import template

from diagnostics.readiness.shown import ReadinessShown
from instances.models import Instance

register = template.Library()


@register.filter
def readiness(instance: Instance) -> ReadinessShown:
    return ReadinessShown(getattr(instance, "readiness", None))
