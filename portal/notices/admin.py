"""Messages, channels and rules as records; they are changed on their own pages."""

from __future__ import annotations

from django.contrib import admin

from portal.notices.models import Channel, Notification, Rule
from portal.records import RecordAdmin


@admin.register(Notification)
class NotificationAdmin(RecordAdmin):
    list_display = ("made_at", "event", "title", "channel", "person", "state", "tries")
    list_filter = ("state", "event")
    search_fields = ("title", "subject_label", "=subject_key")
    date_hierarchy = "made_at"
    list_select_related = ("channel", "person")


@admin.register(Channel)
class ChannelAdmin(RecordAdmin):
    list_display = ("name", "kind", "enabled", "language", "failures", "resting_until")
    fields = list_display  # the sealed address is shown nowhere


@admin.register(Rule)
class RuleAdmin(RecordAdmin):
    list_display = ("name", "enabled", "least", "concerned")
