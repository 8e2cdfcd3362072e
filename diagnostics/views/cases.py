"""Cases: the list, opening one, its page, judging it again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from diagnostics import cases, filters
from diagnostics.forms import CaseFilter, CaseForm
from diagnostics.models import DiagnosisCase
from diagnostics.shown import CaseShown
from diagnostics.verdicts import KINDS
from diagnostics.views.doors import LOOK, OPEN, visible_case
from portal import lists
from portal.access import needs

ORDER = ("-opened_at",)
SORTS = {
    "opened": ("-opened_at",),
    "down": ("-went_down_at",),
    "verdict": ("kind", "-opened_at"),
    "state": ("state", "-opened_at"),
}
COLUMNS = {
    _("Case"): lambda case: case.pk,
    _("Instance ID"): lambda c: c.instance.instance_id if c.instance else c.instance_text,
    _("Name"): lambda case: case.instance.name if case.instance else "",
    _("Region"): lambda case: case.region,
    _("Verdict"): lambda case: case.kind,
    _("Detail"): lambda case: case.subkind,
    _("Confidence"): lambda case: case.confidence,
    _("Signature"): lambda case: case.signature,
    _("Went down"): lambda case: case.went_down_at,
    _("Came back"): lambda case: case.came_back_at,
    _("State"): lambda case: case.state,
    _("Customer reference"): lambda case: case.customer_reference,
    _("Opened by"): lambda case: case.opened_by.get_username() if case.opened_by else "",
    _("Opened"): lambda case: case.opened_at,
}


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    form = CaseFilter(request.GET, user=request.user)
    found = DiagnosisCase.objects.visible_to(request.user).select_related("instance", "opened_by")
    found = filters.cases(found, form.cleaned_data) if form.is_valid() else found.none()
    found = found.defer("judgement")
    if "csv" in request.GET:
        return lists.csv(request, found, COLUMNS, name="cases", order=ORDER, sorts=SORTS)
    page = lists.page(request, found, ORDER, sorts=SORTS)
    return render(request, "diagnostics/list.html", {"form": form, "page": page, "kinds": KINDS})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(OPEN)
def open_case(request: HttpRequest) -> HttpResponse:
    told = request.POST if request.method == "POST" else None
    initial = {"instance": request.GET.get("instance", "")[:128]}
    form = CaseForm(told, initial=initial, user=request.user)
    if told is not None and form.is_valid():
        return redirect(cases.open_case(opened_by=request.user, via="page", **form.told()))
    more = any(form.errors.get(name) for name in ("customer_reference", "contact", "region"))
    shown = {"form": form, "more_open": more}
    return render(request, "diagnostics/open.html", shown, status=400 if form.errors else 200)


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    case = visible_case(request, pk)
    return render(request, "diagnostics/case.html", {"shown": CaseShown(case), "case": case})


@require_GET
@needs(LOOK)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    case = visible_case(request, pk)
    shown = {"shown": CaseShown(case), "case": case}
    return render(request, "diagnostics/_progress.html", shown)


@require_POST
@needs(OPEN)
def judge_again(request: HttpRequest, pk: int) -> HttpResponse:
    case = visible_case(request, pk)
    cases.judge_again(case, by=request.user, via="page")
    messages.info(request, _("The evidence is being judged again."))
    return redirect(case)
