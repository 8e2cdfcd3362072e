"""The fleet: found, listed, looked at."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from instances.blocks import blocks
from instances.event_filter import PENDING
from instances.forms import GroupForm, InstanceFilter
from instances.models import Instance, Region
from instances.timeline import moments
from portal import lists
from portal.access import needs

ORDER = ("name",)
SORTS = {
    "name": ("name",),
    "id": ("instance_id",),
    "region": ("region", "name"),
    "status": ("status", "name"),
    "os": ("os_name",),
    "heartbeat": ("-agent_heartbeat_at",),
    "seen": ("-seen_at",),
}
COLUMNS = {
    _("Instance ID"): lambda row: row.instance_id,
    _("Name"): lambda row: row.name,
    _("Hostname"): lambda row: row.hostname,
    _("Addresses"): lambda row: " ".join(a.address for a in row.addresses.all()),
    _("Account"): lambda row: row.account.name,
    _("Region"): lambda row: row.region,
    _("Zone"): lambda row: row.zone,
    _("Status"): lambda row: row.status,
    _("OS"): lambda row: row.os_name or row.os_type,
    _("Agent"): lambda row: row.agent_state(),
    _("Agent version"): lambda row: row.agent_version,
    _("Last heartbeat"): lambda row: row.agent_heartbeat_at,
    _("Tags"): lambda row: " ".join(str(tag) for tag in row.tags.all()),
    _("Released"): lambda row: row.released_at,
    _("As of"): lambda row: row.seen_at,
}


@require_GET
@needs("instances.view_instance")
def listing(request: HttpRequest) -> HttpResponse:
    form = InstanceFilter(request.GET, user=request.user)
    found = form.found(request.user).select_related("account").prefetch_related("addresses")
    if "csv" in request.GET:
        rows = found.prefetch_related("tags")
        return lists.csv(request, rows, COLUMNS, name="instances", order=ORDER, sorts=SORTS)
    page = lists.page(request, found, ORDER, sorts=SORTS)
    keep = GroupForm(user=request.user, picked=[], found=form)
    shown = {"form": form, "page": page, "group_form": keep}
    return render(request, "instances/list.html", shown)


@require_GET
@needs("instances.view_instance")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    seen = Instance.objects.visible_to(request.user).select_related("account")
    instance = get_object_or_404(seen, pk=pk)
    shown = {
        "instance": instance,
        "region": Region.objects.filter(
            account=instance.account, region_id=instance.region
        ).first(),
        "pending": instance.events.filter(cycle_status__in=PENDING).order_by("not_before")[:20],
        "blocks": blocks(instance, request.user),
        "moments": moments(instance, request.user),
    }
    return render(request, "instances/detail.html", shown)
