"""What is left of the runs that ECS allows an account in a region and day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from commands.models import Dispatch
from instances.models import Region

DAY_OF = ZoneInfo("Asia/Shanghai")  # the clock that ECS's days are counted by


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit` is None where ECS has not told it yet. Runs made elsewhere are not counted."""

    account: str
    region: str
    needed: int
    used: int
    limit: int | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def exceeded(self) -> bool:
        return self.left is not None and self.needed > self.left


def quotas(calls: Mapping[tuple[str, str], int]) -> list[Quota]:
    """One for each account and region that `calls` are planned in."""
    return [
        Quota(account, region, needed, _used(account, region), _limit(account, region))
        for (account, region), needed in sorted(calls.items())
    ]


def _limit(account: str, region: str) -> int | None:
    known = Region.objects.filter(account__name=account, region_id=region)
    return known.values_list("runs_a_day", flat=True).first()


def _used(account: str, region: str) -> int:
    since = _midnight(timezone.now())
    sent = Dispatch.objects.filter(account__name=account, region=region, sent_at__gte=since)
    return sent.filter(fire_of=None).count()


def _midnight(now: datetime) -> datetime:
    return now.astimezone(DAY_OF).replace(hour=0, minute=0, second=0, microsecond=0)
