"""Cloud Assistant at a glance, and its installation on chosen instances."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from commands import agents
from commands.models import AgentInstall
from instances.models import Instance
from portal.access import needs

LOOK = "instances.view_instance"
INSTALL = "commands.add_agentinstall"
MOST = 1000


@require_GET
@needs(LOOK)
def page(request: HttpRequest) -> HttpResponse:
    seen = Instance.objects.visible_to(request.user)
    wishes = AgentInstall.objects.visible_to(request.user).select_related("account", "asked_by")
    shown = {
        "versions": agents.versions(seen),
        "states": agents.states(seen),
        "wishes": wishes.order_by("-pk")[:20],
        "since": ".".join(map(str, agents.EXIT_CODES_SINCE)),
    }
    return render(request, "commands/agents.html", shown)


@require_POST
@needs(INSTALL)
def install(request: HttpRequest) -> HttpResponse:
    """From the instances ticked on a list; asked once more before it is done."""
    told = request.POST.getlist("instance")
    keys = [int(key) for key in told if key.isdecimal() and len(key) < 19][:MOST]
    seen = Instance.objects.visible_to(request.user).present().filter(status="Running")
    chosen = list(seen.filter(pk__in=keys).select_related("account").order_by("name", "pk"))
    if not chosen:
        messages.error(request, _("Tick at least one running instance on the list."))
        asked = QueryDict(request.POST.get("filtered", "")).urlencode()
        return redirect(f"{reverse('instances:list')}?{asked}")
    if request.POST.get("sure") != "1":
        shown = {"chosen": chosen, "left_out": len(set(told)) - len(chosen)}
        shown["back"] = reverse("instances:list")  # this page can only be posted to
        return render(request, "commands/agents_install.html", shown)
    agents.install(chosen, by=request.user, via="page")
    said = ngettext("ECS is asked for %d instance.", "ECS is asked for %d instances.", len(chosen))
    messages.success(request, said % len(chosen))
    return redirect("commands:agents")
