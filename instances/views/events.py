"""ECS system events, kept longer than ECS keeps them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from instances import event_filter
from instances.forms import EventFilter
from instances.models import SystemEvent
from portal import lists
from portal.access import needs

ORDER = ("-published_at",)
SORTS = {"published": ("-published_at",), "deadline": ("not_before",), "type": ("type",)}
COLUMNS = {
    _("Event ID"): lambda row: row.event_id,
    _("Type"): lambda row: row.type,
    _("Status"): lambda row: row.cycle_status,
    _("Instance ID"): lambda row: row.instance_id_text,
    _("Name"): lambda row: row.instance.name if row.instance else "",
    _("Region"): lambda row: row.region,
    _("Published"): lambda row: row.published_at,
    _("Not before"): lambda row: row.not_before,
    _("Finished"): lambda row: row.finished_at,
    _("Reason"): lambda row: row.reason,
    _("As of"): lambda row: row.seen_at,
}


@require_GET
@needs("instances.view_systemevent")
def listing(request: HttpRequest) -> HttpResponse:
    form = EventFilter(request.GET, user=request.user)
    found = SystemEvent.objects.visible_to(request.user).select_related("instance")
    found = event_filter.narrow(found, form.cleaned_data) if form.is_valid() else found.none()
    if "csv" in request.GET:
        return lists.csv(request, found, COLUMNS, name="events", order=ORDER, sorts=SORTS)
    page = lists.page(request, found, ORDER, sorts=SORTS)
    shown = {"form": form, "page": page}
    return render(request, "instances/events.html", shown)


@require_GET
@needs("instances.view_systemevent")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    seen = SystemEvent.objects.visible_to(request.user).select_related("instance", "account")
    return render(request, "instances/event.html", {"event": get_object_or_404(seen, pk=pk)})
