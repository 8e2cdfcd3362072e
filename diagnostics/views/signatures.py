"""Crash signatures: the same crash on many machines as one line."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from diagnostics import signatures
from diagnostics.models import DiagnosisCase
from diagnostics.small_forms import SignatureFilter
from diagnostics.views.doors import LOOK
from portal import lists
from portal.access import needs

ORDER = ("-cases", "-signature")
SORTS = {
    "cases": ("-cases", "-signature"),
    "machines": ("-machines", "-signature"),
    "first": ("-first", "-signature"),
    "last": ("-last", "-signature"),
}
COLUMNS = {
    _("Signature"): lambda row: row["signature"],
    _("In words"): lambda row: signatures.in_words(row["signature"], row["kind"]),
    _("Cases"): lambda row: row["cases"],
    _("Machines"): lambda row: row["machines"],
    _("First seen"): lambda row: row["first"],
    _("Last seen"): lambda row: row["last"],
}


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    form = SignatureFilter(request.GET)
    cases = DiagnosisCase.objects.visible_to(request.user)
    cases = form.narrowed(cases) if form.is_valid() else cases.none()
    rows = signatures.grouped(cases)
    if kind := form.is_valid() and form.cleaned_data["kind"]:
        rows = rows.filter(kind=kind)
    if "csv" in request.GET:
        told = {"name": "signatures", "order": ORDER, "sorts": SORTS, "unique": "signature"}
        return lists.csv(request, rows, COLUMNS, **told)
    page = lists.page(request, rows, ORDER, sorts=SORTS, unique="signature")
    shown = {"form": form, "page": page, "known": signatures.described(page.rows, cases)}
    return render(request, "diagnostics/signatures.html", shown)
