"""Taking out what portal.retention allows: a portion a transaction, so it may end at any moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from portal import audit, retention

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
