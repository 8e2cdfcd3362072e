"""What the portal's own tables, and those of its libraries, may lose."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.apps import apps
from django.db.models import QuerySet
from django.utils import timezone

from portal.models import Heartbeat
from portal.retention import Kind

SILENT = timedelta(days=1)  # by then the host was replaced


def _sessions(before: datetime) -> QuerySet:
    rows = apps.get_model("sessions.Session")._default_manager
    return rows.filter(expire_date__lt=timezone.now())


def _attempts(before: datetime) -> QuerySet:
    rows = apps.get_model("axes.AccessAttempt")._default_manager
    return rows.filter(attempt_time__lt=before)


def _heartbeats(before: datetime) -> QuerySet:
    return Heartbeat.objects.filter(at__lt=timezone.now() - SILENT)


def _done(before: datetime) -> QuerySet:
    """Jobs of the queue library that ended well."""
    return apps.get_model("django_q.Success")._default_manager.filter(stopped__lt=before)


KINDS = (
    Kind("sessions", _sessions, "expire_date"),
    Kind("login attempts", _attempts, "attempt_time"),
    Kind("heartbeats", _heartbeats, "at"),
    Kind("jobs that ended well", _done, "stopped"),
)
