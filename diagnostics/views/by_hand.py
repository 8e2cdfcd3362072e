"""The way without the agent: run the script by hand, hand in what it printed, or any log."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from diagnostics import scripts, uploads
from diagnostics.handing_in import EvidenceForm, KindForm
from diagnostics.models import DiagnosisCase
from diagnostics.readers.unpacking import Refused
from diagnostics.speech import spoken, spoken_lines
from diagnostics.views.doors import LOOK, visible_case
from portal.access import needs
from portal.bodies import takes_files

HAND_IN = "diagnostics.add_evidence"


def _page(
    request: HttpRequest, case: DiagnosisCase, form: EvidenceForm, status: int = 200
) -> HttpResponse:
    handed = case.evidence.exclude(kind="").select_related("given_by").defer("packed")
    shown = {
        "case": case,
        "form": form,
        "ways": scripts.ways(case.pk, case.instance.os_type if case.instance else ""),
        "handed": [(row, KindForm(initial={"kind": row.kind})) for row in handed.order_by("pk")],
        "most": settings.UPLOAD_MOST,
    }
    return render(request, "diagnostics/by_hand.html", shown, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@takes_files
@needs(LOOK)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """How it is done by hand, for everybody who sees the case; what is sent here is handed in."""
    case = visible_case(request, pk)
    if request.method != "POST":
        return _page(request, case, EvidenceForm())
    if not request.user.has_perm(HAND_IN):
        raise PermissionDenied
    form = EvidenceForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, case, form, status=400)
    return _hand_in(request, case, form)


def _hand_in(request: HttpRequest, case: DiagnosisCase, form: EvidenceForm) -> HttpResponse:
    try:
        taken = uploads.hand_in(case, form.offers(), by=request.user, via="page")
    except Refused as refused:
        form.add_error("files" if request.FILES else "text", spoken(refused.text))
        return _page(request, case, form, status=400)
    for line in spoken_lines(taken.left_out):
        messages.warning(request, line)
    if taken.rows:
        names = ", ".join(f"{row.file_name} ({row.get_kind_display()})" for row in taken.rows[:10])
        messages.success(request, _("Taken as evidence and being judged: %s") % names)
    return redirect(case)


@require_POST
@needs(HAND_IN)
def kind(request: HttpRequest, pk: int, key: int) -> HttpResponse:
    """Correct what a piece was taken for."""
    case = visible_case(request, pk)
    row = get_object_or_404(case.evidence.exclude(kind="").defer("packed"), pk=key)
    form = KindForm(request.POST)
    if form.is_valid():
        uploads.set_kind(row, form.cleaned_data["kind"], by=request.user, via="page")
        messages.info(request, _("The evidence is being judged again."))
        return redirect(case)
    messages.error(request, _("Kind: choose one of the list."))
    return redirect("diagnostics:by-hand", case.pk)
