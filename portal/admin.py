"""People, groups, walls and pulses; the queue library's own pages are taken away."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from instances.models import Scope
from portal.audit.models import AuditEntry, ChainHead
from portal.models import Canary, Heartbeat, Pruning
from portal.records import OwnedAdmin, RecordAdmin

# Their "resubmit" would run work again behind the back of the rows that own it.
for model in apps.get_app_config("django_q").get_models():
    if admin.site.is_registered(model):
        admin.site.unregister(model)
admin.site.unregister([User, Group])
POWERS = ("is_staff", "is_superuser", "user_permissions")


class ScopeInline(admin.TabularInline):
    model = Scope
    extra = 0


@admin.register(User)
class PersonAdmin(OwnedAdmin, UserAdmin):
    inlines = (ScopeInline,)
    list_display = ("username", "email", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Nobody below a superuser makes one, or hands out single permissions past the roles."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else fields + POWERS

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """People who acted are kept: they are closed (is_active) instead."""
        return False


@admin.register(Group)
class RoleAdmin(OwnedAdmin, GroupAdmin):
    pass


@admin.register(AuditEntry)
class AuditEntryAdmin(RecordAdmin):
    list_display = ("number", "at", "actor_label", "act", "subject_label", "via")
    list_filter = ("via",)
    search_fields = ("=actor_label", "=act", "=subject_key", "subject_label")
    date_hierarchy = "at"
    list_select_related = ("actor",)


@admin.register(ChainHead)
class ChainHeadAdmin(RecordAdmin):
    pass


@admin.register(AccessAttempt)
class WallAdmin(OwnedAdmin):
    """Deleting a row opens the wall for this name and address."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start")
    search_fields = ("username", "ip_address")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    has_change_permission = has_add_permission


@admin.register(Heartbeat)
class HeartbeatAdmin(RecordAdmin):
    list_display = ("role", "host", "pid", "started_at", "at")


@admin.register(Canary)
class CanaryAdmin(RecordAdmin):
    list_display = ("name", "heard_at", "due_at")


@admin.register(Pruning)
class PruningAdmin(RecordAdmin):
    list_display = ("before", "kind", "gone", "ended_at", "due_at")
