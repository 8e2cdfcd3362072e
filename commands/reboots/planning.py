"""A batch's plan: which waves there will be, and what share of each group they take down."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from commands.models import LIVE, RebootBatch, RebootItem, Verdict
from commands.reboots import estimate, rate
from commands.reboots.rate import Fleet, Group, Rate
from instances.models import Instance, InstanceTag

ZONE = "zone"
LOST_FOR = timedelta(hours=24)  # so long one that did not come back is looked for, and counts


def rate_of(batch: RebootBatch) -> Rate:
    return Rate(batch.mode, tuple(map(str, batch.sizes)), batch.canary, batch.spread)


def fleet_of(instances: Iterable[Instance], keys: Iterable[str]) -> Fleet:
    """The groups of these instances by the tag keys named (and "zone"), with each group's size
    over the whole fleet."""
    rows, names = list(instances), set(keys)
    groups: dict[int, list[Group]] = defaultdict(list)
    totals: dict[Group, int] = {}
    tags = InstanceTag.objects.filter(key__in=names, instance__in=[row.pk for row in rows])
    for pk, key, value in tags.values_list("instance_id", "key", "value"):
        groups[pk].append((key, value))
    everywhere = InstanceTag.objects.filter(key__in=names, instance__released_at=None)
    for key, value, number in everywhere.values_list("key", "value").annotate(Count("pk")):
        totals[key, value] = number
    if ZONE in names:
        for row in rows:
            groups[row.pk].append((ZONE, row.zone))
        zones = Instance.objects.present().values_list("zone").annotate(Count("pk"))
        totals |= {(ZONE, zone): number for zone, number in zones.order_by()}
    return Fleet(groups, totals)


def down_now() -> list[Instance]:
    """Everybody who is on the way down or up by any batch, and whoever did not come back lately
    and does not run yet."""
    lost = RebootItem.objects.filter(
        verdict=Verdict.NOT_BACK, late_at=None, judged_at__gte=timezone.now() - LOST_FOR
    )
    still_down = Q(pk__in=lost.values("instance"), released_at=None) & ~Q(status="Running")
    moving = Q(reboot_items__state__in=LIVE)
    return list(Instance.objects.filter(moving | still_down).distinct())


@dataclass(frozen=True, slots=True)
class Share:
    """A group's part that goes down at once: `down` of the fleet's `total`."""

    key: str
    value: str
    down: int
    total: int
    meant: int  # of it in this batch

    @property
    def percent(self) -> int:
        return 100 * self.down // self.total if self.total else 100

    @property
    def shown(self) -> str:
        return f"{self.percent} %"

    @property
    def whole(self) -> bool:
        return self.down >= self.total


@dataclass(frozen=True)
class Planned:
    """What would happen and until when, as far as it can be told beforehand."""

    waves: list[list[Instance]]
    shares: list[Share]
    well: timedelta
    worst: timedelta
    begins: datetime
    fits: bool

    @property
    def groups(self) -> list[Share]:
        """Groups of several instances; of a single one the whole group goes down in any case."""
        return [share for share in self.shares if share.total > 1]

    @property
    def singles(self) -> list[Share]:
        return [share for share in self.shares if share.total <= 1]

    @property
    def ends_well(self) -> datetime:
        return self.begins + self.well

    @property
    def ends_worst(self) -> datetime:
        return self.begins + self.worst


def plan(batch: RebootBatch, instances: list[Instance], now: datetime) -> Planned:
    """The waves of these instances, in their order, and the estimate against the window. Where
    the canary has been, these are the rest."""
    told = rate_of(batch)
    if batch.pk and batch.waves.exists():
        told = replace(told, canary=0)
    keys = {ZONE, *settings.REBOOT_SHARE_TAGS, *told.spread}
    fleet = fleet_of(instances, keys)
    by_key = {row.pk: row for row in instances}
    order = rate.waves(list(by_key), told, fleet, whole=batch.size or len(by_key))
    waves = [[by_key[key] for key in wave] for wave in order]
    worst = sum((estimate.at_worst(batch, wave) for wave in waves), timedelta())
    well = sum((estimate.if_well(batch, wave) for wave in waves), timedelta())
    begins = max(now, batch.opens_at)
    meant = Counter(group for row in instances for group in fleet.groups.get(row.pk, ()))
    down = rate.most_down(order, fleet)
    shares = [
        Share(*group, n, fleet.totals.get(group, n), meant[group]) for group, n in down.items()
    ]
    shares.sort(key=lambda share: (-share.percent, share.key, share.value))
    return Planned(waves, shares, well, worst, begins, begins + worst <= batch.closes_at)


def pending(batch: RebootBatch) -> list[RebootItem]:
    rows = batch.items.filter(state="planned").order_by("place")
    return list(rows.select_related("instance"))
