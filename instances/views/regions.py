"""What of the cloud was read, when, and what a person has to settle."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from instances.models import CloudAccount, Region
from portal.access import needs
from portal.transitions import WrongState


@require_GET
@needs("instances.view_region")
def listing(request: HttpRequest) -> HttpResponse:
    seen = Region.objects.visible_to(request.user).select_related("account")
    regions = seen.order_by("-state", "account__name", "region_id")[:500]
    accounts = CloudAccount.objects.visible_to(request.user).filter(enabled=True)
    accounts = accounts.exclude(problem="")
    shown = {"regions": sorted(regions, key=_troubled_first), "accounts": accounts}
    return render(request, "instances/regions.html", shown)


@require_POST
@needs("instances.change_region")
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """A person says that the shrunken listing is true: the next look takes it over."""
    region = get_object_or_404(Region.objects.visible_to(request.user), pk=pk)
    try:
        region.accept_shrink(request.user, via="page", doubt=request.POST.get("doubt", ""))
    except WrongState as problem:
        messages.error(request, str(problem))
        return redirect("instances:regions")
    messages.success(request, _("%s is read again now and taken over as it is.") % region)
    return redirect("instances:regions")


def _troubled_first(region: Region) -> tuple[bool, str]:
    calm = region.state in (Region.State.CURRENT, Region.State.NEVER)
    return calm, str(region)
