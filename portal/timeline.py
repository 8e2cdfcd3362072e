"""What runs and cases add to an instance's timeline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from commands.models import RebootItem, Target
from commands.reboots import shown
from diagnostics import verdicts
from diagnostics.models import DiagnosisCase
from instances.models import Instance
from instances.timeline import Moment
from portal.templatetags.portal import tone


def cases(instance: Instance, user: Any, most: int) -> Iterable[Moment]:
    if not user.has_perm("diagnostics.view_diagnosiscase"):
        return
    seen = DiagnosisCase.objects.visible_to(user).filter(instance=instance)
    for case in seen.order_by("-opened_at")[:most]:
        word = verdicts.KINDS.get(case.kind) or case.get_state_display()
        yield Moment(
            at=case.opened_at,
            what="case",
            word=str(word),
            text=_("Case #%d") % case.pk,
            url=case.get_absolute_url(),
            tone=verdicts.tone(case.kind) if case.kind else tone(case.state),
        )


def runs(instance: Instance, user: Any, most: int) -> Iterable[Moment]:
    targets = Target.objects.filter(instance=instance).select_related("invocation")
    for target in targets.order_by("-pk")[:most]:
        run = target.invocation
        yield Moment(run.asked_at, "run", target.status, run.name, target.get_absolute_url())


def reboots(instance: Instance, user: Any, most: int) -> Iterable[Moment]:
    if not user.has_perm("commands.view_rebootbatch"):
        return
    items = RebootItem.objects.filter(instance=instance).exclude(asked_at=None)
    for item in items.select_related("batch").order_by("-asked_at")[:most]:
        word = item.get_outcome_display() if item.outcome else item.get_state_display()
        yield Moment(
            at=item.asked_at,
            what="reboot",
            word=str(word),
            text=item.batch.name,
            url=item.get_absolute_url(),
            tone=shown.TONES[item.outcome],
        )
