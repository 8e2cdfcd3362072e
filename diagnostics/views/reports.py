"""The report of a case, and what of it was sent to whom."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from diagnostics import history, sending
from diagnostics.models import Copy, SentReport
from diagnostics.report import FORMS, INTERNAL, build, rendered
from diagnostics.small_forms import SendForm, SentFilter
from diagnostics.views.doors import LOOK, READ, SEND, copy_of, visible_case
from portal import lists
from portal.access import needs

log = logging.getLogger(__name__)
SENT_ORDER = ("-sent_at",)
SENT_COLUMNS = {
    gettext_lazy("Case"): lambda row: row.case_id,
    gettext_lazy("Instance"): lambda row: str(row.case.instance or row.case.instance_text),
    gettext_lazy("Version"): lambda row: row.judging.number,
    gettext_lazy("Copy"): lambda row: row.copy,
    gettext_lazy("Sent to"): lambda row: row.sent_to,
    gettext_lazy("Sent by"): lambda row: row.sent_by.get_username(),
    gettext_lazy("Sent"): lambda row: row.sent_at,
    gettext_lazy("It said"): lambda row: row.judging.kind,
    gettext_lazy("The case says"): lambda row: row.case.kind,
    gettext_lazy("Outdated"): lambda row: row.outdated_at,
}


@require_GET
@needs(LOOK)
def report(request: HttpRequest, pk: int) -> HttpResponse:
    case, copy = visible_case(request, pk), copy_of(request)
    if not case.over:
        raise Http404
    shown = {"case": case, "report": build(case, copy), "copy": copy}
    return render(request, "diagnostics/report.html", shown)


@require_GET
@needs(LOOK)
def download(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    case, copy = visible_case(request, pk), copy_of(request)
    if form not in FORMS or not case.over:
        raise Http404
    response = HttpResponse(rendered(case, copy, form), content_type=FORMS[form])
    name = f"case-{case.pk}-{copy}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs(SEND)
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the report as it is now, and to whom it goes."""
    case = visible_case(request, pk)
    if not case.over:
        raise Http404
    version = history.number_shown(case)
    told = request.POST if request.method == "POST" else None
    initial = {"copy": request.GET.get("copy", Copy.CUSTOMER), "version": version}
    form = SendForm(told, initial=initial, may_internal=request.user.has_perm(READ))
    if told is not None and form.is_valid():
        try:
            kept = sending.mark_sent(case, by=request.user, via="page", **form.cleaned_data)
        except sending.NotTheVersion as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _("Kept as it was sent."))
            return redirect(kept)
    shown = {"case": case, "form": form, "version": version}
    return render(request, "diagnostics/send.html", shown, status=400 if form.errors else 200)


def readable(request: HttpRequest):
    """Sent reports that this person may read: internal copies only with the evidence."""
    rows = SentReport.objects.visible_to(request.user)
    return rows if request.user.has_perm(READ) else rows.exclude(copy=Copy.INTERNAL)


@require_GET
@needs(LOOK)
def sent(request: HttpRequest) -> HttpResponse:
    """What was sent, and who has to be told that the case says otherwise now."""
    form = SentFilter(request.GET)
    rows = readable(request).select_related("case__instance", "judging", "sent_by")
    rows = rows.defer("case__judgement")
    to_tell = lists.count(readable(request).to_tell())
    if not form.is_valid():
        rows = rows.none()
    elif form.cleaned_data["show"] == "tell":
        rows = rows.to_tell()
    if form.is_valid() and (text := form.cleaned_data["q"]):
        rows = rows.filter(Q(receiver__contains=text.casefold()) | Q(case__customer_reference=text))
    if "csv" in request.GET:
        return lists.csv(request, rows, SENT_COLUMNS, name="sent-reports", order=SENT_ORDER)
    page = lists.page(request, rows, SENT_ORDER)
    return render(
        request, "diagnostics/sent.html", {"form": form, "page": page, "to_tell": to_tell}
    )


def _one(request: HttpRequest, pk: int) -> SentReport:
    rows = SentReport.objects.visible_to(request.user)
    rows = rows.select_related("case__instance", "judging", "sent_by")
    report = get_object_or_404(rows, pk=pk)
    if report.copy == INTERNAL and not request.user.has_perm(READ):
        raise PermissionDenied
    return report


@require_GET
@needs(LOOK)
def sent_report(request: HttpRequest, pk: int) -> HttpResponse:
    kept = _one(request, pk)
    documents = list(kept.documents.order_by("form"))
    shown = {"sent": kept, "case": kept.case, "documents": documents}
    try:
        shown["text"] = next(each.body().decode() for each in documents if each.form == "md")
    except (ValueError, StopIteration):
        log.exception("sent report %s is not what was sent", kept.pk)
        shown["text"], shown["changed"] = "", True
    return render(request, "diagnostics/sent_report.html", shown)


@require_GET
@needs(LOOK)
def sent_document(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """Byte for byte what was sent."""
    kept = _one(request, pk)
    document = get_object_or_404(kept.documents, form=form)
    try:
        body = document.body()
    except ValueError:
        log.exception("sent document %s is not what was sent", document.pk)
        return HttpResponse(_("It was changed after it was sent."), status=409)
    response = HttpResponse(body, content_type=FORMS[form])
    name = f"case-{kept.case_id}-v{kept.judging.number}-{kept.copy}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
