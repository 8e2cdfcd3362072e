"""Runs: the history, and one run with what each machine answered."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from commands.models import Invocation, Target
from instances.models import Instance
from portal import lists
from portal.access import needs

LOOK = "commands.view_invocation"
ORDER = ("-asked_at",)
SORTS = {"asked": ("-asked_at",), "size": ("-size",), "state": ("state", "-asked_at")}
COLUMNS = {
    _("Run"): lambda run: run.pk,
    _("Name"): lambda run: run.name,
    _("Type"): lambda run: run.type,
    _("Instances"): lambda run: run.size,
    _("State"): lambda run: run.state,
    _("Asked by"): lambda run: run.asked_by,
    _("Asked"): lambda run: run.asked_at,
    _("Finished"): lambda run: run.finished_at,
}


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    found = Invocation.objects.visible_to(request.user).select_related("asked_by")
    if "csv" in request.GET:
        return lists.csv(request, found, COLUMNS, name="runs", order=ORDER, sorts=SORTS)
    page = lists.page(request, found, ORDER, sorts=SORTS)
    return render(request, "commands/runs.html", {"page": page})


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(Invocation.objects.visible_to(request.user), pk=pk)
    seen = Instance.objects.visible_to(request.user)
    targets = Target.objects.filter(invocation=run, instance__in=seen.values("pk"))
    page = lists.page(request, targets.select_related("instance", "output"), ("pk",))
    return render(request, "commands/run.html", {"run": run, "page": page})
