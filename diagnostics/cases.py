"""Opening a case: one transaction writes it down, one bell has it carried on."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from diagnostics.models import CaseState, DiagnosisCase
from instances.models import CloudAccount, Instance
from portal import audit


def open_case(
    *,
    opened_by,
    via: str,
    instance: Instance | None,
    instance_text: str,
    region: str = "",
    account: CloudAccount | None = None,
    seen_at: datetime | None = None,
    opening: uuid.UUID | None = None,
    ring: bool = True,
    **told: object,
) -> DiagnosisCase:
    """The new case, due now; the same `opening` gives the same case again (a double click).

    `told` are further fields of the case. Without `ring` the caller carries it on itself.
    """
    now = timezone.now()
    opening = opening or uuid.uuid4()
    with transaction.atomic():
        case, made = DiagnosisCase.objects.get_or_create(
            opening=opening,
            defaults={
                "instance": instance,
                "instance_text": instance_text,
                "account": instance.account if instance else account,
                "region": instance.region if instance else region,
                "seen_at": seen_at,
                "opened_by": opened_by,
                "due_at": now,
                "rung_at": now,
                **told,
            },
        )
        if not made:
            return case
        audit.record(
            actor=opened_by,
            act="case.opened",
            subject=case,
            via=via,
            instance=instance.instance_id if instance else instance_text,
            region=case.region,
        )
        if ring:
            case.ring()
    return case


def judge_again(case: DiagnosisCase, *, by, via: str) -> None:
    """Have a concluded case judged again from the evidence it has."""
    with transaction.atomic():
        if to_be_judged(case):
            audit.record(actor=by, act="case.judged_again", subject=case, via=via)


def to_be_judged(case: DiagnosisCase) -> bool:
    """Wake a concluded case for another judging; one under way comes to it by itself (False)."""
    changed = DiagnosisCase.objects.filter(pk=case.pk, state=CaseState.CONCLUDED).update(
        state=CaseState.JUDGING, due_at=timezone.now()
    )
    if changed:
        case.refresh_from_db()
        case.wake()
    return bool(changed)
