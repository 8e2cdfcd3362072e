from __future__ import annotations

from django import forms
from django.contrib import admin

from instances.filters import BadFilter, check_saved
from instances.models import (
    CloudAccount,
    Instance,
    InstanceAddress,
    InstanceGroup,
    InstanceTag,
    Region,
    Scope,
    SystemEvent,
    scope_of,
)
from portal.records import OwnedAdmin, RecordAdmin


def of_instance(user):
    return scope_of(user, "instance__")


@admin.register(CloudAccount)
class CloudAccountAdmin(OwnedAdmin):
    list_display = ("name", "kind", "profile", "role_arn", "enabled")


@admin.register(Scope)
class ScopeAdmin(OwnedAdmin):
    list_display = ("user", "account", "region", "tag_key", "tag_value")
    list_select_related = ("user", "account")
    search_fields = ("user__username", "region", "tag_key")


class InstanceGroupForm(forms.ModelForm):
    class Meta:
        model = InstanceGroup
        fields = ("name", "owner", "members", "filter")

    def clean_filter(self) -> dict | None:
        saved = self.cleaned_data["filter"]
        try:
            return None if saved is None else check_saved(saved)
        except BadFilter as problem:
            raise forms.ValidationError(f"{problem.field}: {problem}") from None


@admin.register(InstanceGroup)
class InstanceGroupAdmin(OwnedAdmin):
    form = InstanceGroupForm
    list_display = ("name", "owner", "filter", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name",)
    raw_id_fields = ("members",)


@admin.register(Region)
class RegionAdmin(RecordAdmin):
    list_display = ("region_id", "account", "state", "instance_count", "synced_at")
    list_select_related = ("account",)
    list_filter = ("state",)


class AddressInline(admin.TabularInline):
    model = InstanceAddress
    can_delete = False


class TagInline(admin.TabularInline):
    model = InstanceTag
    can_delete = False


@admin.register(Instance)
class InstanceAdmin(RecordAdmin):
    list_display = ("instance_id", "name", "account", "region", "status", "seen_at", "released_at")
    list_select_related = ("account",)
    list_filter = ("status", "os_type")
    search_fields = ("=instance_id", "name", "hostname", "=addresses__address")
    inlines = (AddressInline, TagInline)


@admin.register(InstanceAddress)
class InstanceAddressAdmin(RecordAdmin):
    list_display = ("address", "instance", "public")
    list_select_related = ("instance",)
    search_fields = ("=address",)
    scope = staticmethod(of_instance)


@admin.register(InstanceTag)
class InstanceTagAdmin(RecordAdmin):
    list_display = ("key", "value", "instance")
    list_select_related = ("instance",)
    search_fields = ("=key", "=value")
    scope = staticmethod(of_instance)


@admin.register(SystemEvent)
class SystemEventAdmin(RecordAdmin):
    list_display = ("event_id", "type", "cycle_status", "instance", "region", "published_at")
    list_select_related = ("instance",)
    # No date_hierarchy: over a million rows its first step alone takes seconds.
    list_filter = ("cycle_status", "published_at")
    search_fields = ("=event_id", "=instance_id_text")
