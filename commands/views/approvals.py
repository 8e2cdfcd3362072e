"""What waits for somebody's yes, and the page on which it is given."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from commands import approvals, freezes, saved
from commands.models import Approval, Cleared, RebootBatch, RebootItem, Way
from commands.reboots import approving, asking, looking, planning, preflight, shown
from commands.reboots.preflight import Needs, Unfit
from instances.models import Instance
from portal import lists
from portal.access import needs
from portal.transitions import WrongState

LOOK = "commands.view_approval"
ORDER = ("-asked_at",)
LONGEST = 500
CHANGED = 100  # instances whose changes are listed


def _visible(user: Any) -> QuerySet[Approval]:
    rows = Approval.objects.visible_to(user)
    return rows.select_related("invocation__revision__author", "batch", "requester")


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    """What waits stands above what was decided."""
    waiting = _visible(request.user).filter(state=Approval.State.WAITING)
    waiting = waiting.order_by("expires_at")[:100]
    decided = _visible(request.user).exclude(state=Approval.State.WAITING)
    past = lists.page(request, decided, ORDER)
    return render(request, "commands/approvals.html", {"waiting": waiting, "page": past})


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    approval = get_object_or_404(_visible(request.user), pk=pk)
    if approval.batch_id:
        return _of_batch(request, approval)
    run = approval.invocation
    targets = run.targets.filter(instance__in=Instance.objects.visible_to(request.user))
    told = _said(request, approval) | {
        "run": run,
        "instances": [t.instance for t in targets.select_related("instance")[:300]],
        "wrote": bool(run.revision and run.revision.author_id == request.user.pk),
    }
    return render(request, "commands/approval.html", told)


def _said(request: HttpRequest, approval: Approval) -> dict[str, Any]:
    decisions = approval.decisions.select_related("person", "rule").order_by("at")
    return {
        "approval": approval,
        "decisions": decisions,
        "own": approval.requester_id == request.user.pk,
        "spoke": any(row.person_id == request.user.pk for row in decisions),
    }


def _of_batch(request: HttpRequest, approval: Approval) -> HttpResponse:
    """One screen: what goes down together, what is risky, what changed since it was asked for."""
    batch = approval.batch
    waits = approval.state == Approval.State.WAITING
    fresh = batch.checked_at is not None and timezone.now() - batch.checked_at < approving.FRESH
    if waits and not fresh and batch.look_at is None:
        approving.ask_for_a_look(batch)
        batch.refresh_from_db()
    seen = Instance.objects.visible_to(request.user).values("pk")
    items = list(batch.items.filter(instance__in=seen).select_related("instance").order_by("place"))
    left = [item for item in items if item.state == "planned"]
    needed = Needs.of(batch)
    unfit: dict[Unfit, list[RebootItem]] = {}
    for item in left:
        if why := preflight.unfit(item.facts, needed, accepted=True):
            unfit.setdefault(why, []).append(item)
    gone = {item.pk for rows in unfit.values() for item in rows}
    going = [
        item
        for item in left
        if item.pk not in gone and not preflight.unfit(item.facts, needed, accepted=item.accepted)
    ]
    changed = [
        (item, found) for item in left if (found := preflight.changes(item.asked_facts, item.facts))
    ]
    now = timezone.now()
    risky = asking.risks_by_name(batch, items)
    told = _said(request, approval) | {
        "batch": batch,
        "plan": planning.plan(batch, [item.instance for item in going], now) if going else None,
        "going": going,
        "unfit": unfit,
        "unfit_count": len(gone),
        "hidden": batch.size - len(items),
        "changed": changed[:CHANGED],
        "changed_more": max(0, len(changed) - CHANGED),
        "risky": risky,
        "unprovable": risky.get(preflight.Risk.NO_PROOF, []),
        "fresh": fresh,
        "looking": waits and batch.look_at is not None,
        "unasked": looking.unasked(batch) if waits else "",
        "seen_digest": approving.seen_digest(batch),
        "may_canary": batch.canary > 0 and batch.cleared == Cleared.NOTHING and len(going) > 1,
        "earlier": shown.headline(batch.continues, shown.counts(batch.continues.items))
        if batch.continues
        else "",
        "clears_no_event": batch.way == Way.EXIT_CODE and preflight.Risk.EVENT in risky,
        "canary_done": batch.cleared == Cleared.CANARY,
        "bars": shown.bars(shown.counts(batch.items.filter(wave__isnull=False))),
        "wrote": request.user.pk
        in [row.author_id for row in (batch.pre_revision, batch.post_revision) if row],
        "pre_changes": _changes(batch, "pre"),
        "post_changes": _changes(batch, "post"),
        "freezes": freezes.standing(max(now, batch.opens_at), [item.instance for item in going]),
    }
    return render(request, "commands/reboots/approval.html", told)


def _changes(batch: RebootBatch, part: str) -> list[tuple[str, str]]:
    """What the script has that the one before it had not: the revision before, or what the batch
    ran that this one continues. Nothing where there is none before."""
    revision, script = getattr(batch, f"{part}_revision"), getattr(batch, f"{part}_script")
    if revision is not None:
        earlier = revision.command.revisions.filter(number__lt=revision.number)
        before = earlier.order_by("-number").values_list("script", flat=True).first()
    else:
        before = getattr(batch.continues, f"{part}_script", {}).get("script")
    if not script or before is None:
        return []
    return saved.changes(before.splitlines(), script["script"].splitlines(), context=3)


@require_POST
@needs(LOOK)
def look_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the instances of a waiting batch looked at now."""
    approval = get_object_or_404(_visible(request.user), pk=pk)
    if approval.batch_id and approval.state == Approval.State.WAITING:
        approving.ask_for_a_look(approval.batch)
    return redirect(approval)


@require_POST
@needs("commands.decide_run", "commands.decide_reboot")
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """`answer` is yes, canary or no. Each kind of request wants a right of its own."""
    approval = get_object_or_404(_visible(request.user), pk=pk)
    part = approvals.part_of(approval)
    answer = request.POST.get("answer")
    if answer not in ("yes", "canary", "no") or not request.user.has_perm(part.permission):
        raise PermissionDenied
    comment = request.POST.get("comment", "").replace("\0", "").strip()[:LONGEST]
    try:
        decided = approvals.decide(
            approval,
            by=request.user,
            yes=answer != "no",
            comment=comment,
            via="page",
            **(_how(request) if approval.batch_id and answer != "no" else {}),
        )
    except (WrongState, PermissionDenied) as refusal:
        if _said_so_already(request, approval):
            return redirect(approval)  # the second of two clicks: the first was told
        messages.error(request, str(refusal) or _("You may not decide this."))
        return redirect(approval)
    if decided.state == Approval.State.APPROVED:
        messages.success(request, _("Approved."))
        return redirect(decided.subject)
    messages.success(request, _("Your answer is kept."))
    return redirect(approval)


def _said_so_already(request: HttpRequest, approval: Approval) -> bool:
    answer = request.POST["answer"]
    mine = approval.decisions.filter(person=request.user.pk, yes=answer != "no")
    return mine.filter(canary_only=answer == "canary").exists()


def _how(request: HttpRequest) -> dict[str, Any]:
    """What the page showed, and what the yes allows besides."""
    told = request.POST
    share = told.get("may_shrink", "")
    if share and not (share.isdecimal() and int(share[:4]) <= 100):
        raise WrongState(_("May become unfit: a share from 0 to 100 percent."))
    accepted = [int(key) for key in told.getlist("accept") if key.isdecimal() and len(key) < 19]
    return {
        "seen": told.get("seen", ""),
        "canary_only": told.get("answer") == "canary",
        "may_shrink": int(share) if share else None,
        "accepted": accepted,
    }
