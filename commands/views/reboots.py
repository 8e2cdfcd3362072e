"""Batches of reboots: the history, one batch live, one instance's part, the report."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from commands.models import RebootBatch
from portal.access import needs

LOOK = "commands.view_rebootbatch"


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    batch = get_object_or_404(RebootBatch.objects.visible_to(request.user), pk=pk)
    return render(request, "commands/reboots/batch.html", {"batch": batch})


@require_GET
@needs(LOOK)
def item(request: HttpRequest, batch: int, pk: int) -> HttpResponse:
    found = get_object_or_404(RebootBatch.objects.visible_to(request.user), pk=batch)
    return render(request, "commands/reboots/item.html", {"batch": found})
