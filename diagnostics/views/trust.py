"""What people say of verdicts, and how often they were right."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from diagnostics import history, marking, trust
from diagnostics.small_forms import MarkForm, TrustFilter
from diagnostics.views.doors import LOOK, MARK, visible_case
from portal import lists
from portal.access import needs


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MARK)
def mark(request: HttpRequest, pk: int) -> HttpResponse:
    """Say whether the verdict of a case is right, and what it really was."""
    case = visible_case(request, pk)
    if not case.over:
        raise Http404
    told = request.POST if request.method == "POST" else None
    form = MarkForm(told, initial=marking.as_marked(case) | {"version": history.number_shown(case)})
    if told is not None and form.is_valid():
        try:
            marking.mark(case, by=request.user, via="page", **form.cleaned_data)
        except marking.NotTheVersion as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _("Thank you: it counts in the hit rate."))
            return redirect(case)
    shown = {"case": case, "form": form}
    return render(request, "diagnostics/mark.html", shown, status=400 if form.errors else 200)


@require_GET
@needs(LOOK)
def hits(request: HttpRequest) -> HttpResponse:
    """How often verdicts were right, by kind, analyzer and version, with the wrong ones."""
    form = TrustFilter(request.GET)
    told = trust.judged(request.user)
    told = form.narrowed(told) if form.is_valid() else told.none()
    wrong = lists.page(request, trust.wrong(told), ("-at",))
    shown = {
        "form": form,
        "all": trust.overall(told),
        "kinds": trust.by_kind(told),
        "versions": trust.by_version(told),
        "analyzers": trust.by_analyzer(told),
        "months": trust.by_month(told),
        "wrong": trust.with_truth(wrong.rows),
        "page": wrong,
    }
    return render(request, "diagnostics/hits.html", shown)
