"""The machines of the demo world and of large fleets, and what happened to each."""

from datetime import datetime

from simulator.machine import Machine
from simulator.scenarios import crowd, fleet
from simulator.scenarios.inventory import build

MOST = 10_000


def demo_fleet(now: datetime) -> list[Machine]:
    """The demo machines: each tells one story, hours or days before `now`."""
    return [build(card, story(card, now), now) for card, story in fleet.STORIES]


def large_fleet(size: int, now: datetime, *, mixed: bool = False) -> list[Machine]:
    """`size` machines of a few images; `mixed`: some of them are not fit to run anything."""
    if not 1 <= size <= MOST:
        raise ValueError(f"fleet size must be from 1 to {MOST:,}, not {size:,}")
    return crowd.machines(size, now, mixed=mixed)
