"""Taking out what portal.retention allows: a portion a transaction, so it may end at any moment."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from portal import audit, retention
from portal.models import Pruning
from portal.work import Claim

AT_A_TIME = 2.0  # seconds of one job, in which it begins portions
PAUSE, DAILY = timedelta(seconds=1), timedelta(days=1)
TRIES = 3  # of a portion to which somebody begins to refer at that very moment
SUBJECT = ("retention", "retention", "")


@dataclass
class Walk:
    """How far a pruning has come: kind by kind, in each by its keys."""

    before: datetime
    kind: str = ""  # "": not begun
    after: str = ""
    gone: Counter[str] = field(default_factory=Counter)
    over: bool = False

    def step(self, note: Callable[[Walk], Any] = lambda walk: None) -> None:
        """One portion; `note` is told, in its transaction, how far this comes."""
        for tries_left in reversed(range(TRIES)):
            try:
                with transaction.atomic():
                    reached = self._portion()
                    note(reached)
            except IntegrityError:
                if not tries_left:
                    raise
                continue
            self.__dict__.update(reached.__dict__)
            return

    def _portion(self) -> Walk:
        kinds = retention.kinds()
        names = [kind.name for kind in kinds]
        known = self.kind in names  # another version of the portal may have begun
        place = names.index(self.kind) if known else 0
        portion = kinds[place].take_out(self.before, self.after if known else "")
        gone = self.gone + portion.gone
        if portion.after is not None:
            return Walk(self.before, names[place], portion.after, gone)
        if place + 1 < len(names):
            return Walk(self.before, names[place + 1], "", gone)
        return Walk(self.before, gone=gone, over=True)


def begin_daily() -> None:
    """See to it that the row is there and due, if the settings let anything go."""
    if retention.days():
        row, _made = Pruning.objects.get_or_create(pk=1, defaults={"due_at": timezone.now()})
        Pruning.objects.filter(pk=row.pk, due_at=None).update(due_at=timezone.now())


def carry_on(claim: Claim[Pruning]) -> None:
    """One job's worth of the daily pruning; how far it came stands beside what it took out."""
    row, days = claim.row, retention.days()
    if not days:
        return claim.release(due_at=None)
    before = timezone.now() - timedelta(days=days)
    before = min(before, row.before or before)  # the setting may have grown meanwhile
    walk = Walk(before, row.kind, row.after, Counter(row.gone))
    until = time.monotonic() + AT_A_TIME
    while not walk.over:
        walk.step(lambda to: claim.write(**_kept(to)))
        if not walk.over and time.monotonic() > until:
            return claim.release(due_at=timezone.now() + PAUSE)
    now = timezone.now()
    with transaction.atomic():
        claim.release(due_at=now + DAILY, ended_at=now, before=None, kind="", after="", gone={})
        record(walk, actor="conductor", via="job")


def _kept(walk: Walk) -> dict[str, Any]:
    return {
        "before": walk.before,
        "kind": walk.kind,
        "after": walk.after,
        "gone": dict(walk.gone),
    }


def record(walk: Walk, *, actor: str, via: str) -> None:
    """Say in the audit what went."""
    audit.record(
        actor=actor,
        act="retention.pruned",
        subject=SUBJECT,
        via=via,
        before=walk.before.isoformat(),
        gone=dict(walk.gone),
        whole=walk.over,
    )
