"""Is the portal well? A page for administrators, two short answers for machines."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from instances.models import Region
from portal import health
from portal.access import needs


@require_GET
@needs("portal.view_heartbeat")
def page(request: HttpRequest) -> HttpResponse:
    regions = Region.objects.filter(configured=True).select_related("account")
    shown = {
        "state": health.state(),
        "database": connection.vendor,
        "newest": regions.exclude(synced_at=None).order_by("-synced_at").first(),
        "oldest": regions.order_by("synced_at").first(),
        "troubled": regions.filter(state__in=("failed", "doubted")).count(),
        "synced": synced(),
    }
    template = "_health.html" if request.htmx else "health.html"
    return render(request, template, shown)


@require_GET
@login_not_required
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether this web process can serve: 200 while its database answers, else 503."""
    return _answer({"database": _database()})


@require_GET
@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the whole portal works: 200 while each check is true, else 503."""
    if not _database():
        return _answer({"database": False})
    state = health.state()
    return _answer(
        {
            "database": True,
            "conductor": any(process.ok for process in state.conductors),
            "queues": all(queue.ok for queue in state.queues),
            "sync": synced(),
        }
    )


def synced() -> bool:
    """Whether any region was read lately; single regions may fail for reasons of their own."""
    late = timezone.now() - timedelta(seconds=max(300, 5 * settings.SYNC_SECONDS))
    return Region.objects.filter(synced_at__gte=late).exists()


def _answer(checks: dict[str, bool]) -> JsonResponse:
    ok = all(checks.values())
    return JsonResponse({"ok": ok, "checks": checks}, status=200 if ok else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
