"""What cases keep, and what goes with a run."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from diagnostics.models import DiagnosisCase, ReadinessRun

# A check of readiness goes with its run, once no instance's newest answer is of that run.
PARTS = [ReadinessRun._meta.get_field("run")]


def not_cited(events: QuerySet) -> QuerySet:
    """Events of no instance that ever had a case: it may be judged again, and reads them all."""
    own = Q(instance__isnull=False, instance=OuterRef("instance"))
    named = ~Q(instance_text="") & Q(instance_text=OuterRef("instance_id_text"))
    cases = DiagnosisCase.objects
    return events.filter(~Exists(cases.filter(own)), ~Exists(cases.filter(named)))
