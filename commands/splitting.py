"""One unfit instance makes ECS refuse a whole call: ask again without it, or by halves.

Safe only for a call that was never in doubt: the refusal then proves that nothing ran, and the
parts may have tokens of their own.
"""

from __future__ import annotations

import re
import uuid

from django.db import transaction
from django.utils import timezone

from commands import endings
from commands.models import Dispatch, Target
from instances import ecs
from portal.work import Claim

UNFIT = "InvalidInstance"  # how the codes begin that mean "not with this instance"
NAMES = re.compile(r"\b(?:i|mi)-[A-Za-z0-9]+")


def split(claim: Claim[Dispatch], error: ecs.Refused) -> bool:
    """Part the fit from the unfit after such a refusal; False if it is none, or one is left."""
    if not error.code.startswith(UNFIT) or claim.row.size < 2:
        return False
    targets = claim.row.targets.filter(over=False).order_by("pk")
    members = list(targets.values_list("pk", "instance__instance_id"))
    named = set(NAMES.findall(error.message)) & {name for _key, name in members}
    if named and len(named) < len(members):
        _without(claim, [key for key, name in members if name not in named], error)
    else:
        _by_halves(claim, [key for key, _name in members])
    return True


def _without(claim: Claim[Dispatch], fit: list[int], error: ecs.Refused) -> None:
    """The fit go on in a dispatch of their own; this one ends with the others, in ECS's words."""
    with transaction.atomic():
        endings.locked(claim.row)
        claim.write(size=claim.row.size - len(fit))
        _part(claim.row, fit)
        endings.end(claim, Target.REFUSED, error.code, error.message, request_id=error.request_id)


def _by_halves(claim: Claim[Dispatch], members: list[int]) -> None:
    half = len(members) // 2
    with transaction.atomic():
        endings.locked(claim.row)
        _part(claim.row, members[half:])
        claim.release(
            due_at=timezone.now(),
            state=Dispatch.State.WAITING,
            token=uuid.uuid4(),
            asked_at=None,
            size=half,
        )


def _part(dispatch: Dispatch, members: list[int]) -> None:
    """A new dispatch, due now, for these targets of this one."""
    now = timezone.now()
    part = Dispatch.objects.create(
        invocation_id=dispatch.invocation_id,
        account_id=dispatch.account_id,
        region=dispatch.region,
        size=len(members),
        due_at=now,
        rung_at=now,
        deadline=dispatch.deadline,
    )
    Target.objects.filter(pk__in=members).update(dispatch=part)
    part.ring()
