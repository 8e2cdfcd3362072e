"""Two people: a run that a rule found risky, and every reboot batch, begins once somebody else
said yes to exactly it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import endings, freezes, invocations, outcomes, parameters, telling
from commands.models import LIVE, Approval, Decision, Invocation, RebootItem
from commands.reboots.approving import BatchPart, TooOld, ask_for_a_look
from instances.models import Instance
from portal import audit, work
from portal.kept import kept
from portal.transitions import WrongState, move
from portal.work import Claim

HOLDS = timedelta(hours=24)
NAMED = 5  # instances in a refusal
REJECTED = kept("Somebody else looked at this run and said no.")
EXPIRED = kept("Nobody approved this run in time.")


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
    """What a yes covers: text, settings, parameters, times and every instance."""
    members = run.targets.order_by("instance").values_list("instance", flat=True)
    sealed = hashlib.sha256(bytes(run.sealed)).hexdigest()
    told = [run.as_script(), run.parameters, sealed, run.concurrency, run.max_errors, list(members)]
    if run.repeats_in_ecs:
        told += [run.repeat_mode, run.frequency]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


@dataclass
class RunPart:
    """What a decision has to know of a run; `BatchPart` tells the same of a reboot batch."""

    run: Invocation
    permission = "commands.decide_run"

    def lock(self) -> None:
        self.run = Invocation.objects.select_for_update().get(pk=self.run.pk)

    def digest(self) -> str:
        return digest_of(self.run)

    def authors(self) -> tuple[Any, Any]:
        return self.run.revision.author if self.run.revision else None, None

    def instances(self) -> QuerySet:
        return self.run.targets.values("instance")

    def check_yes(self, seen: str | None) -> None:
        """It would begin now: a reboot, or a freeze that came after it was asked for, holds it
        back."""
        self._check_reboots()
        if self.run.freeze_reason:
            return
        members = Instance.objects.filter(pk__in=self.instances())
        if windows := freezes.standing(timezone.now(), list(members)):
            names = ", ".join(str(window) for window in windows)
            raise WrongState(
                _("A freeze stands in its way: %s. Say yes after it, or have it asked for anew.")
                % names
            )

    def _check_reboots(self) -> None:
        script = parameters.filled(self.run.script, self.run.parameters)
        down = RebootItem.objects.filter(state__in=LIVE, instance__in=self.instances())
        if not outcomes.goes_down(script, self.run.type) or not down.exists():
            return
        names = ", ".join(str(item.instance) for item in down.select_related("instance")[:NAMED])
        raise WrongState(
            _("It would take down what a reboot has under way: %s. Say yes when that is over.")
            % names
        )

    def begin(self) -> None:
        invocations.start(self.run)

    def give_up(self, code: str, reason: str) -> None:
        endings.give_up(self.run, code, reason)
        endings.finish(self.run)


def part_of(approval: Approval) -> RunPart | BatchPart:
    return RunPart(approval.invocation) if approval.invocation_id else BatchPart(approval.batch)


def decide(
    approval: Approval,
    *,
    by: Any,
    yes: bool,
    comment: str,
    via: str,
    seen: str | None = None,
    **how: Any,
) -> Approval:
    """One person's word. What waits begins with the last yes that was needed, and ends with any
    no. `seen` tells what a page showed of a batch (`approving.seen_digest`), `how` what a yes to it
    allows besides (`BatchPart.begin`).

    Raises WrongState where it no longer waits, PermissionDenied for one's own request or script,
    for a second word, and for instances that one does not see.
    """
    try:
        return _decide(approval, by=by, yes=yes, comment=comment, via=via, seen=seen, how=how)
    except TooOld:
        ask_for_a_look(approval.batch)
        raise


@transaction.atomic
def _decide(
    approval: Approval,
    *,
    by: Any,
    yes: bool,
    comment: str,
    via: str,
    seen: str | None,
    how: dict[str, Any],
) -> Approval:
    part = part_of(approval)
    part.lock()
    approval = Approval.objects.select_for_update().get(pk=approval.pk)
    if approval.state != Approval.State.WAITING:
        raise WrongState(_("This is %s already.") % approval.get_state_display())
    if approval.expires_at <= timezone.now():
        raise WrongState(_("It has expired."))
    if part.digest() != approval.digest:
        raise WrongState(_("What was asked for has changed; it has to be asked for again."))
    _may_decide(part, by)
    if approval.decisions.filter(person=by).exists():
        raise PermissionDenied(_("You have said your word already; another person has to."))
    decision = _decision(approval, part, by, yes, comment, how)
    if yes:
        part.check_yes(seen)
    decision.save()
    audit.record(
        actor=by,
        act="approval.given" if yes else "approval.refused",
        subject=approval,
        via=via,
        digest=approval.digest,
        comment=comment,
        **{name: sorted(value) if name == "accepted" else value for name, value in how.items()},
    )
    if not yes:
        _end(approval, part, Approval.State.REJECTED, "Rejected", REJECTED)
    elif approval.decisions.filter(yes=True).count() >= approval.quorum:
        move(approval, source="waiting", target="approved", due_at=None)
        part.begin(**_agreed(approval))
    approval.refresh_from_db()
    if approval.state != Approval.State.WAITING:
        telling.decided(approval, decision)
    return approval


def _decision(
    approval: Approval, part: RunPart | BatchPart, by: Any, yes: bool, comment: str, how: dict
) -> Decision:
    author, other = part.authors()
    decision = Decision(
        approval=approval,
        person=by,
        requester=approval.requester,
        author=author,
        other_author=other,
        yes=yes,
        canary_only=bool(how.get("canary_only")),
        may_shrink=how.get("may_shrink"),
        accepted=sorted(how.get("accepted", ())),
        comment=comment,
    )
    try:
        decision.full_clean()
    except ValidationError as error:
        raise PermissionDenied(" ".join(error.messages)) from None
    return decision


def _agreed(approval: Approval) -> dict[str, Any]:
    """What all who said yes allow: one who wants to see the canary first is enough, the smallest
    share counts, and what each of them accepted without proof."""
    if not approval.batch_id:
        return {}
    said = list(approval.decisions.filter(yes=True))
    shares = [decision.may_shrink for decision in said if decision.may_shrink is not None]
    return {
        "canary_only": any(decision.canary_only for decision in said),
        "may_shrink": min(shares, default=None),
        "accepted": set.intersection(*(set(decision.accepted) for decision in said)),
    }


def _may_decide(part: RunPart | BatchPart, by: Any) -> None:
    wanted = part.instances()
    seen = Instance.objects.visible_to(by).filter(pk__in=wanted)
    if seen.count() < wanted.count():
        raise PermissionDenied(_("It reaches instances that you do not see."))
    if not by.has_perm(part.permission):
        raise PermissionDenied


def _end(approval: Approval, part: RunPart | BatchPart, state: str, code: str, reason: str) -> None:
    move(approval, source="waiting", target=state, due_at=None)
    part.give_up(code, reason)


@work.job(Approval)
def expire(claim: Claim[Approval]) -> None:
    """Half of the time is over: remind people. All of it: it ends without having begun."""
    approval = claim.row
    with transaction.atomic():
        part = part_of(approval)
        part.lock()
        current = Approval.objects.select_for_update().get(pk=approval.pk)
        waits = current.state == Approval.State.WAITING
        over = current.expires_at <= timezone.now()
        claim.release(due_at=current.expires_at if waits and not over else None)
        if waits and not over:
            telling.still_waiting(current)
        elif waits:
            _end(current, part, Approval.State.EXPIRED, "NotApproved", EXPIRED)
            audit.record(actor="conductor", act="approval.expired", subject=current, via="job")
            telling.expired(current)
