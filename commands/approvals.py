"""Two people: a run that a rule found risky begins once somebody else said yes to exactly it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import endings, invocations, telling
from commands.models import Approval, Decision, Invocation
from instances.models import Instance
from portal import audit, work
from portal.transitions import WrongState, move
from portal.work import Claim

HOLDS = timedelta(hours=24)
REJECTED = "Somebody else looked at this run and said no."
EXPIRED = "Nobody approved this run in time."


def ask(run: Invocation, reasons: Iterable[str]) -> Approval:
    """Have a run that is held wait for somebody else. In the transaction that made the run."""
    expires = timezone.now() + HOLDS
    approval = Approval.objects.create(
        invocation=run,
        requester=run.asked_by,
        reasons=list(reasons),
        digest=digest_of(run),
        expires_at=expires,
        due_at=timezone.now() + HOLDS / 2,  # for the reminder
    )
    telling.asked(approval)
    return approval


def digest_of(run: Invocation) -> str:
    """What a yes covers: text, settings, parameters and every instance."""
    members = run.targets.order_by("instance").values_list("instance", flat=True)
    sealed = hashlib.sha256(bytes(run.sealed)).hexdigest()
    told = [run.as_script(), run.parameters, sealed, run.concurrency, run.max_errors, list(members)]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


@transaction.atomic
def decide(approval: Approval, *, by: Any, yes: bool, comment: str, via: str) -> Approval:
    """One person's word. The run begins with the last yes that was needed, and ends with any no.

    Raises WrongState where it no longer waits, PermissionDenied for one's own request or script,
    for a second word, and for instances that one does not see.
    """
    Invocation.objects.select_for_update().get(pk=approval.invocation_id)
    approval = Approval.objects.select_for_update().get(pk=approval.pk)
    run = approval.invocation
    if approval.state != Approval.State.WAITING:
        raise WrongState(_("This is %s already.") % approval.get_state_display())
    if approval.expires_at <= timezone.now():
        raise WrongState(_("It has expired."))
    if digest_of(run) != approval.digest:
        raise WrongState(_("What was asked for has changed; it has to be asked for again."))
    _may_decide(approval, by)
    decision = Decision(
        approval=approval,
        person=by,
        requester=approval.requester,
        author=run.revision.author if run.revision else None,
        yes=yes,
        comment=comment,
    )
    try:
        decision.full_clean()
    except ValidationError as error:
        raise PermissionDenied(" ".join(error.messages)) from None
    decision.save()
    audit.record(
        actor=by,
        act="approval.given" if yes else "approval.refused",
        subject=approval,
        via=via,
        digest=approval.digest,
        comment=comment,
    )
    if not yes:
        _end(approval, Approval.State.REJECTED, "Rejected", REJECTED)
    elif approval.decisions.filter(yes=True).count() >= approval.quorum:
        move(approval, source="waiting", target="approved", due_at=None)
        invocations.start(run)
    approval.refresh_from_db()
    if approval.state != Approval.State.WAITING:
        telling.decided(approval, decision)
    return approval


def _may_decide(approval: Approval, by: Any) -> None:
    targets = approval.invocation.targets
    seen = targets.filter(instance__in=Instance.objects.visible_to(by).values("pk"))
    if seen.count() < targets.count():
        raise PermissionDenied(_("It reaches instances that you do not see."))
    if not by.has_perm("commands.decide_run"):
        raise PermissionDenied


def _end(approval: Approval, state: str, code: str, reason: str) -> None:
    move(approval, source="waiting", target=state, due_at=None)
    run = approval.invocation
    endings.give_up(run, code, reason)
    endings.finish(run)


@work.job(Approval)
def expire(claim: Claim[Approval]) -> None:
    """Half of the time is over: remind people. All of it: the run ends without having begun."""
    approval = claim.row
    with transaction.atomic():
        Invocation.objects.select_for_update().get(pk=approval.invocation_id)
        current = Approval.objects.select_for_update().get(pk=approval.pk)
        waits = current.state == Approval.State.WAITING
        over = current.expires_at <= timezone.now()
        claim.release(due_at=current.expires_at if waits and not over else None)
        if waits and not over:
            telling.still_waiting(current)
        elif waits:
            _end(current, Approval.State.EXPIRED, "NotApproved", EXPIRED)
            audit.record(actor="conductor", act="approval.expired", subject=current, via="job")
            telling.expired(current)
