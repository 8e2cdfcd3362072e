"""Who is told of a case's verdict; see portal.notices."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from diagnostics.models import DiagnosisCase
from diagnostics.speech import spoken
from diagnostics.verdicts import CONFIDENCE, KINDS
from diagnostics.wording import Text
from instances import groups
from instances.models import Instance
from portal import notices


def finished(case: DiagnosisCase, columns: dict[str, Any], root_cause: Text) -> None:
    """The first verdict of a case; `columns` are the fields that hold it."""

    def title() -> str:
        verdict = KINDS.get(columns["kind"], columns["kind"])
        return _("%(case)s: %(verdict)s") % {"case": case, "verdict": verdict}

    def lines() -> list[str]:
        sure = CONFIDENCE.get(columns["confidence"], columns["confidence"])
        return [spoken(root_cause, case.zone), str(sure)]

    notices.tell(
        "case.finished",
        subject_label=str(case),
        subject_key=f"case:{case.pk}",
        url=case.get_absolute_url(),
        title=title,
        lines=lines,
        groups=lambda: groups.names_of(Instance.objects.filter(pk=case.instance_id)),
        accounts=[case.account.name] if case.account else [],
        people=[case.opened_by],
        once=f"case.finished:{case.pk}",
    )
