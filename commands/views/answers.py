"""One instance's answer, at an address that stays."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from commands.decoding import decoded
from commands.explained import explained
from commands.models import Target
from instances.models import Instance
from portal.access import needs

LOOK = "commands.view_invocation"
SHOWN_BYTES = 256 * 1024


def _target(request: HttpRequest, run: int, pk: int) -> Target:
    seen = Instance.objects.visible_to(request.user).values("pk")
    rows = Target.objects.select_related(
        "invocation__revision", "invocation__asked_by", "dispatch", "instance__account", "output"
    )
    target = get_object_or_404(rows.filter(instance__in=seen), pk=pk)
    if target.invocation_id != run:
        raise Http404
    return target


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, run: int, pk: int) -> HttpResponse:
    target = _target(request, run, pk)
    body = target.output.body() if target.output else b""
    before = Target.objects.filter(instance=target.instance, pk__lt=target.pk)
    if target.invocation.revision:
        same = target.invocation.revision.command_id
        before = before.filter(invocation__revision__command=same)
    else:
        before = before.filter(invocation__name=target.invocation.name)
    words, instead = explained(target)
    shown = {
        "target": target,
        "run": target.invocation,
        "text": decoded(body[:SHOWN_BYTES]),
        "cut": max(0, len(body) - SHOWN_BYTES),
        "words": words,
        "instead": instead,
        "before": before.select_related("invocation").order_by("-pk")[:10],
    }
    return render(request, "commands/answer.html", shown)


@require_GET
@needs(LOOK)
def raw(request: HttpRequest, run: int, pk: int) -> HttpResponse:
    """The bytes as they came, only ever as a download."""
    target = _target(request, run, pk)
    if target.output is None:
        raise Http404
    response = HttpResponse(target.output.body(), content_type="application/octet-stream")
    name = f"run-{run}-{target.instance.instance_id}.txt"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
