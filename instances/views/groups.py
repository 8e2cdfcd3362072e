"""Groups of instances: a fixed list, or a filter that is asked again each time."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from instances import groups
from instances.filters import BadFilter, members
from instances.forms import GroupForm, InstanceFilter
from instances.models import Instance
from portal import audit, lists
from portal.access import needs


@require_GET
@needs("instances.view_instancegroup")
def listing(request: HttpRequest) -> HttpResponse:
    seen = groups.visible_to(request.user).select_related("owner")
    return render(request, "instances/groups.html", {"page": lists.page(request, seen, ("name",))})


@require_GET
@needs("instances.view_instancegroup")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    group = get_object_or_404(groups.visible_to(request.user).select_related("owner"), pk=pk)
    found = Instance.objects.visible_to(request.user)
    try:
        found = found.filter(pk__in=members(group).values("pk"))
    except BadFilter as problem:
        messages.error(request, _("The saved filter cannot be read: %s") % problem)
        found = found.none()
    found = found.select_related("account").prefetch_related("addresses")
    shown = {
        "group": group,
        "page": lists.page(request, found, ("name",)),
        "may_delete": groups.may_delete(request.user, group),
    }
    return render(request, "instances/group.html", shown)


@require_POST
@needs("instances.add_instancegroup")
@transaction.atomic
def create(request: HttpRequest) -> HttpResponse:
    """From the instances ticked in the list, or from the filter that stood above it."""
    asked = request.POST.get("filtered", "")[:8000]
    found = InstanceFilter(QueryDict(asked), user=request.user)
    picked = request.POST.getlist("instance")
    form = GroupForm(request.POST, user=request.user, picked=picked, found=found)
    if not form.is_valid():
        for problem in [text for texts in form.errors.values() for text in texts]:
            messages.error(request, problem)
        return redirect_to_list(asked)
    group = form.make()
    audit.record(
        actor=request.user, act="group.added", subject=group, via="page", filter=group.filter
    )
    messages.success(request, _("The group %s was saved.") % group.name)
    return redirect(group)


@require_POST
@needs("instances.delete_instancegroup")
@transaction.atomic
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    group = get_object_or_404(groups.visible_to(request.user), pk=pk)
    if not groups.may_delete(request.user, group):
        messages.error(
            request,
            _("%s also holds instances that you do not see: its owner can delete it.") % group.name,
        )
        return redirect(group)
    audit.record(actor=request.user, act="group.deleted", subject=group, via="page")
    group.delete()
    messages.success(request, _("The group %s was deleted; its instances stay.") % group.name)
    return redirect("instances:groups")


def redirect_to_list(asked: str) -> HttpResponse:
    answer = redirect("instances:list")
    answer["Location"] += f"?{QueryDict(asked).urlencode()}" if asked else ""
    return answer
