from __future__ import annotations

from django.contrib import admin
from django.db.models import Q

from commands.models import (
    AgentInstall,
    Approval,
    CloudCommand,
    CommandRevision,
    CommandTag,
    Decision,
    Dispatch,
    Favourite,
    Fire,
    FreezeWindow,
    Invocation,
    LibraryAct,
    Output,
    PolicyRule,
    RebootBatch,
    SavedCommand,
    Schedule,
    Target,
    TimedLook,
    TimedRun,
)
from commands.reboot_admin import RebootBatchAdmin as RebootBatchAdmin  # registers its own
from instances.models import Instance
from portal.records import OwnedAdmin, RecordAdmin


def reached(user) -> Q:
    """Runs that reached an instance which this person may see."""
    return Q(pk__in=_targets(user).values("invocation"))


def _targets(user):
    return Target.objects.filter(instance__in=Instance.objects.visible_to(user).values("pk"))


def _approved(user, path: str = "") -> Q:
    batches = RebootBatch.objects.visible_to(user).values("pk")
    runs = _targets(user).values("invocation")
    return Q(**{f"{path}invocation__in": runs}) | Q(**{f"{path}batch__in": batches})


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


@admin.register(PolicyRule)
class PolicyRuleAdmin(OwnedAdmin):
    list_display = ("name", "verb", "pattern", "tag_key", "tag_value", "above", "enabled")
    list_filter = ("verb", "enabled")


@admin.register(Approval)
class ApprovalAdmin(RecordAdmin):
    list_display = ("subject", "requester", "state", "asked_at", "expires_at")
    list_select_related = ("invocation", "batch", "requester")
    list_filter = ("state",)
    scope = staticmethod(lambda user: _approved(user))


@admin.register(Decision)
class DecisionAdmin(RecordAdmin):
    list_display = ("approval", "person", "rule", "yes", "comment", "at")
    list_select_related = ("approval__invocation", "approval__batch", "person", "rule")
    scope = staticmethod(lambda user: _approved(user, "approval__"))


@admin.register(SavedCommand)
class SavedCommandAdmin(RecordAdmin):
    list_display = ("name", "owner", "created_at", "archived_at")
    list_select_related = ("owner",)
    search_fields = ("name",)


@admin.register(CommandRevision)
class CommandRevisionAdmin(RecordAdmin):
    list_display = ("command", "number", "type", "author", "created_at")
    list_select_related = ("command", "author")
    search_fields = ("command__name",)


@admin.register(CommandTag)
class CommandTagAdmin(RecordAdmin):
    list_display = ("name", "command")
    list_select_related = ("command",)
    search_fields = ("=name",)


@admin.register(Favourite)
class FavouriteAdmin(RecordAdmin):
    list_display = ("command", "person")
    list_select_related = ("command", "person")


@admin.register(CloudCommand)
class CloudCommandAdmin(RecordAdmin):
    list_display = ("name", "account", "region", "command_id", "provider", "seen_at")
    list_select_related = ("account",)
    search_fields = ("name", "=command_id")


@admin.register(AgentInstall)
class AgentInstallAdmin(RecordAdmin):
    list_display = ("account", "region", "state", "asked_by", "asked_at")
    list_select_related = ("account", "asked_by")
    list_filter = ("state",)


@admin.register(LibraryAct)
class LibraryActAdmin(RecordAdmin):
    list_display = ("kind", "account", "region", "state", "asked_by", "asked_at")
    list_select_related = ("account", "asked_by")
    list_filter = ("kind", "state")


@admin.register(Schedule)
class ScheduleAdmin(RecordAdmin):
    list_display = ("name", "kind", "revision", "expression", "zone", "state", "next_at", "owner")
    list_select_related = ("revision__command", "owner")
    list_filter = ("state", "kind")


@admin.register(Fire)
class FireAdmin(RecordAdmin):
    list_display = ("schedule", "planned_at", "state", "reason")
    list_select_related = ("schedule",)
    list_filter = ("state",)
    scope = staticmethod(
        lambda user: Q(schedule__in=Schedule.objects.visible_to(user).values("pk"))
    )


@admin.register(FreezeWindow)
class FreezeWindowAdmin(OwnedAdmin):
    list_display = ("name", "starts_at", "ends_at", "tag_key", "tag_value", "reason")


@admin.register(Output)
class OutputAdmin(RecordAdmin):
    list_display = ("digest", "size")
    search_fields = ("=digest",)
    scope = staticmethod(lambda user: Q(pk__in=_targets(user).values("output")))


@admin.register(TimedLook)
class TimedLookAdmin(RecordAdmin):
    list_display = ("region", "looked_at", "problem")
    list_select_related = ("region__account",)


@admin.register(TimedRun)
class TimedRunAdmin(RecordAdmin):
    list_display = ("name", "account", "region", "repeat_mode", "frequency", "status", "stop")
    list_select_related = ("account",)
    list_filter = ("stop", "repeat_mode")
    search_fields = ("=invoke_id", "name")
    scope = staticmethod(lambda user: Q(pk__in=TimedRun.objects.visible_to(user).values("pk")))
