"""How a person wants the pages: theme and language, kept in cookies, working without a script."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from portal.context import THEMES

YEAR = 365 * 24 * 3600


@require_POST
@login_not_required
def theme(request: HttpRequest) -> HttpResponse:
    answer = redirect(_back(request))
    chosen = request.POST.get("theme", "")
    if chosen in dict(THEMES):
        answer.set_cookie(
            "theme", chosen, max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )
    return answer


@require_POST
@login_not_required
def language(request: HttpRequest) -> HttpResponse:
    return set_language(request)


def _back(request: HttpRequest) -> str:
    """Where the person came from, if that is one of our pages."""
    there = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(there, {request.get_host()}, request.is_secure())
    return there if ours and there else "/"
