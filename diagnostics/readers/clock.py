"""The machine's clock: what year and zone its log lines mean, from the section `system`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

ZONE = re.compile(r"([+-])(\d\d):?(\d\d)")
LAST_MOMENT = 4_102_444_800  # the year 2100
UNTOLD = 1900  # the year of a line that tells none


@dataclass(frozen=True, slots=True)
class Clock:
    zone: tzinfo = UTC
    now: datetime | None = None
    booted: datetime | None = None

    def exact(self, at: datetime | None) -> datetime | None:
        """An aware time, its year the last one that is not in the future; None if untold."""
        if at is None or (at.year == UNTOLD and self.now is None):
            return None
        try:
            aware = at if at.tzinfo else at.replace(tzinfo=self.zone)
            if at.year != UNTOLD:
                return aware
            aware = aware.replace(year=self.now.astimezone(self.zone).year)
            late = aware > self.now + timedelta(days=1)
            return aware.replace(year=aware.year - 1) if late else aware
        except (ValueError, OverflowError):  # the 29th of February of another year
            return None

    def since_boot(self, stamp: float | None) -> datetime | None:
        """When a line of the present boot was printed, from its seconds since boot."""
        if stamp is None or self.booted is None:
            return None
        return self.booted + timedelta(seconds=min(stamp, 1e9))


def read(sections: Mapping[str, str]) -> Clock:
    pairs: dict[str, str] = {}
    for line in sections.get("system", "").splitlines():
        key, _, value = line.partition("=")
        pairs[key.strip()] = value.strip()
    zone: tzinfo = UTC
    if (found := ZONE.fullmatch(pairs.get("timezone", ""))) and int(found[2]) < 24:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]) % 60)
        zone = timezone(-offset if found[1] == "-" else offset)
    return Clock(zone, epoch(pairs.get("now")), epoch(pairs.get("boot_time")))


def epoch(text: str | None) -> datetime | None:
    """Seconds since 1970 as a time; None for what is no sensible number of them."""
    if not text or not re.fullmatch(r"[0-9]{1,12}", text) or not 0 < int(text) < LAST_MOMENT:
        return None
    return datetime.fromtimestamp(int(text), UTC)
