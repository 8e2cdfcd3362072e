"""The two people of a batch: what a yes covers, and what it lets begin."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import telling as people
from commands.models import (
    Approval,
    AutoPass,
    BatchState,
    Cleared,
    Decision,
    Ending,
    ItemOutcome,
    ItemState,
    RebootBatch,
    RebootItem,
    Way,
)
from commands.reboots import items, looking, preflight, telling
from commands.reboots.frozen import digest_of
from commands.reboots.preflight import Needs
from instances.models import InstanceTag
from portal import audit
from portal.kept import kept
from portal.transitions import WrongState, move

HOLDS = timedelta(hours=24)
FRESH = timedelta(minutes=5)  # so old may the look be on which somebody decides
REASONS = {
    Ending.REJECTED: kept("Somebody else looked at this batch and said no."),
    Ending.EXPIRED: kept("Nobody approved this batch in time."),
    Ending.STOPPED: kept("Stopped before its turn came."),
}


def seen_digest(batch: RebootBatch) -> str:
    """Changes when anything that the page tells of the instances does."""
    needs = Needs.of(batch)
    rows = batch.items.order_by("instance").values_list("instance", "state", "facts")
    told = [
        [pk, state, preflight.unfit(facts, needs), preflight.risks(facts, needs), facts["tags"]]
        for pk, state, facts in rows
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def ask(batch: RebootBatch, reasons: list[str], quorum: int) -> Approval:
    """Have the batch wait for somebody else. In the transaction that made it."""
    now = timezone.now()
    expires = min(now + HOLDS, batch.closes_at)
    approval = Approval.objects.create(
        batch=batch,
        requester=batch.asked_by,
        reasons=reasons,
        digest=batch.digest,
        quorum=quorum,
        expires_at=expires,
        due_at=now + (expires - now) / 2,  # for the reminder
    )
    people.asked(approval)
    return approval


def ask_again(batch: RebootBatch) -> Approval:
    """The canary was seen; the rest wants a word of its own."""
    before = batch.approvals.order_by("-pk").first()
    return ask(batch, [batch.paused_why], before.quorum if before else 1)


class TooOld(WrongState):
    """What the decision would be about was looked at too long ago."""


@dataclass
class BatchPart:
    """What `commands.approvals` has to know of a batch. `how` is what the person allowed besides:
    `canary_only`, `may_shrink` (percent), `accepted` (items without proof, by key)."""

    batch: RebootBatch
    permission = "commands.decide_reboot"

    def lock(self) -> None:
        self.batch = RebootBatch.objects.select_for_update().get(pk=self.batch.pk)

    def digest(self) -> str:
        return digest_of(self.batch)

    def authors(self) -> tuple[Any, Any]:
        revisions = (self.batch.pre_revision, self.batch.post_revision)
        return tuple(revision.author if revision else None for revision in revisions)

    def instances(self) -> QuerySet:
        return self.batch.items.values("instance")

    def check_yes(self, seen: str | None) -> None:
        """A yes is said on what is true now, and on what the page showed. Raises WrongState
        otherwise."""
        batch = self.batch
        if batch.closes_at <= timezone.now():
            raise WrongState(_("Its window has closed."))
        if batch.checked_at is None or timezone.now() - batch.checked_at > FRESH:
            raise TooOld(
                looking.unasked(batch)
                or _("The instances were looked at too long ago; a new look begins now.")
            )
        if seen is not None and seen != seen_digest(batch):
            raise WrongState(_("Something changed since you looked. Look again, then decide."))

    def begin(
        self, *, canary_only: bool = False, may_shrink: int | None = None, accepted: Collection = ()
    ) -> None:
        """The last yes that was needed."""
        batch = self.batch
        RebootItem.objects.filter(
            batch=batch, pk__in=list(accepted), state=ItemState.PLANNED
        ).update(accepted=True)
        if canary_only and (batch.cleared != Cleared.NOTHING or not batch.canary):
            raise WrongState(_("No canary of it is still to come."))
        changes: dict[str, Any] = {"cleared": Cleared.CANARY if canary_only else Cleared.ALL}
        if may_shrink is not None:
            changes["may_shrink"] = may_shrink
        if batch.state == BatchState.PAUSED:
            last = batch.waves.order_by("-number").first()
            changes |= {"passed_wave": last.pk if last else None, "paused_why": ""}
        move(
            batch,
            source=(BatchState.WAITING, BatchState.PAUSED),
            target=BatchState.READY if batch.started_at is None else BatchState.RUNNING,
            **changes,
        )
        batch.wake()

    def give_up(self, code: str, reason: str) -> None:
        """A no, or no word in time: whatever was not taken down never is."""
        ending = Ending.REJECTED if code == "Rejected" else Ending.EXPIRED
        end_unbegun(self.batch, ending)


def end_unbegun(batch: RebootBatch, ending: str) -> None:
    """End a batch that waits for a word."""
    if batch.over:
        return
    planned = batch.items.filter(state=ItemState.PLANNED)
    items.end_all(planned, ItemOutcome.NOT_STARTED, REASONS[Ending(ending)])
    move(
        batch,
        source=(BatchState.WAITING, BatchState.PAUSED),
        target=BatchState.FINISHED,
        ending=ending,
        finished_at=timezone.now(),
        paused_why="",
        due_at=None,
    )
    telling.finished(batch)


def ask_for_a_look(batch: RebootBatch) -> None:
    """Have a worker look at the instances now; the page shows it when it is there."""
    RebootBatch.objects.filter(pk=batch.pk, look_at=None).update(look_at=timezone.now())
    batch.wake()


def rule_for(batch: RebootBatch) -> AutoPass | None:
    """A written rule that lets this batch pass: never one whose author asks for it, or wrote one
    of its scripts."""
    pairs = ((batch.pre_script, batch.pre_revision), (batch.post_script, batch.post_revision))
    free_text = any(script and not revision for script, revision in pairs)
    if batch.way not in (Way.REBOOT, Way.EXIT_CODE) or free_text:
        return None  # force, stop, start and free text always want a person
    keys = list(batch.items.values_list("instance", flat=True))
    people = {batch.asked_by_id, *(author.pk for author in BatchPart(batch).authors() if author)}
    for rule in AutoPass.objects.filter(enabled=True, at_most__gte=len(keys)).order_by("name"):
        tagged = InstanceTag.objects.filter(
            key=rule.tag_key, value=rule.tag_value, instance__in=keys
        )
        if rule.author_id not in people and tagged.count() == len(keys):
            return rule
    return None


def pass_by_rule(approval: Approval, rule: AutoPass) -> None:
    """The rule stands as the decider, visible and audited like a person."""
    batch = approval.batch
    Decision.objects.create(
        approval=approval,
        rule=rule,
        rule_author=rule.author,
        requester=approval.requester,
        yes=True,
        comment=str(rule),
    )
    move(approval, source="waiting", target="approved", due_at=None)
    audit.record(
        actor=f"rule {rule.name}",
        act="approval.passed_by_rule",
        subject=approval,
        via="job",
        digest=approval.digest,
        rule=rule.pk,
        written_by=rule.author.get_username(),
    )
    BatchPart(batch).begin()


def quorum_for(size: int) -> int:
    """How many people a batch of this size needs."""
    above = settings.REBOOT_TWO_ABOVE
    return 2 if above and size > above else 1
