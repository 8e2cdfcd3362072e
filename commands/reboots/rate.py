"""Who goes down next: sizes, canary and spread, as docs/reboots.md says. Pure.

Sizes mean what OOS's RateControl means: a number or a share of the whole batch (rounded down, one
at least). In mode Batch they are the batches' sizes one after the other and the last repeats; the
next begins when the one before is over. In mode Concurrency the first says how many may be down at
once, and whoever is done makes room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Group = tuple[str, str]  # a tag's key and value, or "zone" and its name
BATCH, CONCURRENCY = "Batch", "Concurrency"


def share(size: str, whole: int) -> int:
    """ "5" or "10%" of `whole`; one at least."""
    number = int(size.removesuffix("%"))
    return max(1, whole * number // 100 if size.endswith("%") else number)


@dataclass(frozen=True, slots=True)
class Rate:
    """How carefully. `spread` tells for a tag key (or "zone") how many percent of each of its
    groups may be down at once."""

    mode: str
    sizes: tuple[str, ...]
    canary: int = 0
    spread: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fleet:
    """To which groups each instance belongs, and how many instances a group has in all."""

    groups: Mapping[Hashable, Sequence[Group]]
    totals: Mapping[Group, int]

    def may_be_down(self, group: Group, percent: int) -> int:
        """Rounded down, one at least: a group of one could never be rebooted otherwise."""
        return max(1, self.totals.get(group, 0) * percent // 100)


def room(rate: Rate, whole: int, waves_done: int, down: int) -> int:
    """How many may go down now. `waves_done` counts finished waves that were not the canary."""
    if rate.mode == CONCURRENCY:
        return max(0, share(rate.sizes[0], whole) - down)
    if down:
        return 0
    return share(rate.sizes[min(waves_done, len(rate.sizes) - 1)], whole)


def choose(
    pending: Iterable[Hashable], down: Iterable[Hashable], rate: Rate, fleet: Fleet, most: int
) -> list[Hashable]:
    """Up to `most` of the pending, in their order, that no spread limit holds back now."""
    used = Counter(group for key in down for group in fleet.groups.get(key, ()))
    chosen = []
    for key in pending:
        if len(chosen) >= most:
            break
        groups = [group for group in fleet.groups.get(key, ()) if group[0] in rate.spread]
        if all(used[g] < fleet.may_be_down(g, rate.spread[g[0]]) for g in groups):
            used.update(groups)
            chosen.append(key)
    return chosen


def waves(
    keys: Sequence[Hashable], rate: Rate, fleet: Fleet, *, whole: int | None = None
) -> list[list[Hashable]]:
    """The whole plan, as if all went well; in mode Concurrency as if all took equally long.
    Shares are of the `whole` batch, where these keys are only the rest of it."""
    pending, planned = list(keys), []
    if rate.canary:
        planned.append(choose(pending, (), rate, fleet, rate.canary))
        pending = [key for key in pending if key not in set(planned[0])]
    done = 0
    while pending:
        wave = choose(pending, (), rate, fleet, room(rate, whole or len(keys), done, 0))
        planned.append(wave)
        gone = set(wave)
        pending = [key for key in pending if key not in gone]
        done += 1
    return planned


def most_down(planned: Iterable[Sequence[Hashable]], fleet: Fleet) -> dict[Group, int]:
    """For each group the most of it that any wave takes down at once."""
    worst: dict[Group, int] = {}
    for wave in planned:
        counts = Counter(group for key in wave for group in fleet.groups.get(key, ()))
        for group, number in counts.items():
            worst[group] = max(worst.get(group, 0), number)
    return worst


def allowed_errors(budget: str, whole: int) -> int:
    """floor(n * p), or the number; the batch stops when errors exceed it."""
    number = int((budget or "0").removesuffix("%"))
    return whole * number // 100 if budget.endswith("%") else number
