"""What was asked for, as one digest: a yes covers exactly this."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from typing import Any

from commands.models import Approval, Decision, RebootBatch
from portal import audit

FROZEN = (
    "way",
    "stopped_mode",
    "comes_back",
    "pre_script",
    "post_script",
    "rehearsal",
    "reason",
    "ticket",
    "mode",
    "sizes",
    "max_errors",
    "pause_option",
    "canary",
    "spread",
    "linux_back_within",
    "windows_back_within",
)


def digest_of(batch: RebootBatch) -> str:
    """What a yes covers: what is done, how carefully, when, and to exactly which instances."""
    members = batch.items.order_by("instance").values_list("instance", flat=True)
    told: list[Any] = [getattr(batch, name) for name in FROZEN]
    window = (batch.opens_at, batch.closes_at)
    told += [moment.astimezone(UTC).isoformat() for moment in window] + [list(members)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def changed(batch: RebootBatch) -> bool:
    """Whether anything is another than what somebody said yes to (in an emergency: asked for)."""
    digest = digest_of(batch)
    if batch.emergency:
        return digest != batch.digest or not _asked_for(batch)
    approved = batch.approvals.filter(state="approved").order_by("-pk").first()
    if approved is None or digest != approved.digest:
        return True
    return not (_said(approved) and _accepted_by_somebody(batch))


def _asked_for(batch: RebootBatch) -> bool:
    """Whether the audit tells of this emergency: nobody can write that past the portal."""
    told = audit.genuine(batch, "reboot.emergency")
    asked = (batch.asked_by_id, batch.digest)
    return any((entry.actor_id, entry.details.get("digest")) == asked for entry in told)


def _said(approval: Approval) -> bool:
    """Whether the audit tells of each yes, by whom and to what: nobody can write that past the
    portal, though they can write a yes in another's name."""
    told = audit.genuine(approval, "approval.given", "approval.passed_by_rule")
    known = {
        (entry.actor_id, entry.details.get("rule"))
        for entry in told
        if entry.details.get("digest") == approval.digest
    }
    yeses = approval.decisions.filter(yes=True).values_list("person", "rule")
    return all(pair in known for pair in yeses)


def _accepted_by_somebody(batch: RebootBatch) -> bool:
    """Whether each item that counts as accepted without proof was accepted by name, by everybody
    whose yes an approval took."""
    accepted = set(batch.items.filter(accepted=True).values_list("pk", flat=True))
    if not accepted:
        return True
    said: dict[int, set[int]] = {}
    yeses = Decision.objects.filter(approval__batch=batch, approval__state="approved", yes=True)
    for approval, named in yeses.values_list("approval", "accepted"):
        said[approval] = said.get(approval, accepted) & set(named)
    return accepted <= set().union(*said.values())
