"""The readiness of the fleet, and asking for it. Every queryset starts with what is visible."""

from __future__ import annotations

import hashlib
import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from commands.targets import Selection
from diagnostics.readiness import asking
from diagnostics.readiness.forms import NEVER, ReadinessFilter
from diagnostics.readiness.models import Readiness
from diagnostics.readiness.shown import ReadinessShown, tallies
from instances.models import Instance
from portal import lists
from portal.access import needs

LOOK, ASK = "diagnostics.view_readiness", "diagnostics.add_readinessrun"
MOST = lists.MOST  # instances asked with one press
ORDER = ("-readiness__lacks",)
SORTS = {
    "lacks": ("-readiness__lacks",),
    "name": ("name",),
    "region": ("region", "name"),
    "known": ("-readiness__as_of",),
}


def of(instance: Instance) -> ReadinessShown:
    return ReadinessShown(getattr(instance, "readiness", None))


def _known(instance: Instance, name: str) -> object:
    return getattr(getattr(instance, "readiness", None), name, "")


COLUMNS = {
    gettext_lazy("Instance ID"): lambda row: row.instance_id,
    gettext_lazy("Name"): lambda row: row.name,
    gettext_lazy("Account"): lambda row: row.account.name,
    gettext_lazy("Region"): lambda row: row.region,
    gettext_lazy("OS"): lambda row: row.os_name or row.os_type,
    gettext_lazy("Readiness"): lambda row: of(row).word,
    gettext_lazy("Needed and missing"): lambda row: _known(row, "lacks"),
    gettext_lazy("Missing"): lambda row: str(_known(row, "missing")).strip(),
    gettext_lazy("Unknown"): lambda row: str(_known(row, "unknown")).strip(),
    gettext_lazy("As of"): lambda row: _known(row, "as_of"),
    gettext_lazy("Last tried"): lambda row: _known(row, "tried_at"),
    gettext_lazy("Why no answer"): lambda row: _known(row, "trouble"),
}


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    form = ReadinessFilter(request.GET, user=request.user)
    found = form.found(request.user).select_related("account", "readiness")
    found = found.defer("readiness__checks")
    if "csv" in request.GET:
        return lists.csv(request, found, COLUMNS, name="readiness", order=ORDER, sorts=SORTS)
    whole = form.whole(request.user)
    rows = Readiness.objects.visible_to(request.user).filter(instance__in=whole.values("pk"))
    known = rows.exclude(as_of=None)
    told = tallies(known.counts())
    shown = {
        "form": form,
        "page": lists.page(request, found, ORDER, sorts=SORTS),
        "tallies": [
            (_("Needed"), [row for row in told if not row.advised]),
            (_("Advised"), [row for row in told if row.advised]),
        ],
        "known": lists.count(known),
        "number": lists.count(whole),
        "never": lists.count(whole.exclude(pk__in=known.values("instance"))),
        "kept": _without(request.GET, "check", "ready", lists.CURSOR),
        "NEVER": NEVER,
        "runs": asking.under_way(request.user),
    }
    return render(request, "diagnostics/readiness/list.html", shown)


def _without(params: QueryDict, *names: str) -> str:
    """The query string without these parameters, to be followed by others."""
    left = params.copy()
    for name in names:
        left.pop(name, None)
    return f"?{left.urlencode()}&" if left else "?"


@require_GET
@needs(LOOK)
def progress(request: HttpRequest) -> HttpResponse:
    """How far the checks are: the part of the page that refreshes itself until they are over."""
    shown = {"runs": asking.under_way(request.user), "followed": True}
    return render(request, "diagnostics/readiness/_under_way.html", shown)


@require_POST
@needs(ASK)
def check(request: HttpRequest) -> HttpResponse:
    """Ask the ticked instances, or all that a list's filter finds; shown once before it is done,
    but for a single instance."""
    chosen, kept = _chosen(request)
    if len(chosen) > MOST:
        said = _("At most %d instances are asked at once: narrow the list.") % MOST
        messages.error(request, said)
        return redirect("readiness:list")
    selection = Selection(picked=tuple(chosen))
    reached = asking.reach(selection, request.user)
    seen = hashlib.sha256(repr(sorted(chosen)).encode()).hexdigest()[:16]
    alone = len(chosen) == 1 and request.POST.get("sure") == "1"
    sure = alone or request.POST.get("seen") == seen
    if not sure or not reached.size:
        shown = {
            "reached": reached,
            "seen": seen,
            "changed": bool(request.POST.get("seen")) and not sure,
            "once": uuid.uuid4(),
            "back": reverse("readiness:list"),  # this page can only be posted to
            "carried": [
                (name, value)
                for name in ("instance", "keep", "filtered")
                for value in request.POST.getlist(name)
            ],
        }
        return render(request, "diagnostics/readiness/ask.html", shown)
    asking.ask(
        reached, by=request.user, via="page", selection=selection, kept=kept, once=_once(request)
    )
    said = ngettext("%d instance is asked.", "%d instances are asked.", reached.size)
    messages.success(request, said % reached.size)
    if len(chosen) == 1:
        return redirect("instances:detail", chosen[0])
    return redirect("readiness:list")


def _chosen(request: HttpRequest) -> tuple[list[int], dict]:
    """Keys of visible instances, one more than MOST at the most, and how they were picked."""
    if request.POST.get("keep") == "filter":
        form = ReadinessFilter(QueryDict(request.POST.get("filtered", "")), user=request.user)
        keys = form.found(request.user).order_by("pk").values_list("pk", flat=True)
        told = {name: form.data[name] for name in ("check", "ready") if form.data.get(name)}
        return list(keys[: MOST + 1]), {"filter": form.saved(), **told}
    told = request.POST.getlist("instance")
    keys = [int(key) for key in told if key.isdecimal() and key.isascii() and len(key) < 19]
    seen = Instance.objects.visible_to(request.user).filter(pk__in=keys[: MOST + 1])
    chosen = list(seen.order_by("pk").values_list("pk", flat=True))
    return chosen, {"picked": chosen}


def _once(request: HttpRequest) -> uuid.UUID | None:
    if not (text := request.POST.get("once", "")):
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise PermissionDenied from None
