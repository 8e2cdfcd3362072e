"""The front page, and the way from a name to its instance."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from instances.lookup import find
from instances.models import Instance
from portal import front
from portal.access import ANY_PERSON, needs

LONGEST = 200


@require_GET
@needs(ANY_PERSON)
def home(request: HttpRequest) -> HttpResponse:
    shown = front.news(request.user)
    return render(request, "home.html", shown)


@require_GET
@needs("instances.view_instance")
def search(request: HttpRequest) -> HttpResponse:
    """The one instance that answers to the name, else the list of those that could be meant."""
    asked = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    meant = find(Instance.objects.visible_to(request.user), asked)
    if len(meant.found) == 1 and not meant.ambiguous and not meant.unknown:
        return redirect(meant.found[0])
    query = urlencode({"text": asked, "released": "shown"})
    return redirect(f"{reverse('instances:list')}?{query}")
