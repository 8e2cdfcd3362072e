"""What readiness adds to an instance's page."""

from __future__ import annotations

import uuid
from typing import Any

from commands.models import Target
from diagnostics.readiness.models import Readiness, ReadinessRun
from diagnostics.readiness.shown import ReadinessShown
from instances.blocks import Block
from instances.models import Instance

TEMPLATE = "diagnostics/readiness/_block.html"


def block(instance: Instance, user: Any) -> Block | None:
    """None for people who may not see it, and for released instances never asked."""
    if not user.has_perm("diagnostics.view_readiness"):
        return None
    seen = Readiness.objects.visible_to(user).select_related("run")
    row = seen.filter(instance=instance).first()
    if row is None and instance.released_at:
        return None
    open_runs = ReadinessRun.objects.filter(finished_at=None).exclude(run=None).values("run")
    asked = Target.objects.filter(instance=instance, invocation__in=open_runs).last()
    shown = {"shown": ReadinessShown(row), "asked": asked, "once": uuid.uuid4()}
    return Block(TEMPLATE, shown)
