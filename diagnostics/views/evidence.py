"""Raw evidence as it came, and the script that collects it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from diagnostics import scripts
from diagnostics.models import Evidence
from diagnostics.shown import evidence_shown
from diagnostics.views.doors import LOOK, READ, visible_case
from portal.access import needs


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
