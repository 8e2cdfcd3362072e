"""What waits for somebody's yes, and the page on which it is given."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from commands import approvals
from commands.models import Approval, Invocation
from instances.models import Instance
from portal import lists
from portal.access import needs
from portal.transitions import WrongState

LOOK = "commands.view_approval"
ORDER = ("-asked_at",)
LONGEST = 500


def _seen(request: HttpRequest) -> QuerySet[Approval]:
    runs = Invocation.objects.visible_to(request.user)
    rows = Approval.objects.filter(invocation__in=runs.values("pk"))
    return rows.select_related("invocation__revision__author", "requester")


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    """What waits stands above what was decided."""
    seen = _seen(request)
    waiting = seen.filter(state=Approval.State.WAITING).order_by("expires_at")[:100]
    past = lists.page(request, seen.exclude(state=Approval.State.WAITING), ORDER)
    return render(request, "commands/approvals.html", {"waiting": waiting, "page": past})


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    approval = get_object_or_404(_seen(request), pk=pk)
    run = approval.invocation
    targets = run.targets.filter(instance__in=Instance.objects.visible_to(request.user))
    shown = {
        "approval": approval,
        "run": run,
        "instances": [t.instance for t in targets.select_related("instance")[:300]],
        "decisions": approval.decisions.select_related("person").order_by("at"),
        "own": approval.requester_id == request.user.pk,
        "wrote": bool(run.revision and run.revision.author_id == request.user.pk),
    }
    return render(request, "commands/approval.html", shown)


@require_POST
@needs("commands.decide_run")
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    approval = get_object_or_404(_seen(request), pk=pk)
    yes = request.POST.get("answer") == "yes"
    if not yes and request.POST.get("answer") != "no":
        raise PermissionDenied
    comment = request.POST.get("comment", "").replace("\0", "").strip()[:LONGEST]
    try:
        decided = approvals.decide(approval, by=request.user, yes=yes, comment=comment, via="page")
    except (WrongState, PermissionDenied) as refusal:
        messages.error(request, str(refusal) or _("You may not decide this."))
        return redirect(approval)
    if decided.state == Approval.State.APPROVED:
        messages.success(request, _("Approved: the run begins now."))
        return redirect(decided.invocation)
    messages.success(request, _("Your answer is kept."))
    return redirect(approval)
