"""Marking a report as sent: exactly what was sent is kept, and by whom it went to whom."""

from __future__ import annotations

from django.db import transaction

from diagnostics import history
from diagnostics.history import NotTheVersion
from diagnostics.models import DiagnosisCase, SentDocument, SentReport
from diagnostics.report import FORMS, rendered
from portal import audit

__all__ = ["NotTheVersion", "mark_sent"]


def mark_sent(
    case: DiagnosisCase, *, by, via: str, version: int, copy: str, sent_to: str, note: str = ""
) -> SentReport:
    """Freeze this copy of the case's report in every form. Raises NotTheVersion.

    The same copy of the same version to the same receiver is kept once (a double click).
    """
    receiver = " ".join(sent_to.casefold().split())
    with transaction.atomic():
        case = history.locked(case, version)
        judging = history.latest(case)
        kept, made = SentReport.objects.get_or_create(
            judging=judging,
            copy=copy,
            receiver=receiver,
            defaults={"case": case, "sent_to": sent_to, "note": note, "sent_by": by},
        )
        if not made:
            return kept
        documents = [SentDocument.of(kept, form, rendered(case, copy, form)) for form in FORMS]
        SentDocument.objects.bulk_create(documents)
        audit.record(
            actor=by,
            act="report.sent",
            subject=case,
            via=via,
            copy=copy,
            version=judging.number,
            sent_to=sent_to,
            sha256={document.form: document.sha256 for document in documents},
        )
    return kept
