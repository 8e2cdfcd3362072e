"""Saved commands: found, read, written, compared, put away."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commands import parameters, saved
from commands.forms.saved import CommandFilter, SavedForm
from commands.models import CommandRevision, CommandTag, CommandType, Invocation, SavedCommand
from commands.syntax import complaint
from instances.models import Region
from portal import lists
from portal.access import needs

LOOK = "commands.view_savedcommand"
WRITE = "commands.change_savedcommand"
ORDER = ("name",)
SORTS = {
    "name": ("name",),
    "type": ("type", "name"),
    "revised": ("-revised_at",),
    "created": ("-created_at",),
}
COLUMNS = {
    gettext_lazy("Name"): lambda row: row.name,
    gettext_lazy("What it is for"): lambda row: row.description,
    gettext_lazy("Type"): lambda row: row.type,
    gettext_lazy("Revision"): lambda row: row.number,
    gettext_lazy("Saved"): lambda row: row.revised_at,
    gettext_lazy("Owner"): lambda row: row.owner,
}


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    tags = CommandTag.objects.order_by("name").values_list("name", flat=True).distinct()
    form = CommandFilter(request.GET, tags=list(tags))
    valid = form.is_valid()
    found = saved.found(form.cleaned_data, request.user) if valid else SavedCommand.objects.none()
    if "csv" in request.GET:
        return lists.csv(request, found, COLUMNS, name="commands", order=ORDER, sorts=SORTS)
    found = found.prefetch_related("tags")
    page = lists.page(request, found, ORDER, sorts=SORTS if valid else None)
    marked = set(request.user.favourites.values_list("command", flat=True))
    shown = {"form": form, "page": page, "marked": marked, "types": dict(CommandType.choices)}
    return render(request, "commands/list.html", shown)


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    command = get_object_or_404(SavedCommand.objects.select_related("owner"), pk=pk)
    revisions = list(command.revisions.select_related("author").order_by("-number")[:100])
    runs = Invocation.objects.visible_to(request.user).filter(revision__command=command)
    shown = {
        "command": command,
        "revision": _revision(command, request.GET.get("revision")),
        "revisions": revisions,
        "runs": runs.select_related("asked_by", "revision").order_by("-pk")[:10],
        "marked": command.favourites.filter(person=request.user).exists(),
    }
    regions = Region.objects.visible_to(request.user).filter(configured=True)
    shown["regions"] = regions.select_related("account").order_by("account__name", "region_id")
    shown["declared"] = parameters.declared(shown["revision"].parameters)
    return render(request, "commands/command.html", shown)


@require_GET
@needs(LOOK)
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    """Any two revisions; without being told which, the newest and the one before."""
    command = get_object_or_404(SavedCommand, pk=pk)
    new = _revision(command, request.GET.get("new"))
    old = _revision(command, request.GET.get("old") or str(max(1, new.number - 1)))
    shown = {
        "command": command,
        "old": old,
        "new": new,
        "lines": saved.difference(old, new),
        "revisions": command.revisions.order_by("-number")[:100],
    }
    return render(request, "commands/compare.html", shown)


def _revision(command: SavedCommand, number: str | None) -> CommandRevision:
    if not number:
        return command.newest()
    if not number.isdecimal() or len(number) > 9:
        raise Http404
    return get_object_or_404(command.revisions.select_related("author"), number=int(number))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("commands.add_savedcommand")
def create(request: HttpRequest) -> HttpResponse:
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(WRITE)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(SavedCommand, pk=pk, archived_at=None))


def _edit(request: HttpRequest, command: SavedCommand | None) -> HttpResponse:
    if request.method != "POST":
        form = SavedForm.editing(command) if command else SavedForm()
        return _editor(request, form)
    if request.POST.get("stage") == "rows":
        return _editor(request, SavedForm.with_rows(request.POST, command))
    form = SavedForm(request.POST, command=command)
    if not form.is_valid():
        form.make_room()
        return _editor(request, form, status=400)
    told = form.cleaned_data
    revision = saved.save(
        command,
        name=told["name"],
        description=told["description"],
        tags=told["tags"],
        parameters=told["parameters"],
        script=form.script_fields(),
        note=told["note"],
        by=request.user,
        via="page",
    )
    messages.success(request, _("Saved as revision %d.") % revision.number)
    if trouble := complaint(revision.script, revision.type):
        messages.warning(request, _("A shell cannot read this script: %s") % trouble)
    return redirect(revision.command)


def _editor(request: HttpRequest, form: SavedForm, **answer: Any) -> HttpResponse:
    return render(request, "commands/edit.html", {"form": form, "command": form.command}, **answer)


@require_POST
@needs(WRITE)
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    command = get_object_or_404(SavedCommand, pk=pk)
    saved.archive(command, by=request.user, via="page")
    messages.info(request, _("%s is archived; its runs stay.") % command)
    return redirect("commands:list")


@require_POST
@needs(LOOK)
def favourite(request: HttpRequest, pk: int) -> HttpResponse:
    command = get_object_or_404(SavedCommand, pk=pk)
    saved.mark(command, request.user, wanted=request.POST.get("wanted") == "1")
    return redirect(command)
