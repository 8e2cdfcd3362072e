"""Everything that exists in the simulated cloud: regions and the machines in them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from simulator.machine import Machine

NAME = re.compile(r"fleet:([1-9]\d{0,4})(:mixed)?")


@dataclass(frozen=True, slots=True)
class Region:
    """One region as DescribeRegions tells it, its name in both languages of the API."""

    region_id: str
    local_name: str
    local_name_en: str

    @property
    def endpoint(self) -> str:
        return f"ecs.{self.region_id}.aliyuncs.com"


REGIONS = (
    Region("cn-hangzhou", "华东1（杭州）", "China (Hangzhou)"),
    Region("cn-shanghai", "华东2（上海）", "China (Shanghai)"),
    Region("cn-beijing", "华北2（北京）", "China (Beijing)"),
    Region("cn-shenzhen", "华南1（深圳）", "China (Shenzhen)"),
    Region("ap-southeast-1", "新加坡", "Singapore"),
    Region("eu-central-1", "德国（法兰克福）", "Germany (Frankfurt)"),
)


def fleet_of(name: str) -> tuple[int, bool]:
    """How many machines the fleet of this name has, and whether it is mixed."""
    found = NAME.fullmatch(name)
    if found is None or int(found[1]) > 10_000:
        raise ValueError("a world is demo, fleet:N or fleet:N:mixed with N at most 10000")
    return int(found[1]), bool(found[2])


class World:
    """The machines of all regions; lookups are by region, as in ECS, and safe from any thread.

    The set of machines is fixed when the world is made; a machine's own fields may change.
    """

    def __init__(self, machines: Iterable[Machine], regions: Iterable[Region] = REGIONS) -> None:
        self.machines = tuple(machines)
        self.regions = tuple(regions)
        known = {region.region_id for region in self.regions}
        self._by_region: dict[str, dict[str, Machine]] = {region: {} for region in known}
        for machine in self.machines:
            self._by_region[machine.region][machine.instance_id] = machine

    @classmethod
    def demo(cls, now: datetime) -> "World":
        """The demo fleet: the same ids, names and texts at each start, times relative to `now`."""
        from simulator.scenarios import demo_fleet

        return cls(demo_fleet(now))

    @classmethod
    def fleet(cls, size: int, now: datetime, *, mixed: bool = False) -> "World":
        """`size` machines (at most 10,000) over two regions, light enough for a laptop."""
        from simulator.scenarios import large_fleet

        return cls(large_fleet(size, now, mixed=mixed))

    @classmethod
    def named(cls, name: str, now: datetime) -> "World":
        """The world called `demo`, `fleet:N` or `fleet:N:mixed`; ValueError for any other name."""
        if name == "demo":
            return cls.demo(now)
        size, mixed = fleet_of(name)
        return cls.fleet(size, now, mixed=mixed)

    def region(self, region_id: str) -> Region | None:
        return next((r for r in self.regions if r.region_id == region_id), None)

    def machines_in(self, region_id: str) -> list[Machine]:
        """The region's machines in the order of their making; empty for an unknown region."""
        return list(self._by_region.get(region_id, {}).values())

    def machine(self, region_id: str, instance_id: str) -> Machine | None:
        """The machine, if it is in that region; ECS knows none across regions."""
        return self._by_region.get(region_id, {}).get(instance_id)
