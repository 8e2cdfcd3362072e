from __future__ import annotations

from django.contrib import admin
from django.db.models import Q

from commands.models import Dispatch, Invocation, Output, Target
from instances.models import Instance
from portal.records import RecordAdmin


def reached(user) -> Q:
    """Runs that reached an instance which this person may see."""
    return Q(pk__in=_targets(user).values("invocation"))


def _targets(user):
    return Target.objects.filter(instance__in=Instance.objects.visible_to(user).values("pk"))


@admin.register(Invocation)
class InvocationAdmin(RecordAdmin):
    list_display = ("name", "type", "state", "asked_by", "asked_at", "finished_at")
    list_select_related = ("asked_by",)
    list_filter = ("state", "type")
    search_fields = ("name",)
    date_hierarchy = "asked_at"
    scope = staticmethod(reached)


@admin.register(Dispatch)
class DispatchAdmin(RecordAdmin):
    list_display = ("invocation", "account", "region", "state", "invoke_id", "sent_at")
    list_select_related = ("invocation", "account")
    list_filter = ("state",)
    search_fields = ("=invoke_id", "=request_id")
    scope = staticmethod(lambda user: Q(pk__in=_targets(user).values("dispatch")))


@admin.register(Target)
class TargetAdmin(RecordAdmin):
    list_display = ("instance", "invocation", "status", "exit_code", "finished_at")
    list_select_related = ("instance", "invocation")
    list_filter = ("over",)
    search_fields = ("=instance__instance_id",)
    scope = staticmethod(
        lambda user: Q(instance__in=Instance.objects.visible_to(user).values("pk"))
    )


@admin.register(Output)
class OutputAdmin(RecordAdmin):
    list_display = ("digest", "size")
    search_fields = ("=digest",)
    scope = staticmethod(lambda user: Q(pk__in=_targets(user).values("output")))
