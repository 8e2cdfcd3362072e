from __future__ import annotations

from django.contrib import admin
from django.db.models import Q

from diagnostics.models import (
    DiagnosisCase,
    Evidence,
    Finding,
    Judging,
    Mark,
    Readiness,
    ReadinessRun,
    SentDocument,
    SentReport,
    Step,
)
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


@admin.register(Judging)
class JudgingAdmin(RecordAdmin):
    list_display = ("case", "number", "kind", "confidence", "analyzers", "rests_on", "right", "at")
    list_select_related = ("case__instance",)
    list_filter = ("occasion", "right", "kind")
    search_fields = ("=case__id", "=analyzers", "=signature")
    date_hierarchy = "at"
    scope = staticmethod(of_case)


@admin.register(Mark)
class MarkAdmin(RecordAdmin):
    list_display = ("judging", "truth", "true_kind", "true_subkind", "by", "at")
    list_select_related = ("judging", "by")
    list_filter = ("truth", "true_kind")
    search_fields = ("=case__id", "words")
    date_hierarchy = "at"
    scope = staticmethod(of_case)


@admin.register(SentReport)
class SentReportAdmin(RecordAdmin):
    list_display = ("judging", "copy", "sent_to", "sent_by", "sent_at", "outdated_at")
    list_select_related = ("judging", "sent_by")
    list_filter = ("copy",)
    search_fields = ("=case__id", "sent_to")
    date_hierarchy = "sent_at"


@admin.register(SentDocument)
class SentDocumentAdmin(RecordAdmin):
    list_display = ("report", "form", "size", "sha256")
    list_select_related = ("report__judging",)
    list_filter = ("form",)
    search_fields = ("=report__case__id", "=sha256")

    @staticmethod
    def scope(user) -> Q:
        return Q(report__in=SentReport.objects.visible_to(user).values("pk"))


@admin.register(Readiness)
class ReadinessAdmin(RecordAdmin):
    list_display = ("instance", "family", "as_of", "lacks", "missing", "tried_at")
    list_select_related = ("instance",)
    list_filter = ("family",)
    search_fields = ("=instance__instance_id", "=instance__name")


@admin.register(ReadinessRun)
class ReadinessRunAdmin(RecordAdmin):
    list_display = ("id", "run", "asked_by", "asked_at", "finished_at")
    list_select_related = ("run", "asked_by")
    search_fields = ("=run__id",)
