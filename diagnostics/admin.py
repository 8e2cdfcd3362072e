from __future__ import annotations

from django.contrib import admin
from django.db.models import Q

from diagnostics.models import DiagnosisCase, Evidence, Finding, Step
from portal.records import RecordAdmin


def of_case(user) -> Q:
    return Q(case__in=DiagnosisCase.objects.visible_to(user).values("pk"))


@admin.register(DiagnosisCase)
class DiagnosisCaseAdmin(RecordAdmin):
    list_display = ("id", "instance", "state", "kind", "confidence", "opened_by", "opened_at")
    list_select_related = ("instance", "opened_by")
    list_filter = ("state", "kind")
    search_fields = ("=instance_text", "=instance__instance_id", "=customer_reference")
    date_hierarchy = "opened_at"


@admin.register(Step)
class StepAdmin(RecordAdmin):
    list_display = ("case", "key", "state", "started_at", "finished_at")
    list_select_related = ("case__instance",)
    list_filter = ("state",)
    search_fields = ("=case__id", "=invoke_id")
    scope = staticmethod(of_case)


@admin.register(Evidence)
class EvidenceAdmin(RecordAdmin):
    list_display = (
        "name",
        "case",
        "origin",
        "kind",
        "file_name",
        "given_by",
        "size",
        "complete",
        "collected_at",
    )
    list_select_related = ("case__instance", "given_by")
    list_filter = ("origin", "kind")
    search_fields = ("=case__id", "=sha256", "file_name")
    scope = staticmethod(of_case)


@admin.register(Finding)
class FindingAdmin(RecordAdmin):
    list_display = ("code", "severity", "title", "case")
    list_select_related = ("case__instance",)
    list_filter = ("severity",)
    search_fields = ("=code", "=case__id")
    scope = staticmethod(of_case)
