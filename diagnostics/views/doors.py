"""Who may come in: permissions, the cases that a person sees, and which copy they may read."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from diagnostics.models import DiagnosisCase
from diagnostics.report import COPIES, CUSTOMER, INTERNAL

LOOK, OPEN, READ = (
    "diagnostics.view_diagnosiscase",
    "diagnostics.add_diagnosiscase",
    "diagnostics.read_evidence",
)
SEND, MARK = "diagnostics.add_sentreport", "diagnostics.add_mark"


def visible_case(request: HttpRequest, pk: int) -> DiagnosisCase:
    """The case, if this person may see it; else 404."""
    seen = DiagnosisCase.objects.visible_to(request.user)
    return get_object_or_404(seen.select_related("instance__account", "opened_by"), pk=pk)


def copy_of(request: HttpRequest) -> str:
    """The copy that was asked for. The internal one names colleagues and shell history: like the
    raw evidence it is for people who may read that; others get the customer's."""
    may = request.user.has_perm(READ)
    copy = request.GET.get("copy", INTERNAL if may else CUSTOMER)
    if copy not in COPIES:
        raise Http404
    if copy == INTERNAL and not may:
        raise PermissionDenied
    return copy
