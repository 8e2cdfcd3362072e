"""The commands that live in ECS: seen, taken over, put there, taken away."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from commands import library
from commands.models import CloudCommand, CommandRevision, LibraryAct
from instances.models import Region
from portal import lists
from portal.access import needs

LOOK, WRITE = "commands.view_savedcommand", "commands.add_libraryact"
ORDER = ("name",)
SORTS = {"name": ("name",), "region": ("region", "name"), "seen": ("-seen_at",)}


class LibraryFilter(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Name or text"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    whose = forms.ChoiceField(
        label=gettext_lazy("Show"),
        required=False,
        choices=[
            ("", gettext_lazy("all")),
            ("own", gettext_lazy("the account's own")),
            ("public", gettext_lazy("public ones")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )


def _regions(request: HttpRequest) -> QuerySet[Region]:
    seen = Region.objects.visible_to(request.user).filter(configured=True)
    return seen.select_related("account").order_by("account__name", "region_id")


def _seen(request: HttpRequest) -> QuerySet[CloudCommand]:
    rows = CloudCommand.objects.visible_to(request.user)
    return rows.select_related("account", "revision__command")


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    form = LibraryFilter(request.GET)
    found = _seen(request)
    if not form.is_valid():
        found = found.none()
    else:
        for word in form.cleaned_data["text"].replace("\0", "").split():
            found = found.filter(name__icontains=word) | found.filter(script__icontains=word)
        whose = form.cleaned_data["whose"]
        found = found.filter(provider="") if whose == "own" else found
        found = found.exclude(provider="") if whose == "public" else found
    places = [(region.account_id, region.region_id) for region in _regions(request)]
    acts = LibraryAct.objects.select_related("account", "asked_by").order_by("-pk")[:30]
    shown = {
        "form": form,
        "page": lists.page(request, found, ORDER, sorts=SORTS),
        "regions": _regions(request),
        "acts": [act for act in acts if (act.account_id, act.region) in places][:10],
    }
    return render(request, "commands/library.html", shown)


def _place(request: HttpRequest) -> Region:
    told = request.POST.get("place", "")
    if not told.isdecimal() or len(told) > 18:
        told = "0"
    return get_object_or_404(_regions(request), pk=int(told))


@require_POST
@needs("commands.change_savedcommand")
def read(request: HttpRequest) -> HttpResponse:
    region = _place(request)
    _ask(request, LibraryAct.Kind.READ, region)
    messages.info(request, _("ECS is asked for the commands of %s.") % region)
    return redirect("commands:library")


@require_POST
@needs(WRITE)
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a revision there; where an older one is, ECS gets a new command: it changes no text."""
    revision = get_object_or_404(CommandRevision.objects.select_related("command"), pk=pk)
    region = _place(request)
    _ask(request, LibraryAct.Kind.CREATE, region, revision=revision)
    messages.info(request, _("%(what)s is being put into %(where)s.") % _told(revision, region))
    return redirect("commands:library")


@require_POST
@needs(WRITE)
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Give what we put there today's name and settings; ECS never changes a text."""
    kept = get_object_or_404(_seen(request).exclude(revision=None), pk=pk)
    region = get_object_or_404(_regions(request), account=kept.account, region_id=kept.region)
    newest = kept.revision.command.newest()
    if newest.script != kept.script:
        messages.error(
            request, _("Its text has changed since, which ECS cannot: put the new revision there.")
        )
        return redirect(kept.revision.command)
    _ask(request, LibraryAct.Kind.RENAME, region, cloud_command=kept, revision=newest)
    messages.info(request, _("%(what)s is being changed in %(where)s.") % _told(kept, region))
    return redirect("commands:library")


@require_POST
@needs(WRITE)
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    kept = get_object_or_404(_seen(request).filter(provider=""), pk=pk)
    region = get_object_or_404(_regions(request), account=kept.account, region_id=kept.region)
    _ask(request, LibraryAct.Kind.DELETE, region, cloud_command=kept)
    messages.info(request, _("%(what)s is being deleted in %(where)s.") % _told(kept, region))
    return redirect("commands:library")


@require_POST
@needs("commands.add_savedcommand")
def take_over(request: HttpRequest, pk: int) -> HttpResponse:
    kept = get_object_or_404(_seen(request), pk=pk)
    try:
        revision = library.take_over(kept, by=request.user, via="page")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("commands:library")
    return redirect(revision.command)


def _told(what: object, where: object) -> dict[str, str]:
    return {"what": str(what), "where": str(where)}


def _ask(request: HttpRequest, kind: str, region: Region, **about: Any) -> None:
    library.ask(kind, region.account, region.region_id, by=request.user, via="page", **about)
