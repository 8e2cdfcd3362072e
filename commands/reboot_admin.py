"""Reboots in the record room: everything can be read, only the written rules are kept by people."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q

from commands.models import AutoPass, RebootBatch, RebootItem, RebootWave, WaveRun
from instances.models import Instance
from portal.records import OwnedAdmin, RecordAdmin


def reached(user) -> Q:
    """Batches with an instance that this person may see."""
    items = RebootItem.objects.filter(instance__in=Instance.objects.visible_to(user).values("pk"))
    return Q(pk__in=items.values("batch"))


def _inside(path: str):
    def scope(user) -> Q:
        seen = RebootBatch.objects.visible_to(user).values("pk")
        return Q(**{f"{path}__in": seen})

    return staticmethod(scope)


@admin.register(RebootBatch)
class RebootBatchAdmin(RecordAdmin):
    list_display = ("name", "way", "size", "state", "ending", "asked_by", "asked_at")
    list_select_related = ("asked_by",)
    list_filter = ("state", "ending", "way", "emergency")
    search_fields = ("name", "ticket")
    date_hierarchy = "asked_at"
    scope = staticmethod(reached)


@admin.register(RebootWave)
class RebootWaveAdmin(RecordAdmin):
    list_display = ("batch", "number", "canary", "stage", "started_at", "ended_at")
    list_select_related = ("batch",)
    list_filter = ("stage",)
    scope = _inside("batch")


@admin.register(WaveRun)
class WaveRunAdmin(RecordAdmin):
    list_display = ("wave", "purpose", "invocation", "taken")
    list_select_related = ("wave__batch", "invocation")
    list_filter = ("purpose",)
    scope = _inside("wave__batch")


@admin.register(RebootItem)
class RebootItemAdmin(RecordAdmin):
    list_display = ("instance", "batch", "state", "outcome", "verdict", "asked_at", "judged_at")
    list_select_related = ("instance", "batch")
    list_filter = ("state", "outcome", "verdict", "in_doubt")
    search_fields = ("=instance__instance_id", "=request_id")
    scope = staticmethod(
        lambda user: Q(instance__in=Instance.objects.visible_to(user).values("pk"))
    )


@admin.register(AutoPass)
class AutoPassAdmin(OwnedAdmin):
    list_display = ("name", "tag_key", "tag_value", "at_most", "enabled", "author")
    list_select_related = ("author",)

    def save_model(self, request, obj, form, change) -> None:
        """Whoever changes a rule is its author from then on: it will not pass their requests."""
        obj.author = request.user
        super().save_model(request, obj, form, change)
