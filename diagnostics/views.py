"""Pages of the diagnosis. Every queryset starts with what this person may see."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from diagnostics import cases, filters, scripts
from diagnostics.forms import CaseFilter, CaseForm
from diagnostics.models import DiagnosisCase, Evidence
from diagnostics.report import COPIES, CUSTOMER, FORMS, INTERNAL, build, rendered
from diagnostics.shown import CaseShown, evidence_shown
from diagnostics.verdicts import KINDS
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
LOOK, OPEN, READ = (
    "diagnostics.view_diagnosiscase",
    "diagnostics.add_diagnosiscase",
    "diagnostics.read_evidence",
)


def _copy(request: HttpRequest) -> str:
    """The copy that was asked for. The internal one names colleagues and shell history: like the
    raw evidence it is for people who may read that; others get the customer's."""
    may = request.user.has_perm(READ)
    copy = request.GET.get("copy", INTERNAL if may else CUSTOMER)
    if copy not in COPIES:
        raise Http404
    if copy == INTERNAL and not may:
        raise PermissionDenied
    return copy


def visible_case(request: HttpRequest, pk: int) -> DiagnosisCase:
    """The case, if this person may see it; else 404."""
    seen = DiagnosisCase.objects.visible_to(request.user)
    return get_object_or_404(seen.select_related("instance__account", "opened_by"), pk=pk)


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


@require_GET
@needs(LOOK)
def report(request: HttpRequest, pk: int) -> HttpResponse:
    case, copy = visible_case(request, pk), _copy(request)
    if not case.over:
        raise Http404
    shown = {"case": case, "report": build(case, copy), "copy": copy}
    return render(request, "diagnostics/report.html", shown)


@require_GET
@needs(LOOK)
def download(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    case, copy = visible_case(request, pk), _copy(request)
    if form not in FORMS or not case.over:
        raise Http404
    response = HttpResponse(rendered(case, copy, form), content_type=FORMS[form])
    name = f"case-{case.pk}-{copy}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_GET
@needs(LOOK)
def script(request: HttpRequest, pk: int) -> HttpResponse:
    """The collection script for this case's system, to be run by hand."""
    case = visible_case(request, pk)
    asked = request.GET.get("os") or (case.instance.os_type if case.instance else "") or "linux"
    if asked not in scripts.FILES:
        raise Http404
    response = HttpResponse(scripts.text(asked), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{scripts.FILES[asked]}"'
    return response


def _evidence(request: HttpRequest, pk: int, key: int) -> Evidence:
    return get_object_or_404(visible_case(request, pk).evidence, pk=key)


@require_GET
@needs(READ)
def evidence(request: HttpRequest, pk: int, key: int) -> HttpResponse:
    row = _evidence(request, pk, key)
    shown = {"case": row.case, "evidence": row, "shown": evidence_shown(row)}
    return render(request, "diagnostics/evidence.html", shown)


@require_GET
@needs(READ)
def evidence_raw(request: HttpRequest, pk: int, key: int) -> HttpResponse:
    """The bytes as they came; a picture may be shown, everything else is only downloaded."""
    row = _evidence(request, pk, key)
    picture = row.media_type == "image/jpeg"
    kind = row.media_type if picture else "application/octet-stream"
    response = HttpResponse(row.body(), content_type=kind)
    saved = not picture or "download" in request.GET
    name = row.file_name or f"{row.name}.{'jpg' if picture else 'txt'}"
    response["Content-Disposition"] = content_disposition_header(saved, f"case-{pk}-{name}")
    response["X-Content-Type-Options"] = "nosniff"
    return response
