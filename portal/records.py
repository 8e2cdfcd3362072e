"""The admin as record room: what happened is shown, what people own is edited, and both audited."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from portal import audit, lists


class BoundedPaginator(Paginator):
    """Counts no further than people turn pages; older rows are found by search and date."""

    @cached_property
    def count(self) -> int:
        return lists.count(self.object_list).number


class ScopedAdmin(admin.ModelAdmin):
    """Shows a person's part of the fleet only, and fifty rows at a time."""

    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    # How to narrow rows whose queryset has no visible_to of its own.
    scope: ClassVar[Any] = None

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        if hasattr(rows, "visible_to"):
            return rows.visible_to(request.user)
        return rows.filter(self.scope(request.user)) if self.scope else rows


class RecordAdmin(ScopedAdmin):
    """For rows that tell what happened: look and search, but never rewrite."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


class OwnedAdmin(ScopedAdmin):
    """For rows that people keep; each edit stands in the audit, in its own transaction."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _record(request, "added", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _record(request, "changed", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            _record(request, "deleted", row, "")
        return super().log_deletions(request, queryset)


def _record(request: HttpRequest, deed: str, row: Model, message: Any) -> None:
    act = f"{row._meta.model_name}.{deed}"
    audit.record(actor=request.user, act=act, subject=row, via="admin", what=message)
