"""How much a request may bring, decided by its length before a byte of it is read.

A view that takes files says so with `@takes_files`; every other one takes a form's worth.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

log = logging.getLogger(__name__)
View = Callable[..., HttpResponse]
FORM_MOST = 3 << 20  # bytes; the longest form without files is a script of 18,000


def takes_files(view: View) -> View:
    """Let this view be sent up to UPLOAD_MOST."""
    view.takes_files = True
    return view


class BodyMiddleware:
    """Stands before whatever reads a body: the check of a form's token does that first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple, kwargs: dict
    ) -> HttpResponse | None:
        most = settings.UPLOAD_MOST if getattr(view, "takes_files", False) else FORM_MOST
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length <= most:
            return None
        log.warning("%s brought %s bytes, more than %s", request.path, length, most)
        why = _("What you sent has %(length)s MB; this page takes at most %(most)s MB at once.")
        return too_large(request, why % {"length": -(-length >> 20), "most": most >> 20})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for a request that Django would not read; says which limit it broke."""
    if isinstance(exception, RequestDataTooBig):
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20
        why = _("The text has more than %(most)s MB. Hand it in as a file.") % {"most": most}
        return too_large(request, why)
    if isinstance(exception, TooManyFilesSent):
        most = settings.UPLOAD_FILES_MOST
        why = _("Files: at most %(most)s at once are allowed; pack them with zip.")
        return too_large(request, why % {"most": most})
    return render(request, "400.html", status=400)


def too_large(request: HttpRequest, why: str) -> HttpResponse:
    return render(request, "413.html", {"why": why, "back": request.path}, status=413)
