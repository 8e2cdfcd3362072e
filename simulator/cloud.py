"""The simulated cloud behind the endpoint, and one call upon it as the operations see it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from simulator.counters import Counters
from simulator.errors import Refusal
from simulator.faults import Faults
from simulator.library import Library
from simulator.machine import Machine
from simulator.power import Power
from simulator.runs import Runs
from simulator.signature import AccessKey
from simulator.tokens import Tokens
from simulator.trail import Trail
from simulator.wire import Parameters
from simulator.world import World


@dataclass
class Cloud:
    """Everything the operations act on."""

    world: World
    faults: Faults = field(default_factory=Faults)
    counters: Counters = field(default_factory=Counters)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    released: set[str] = field(default_factory=set)  # instances that a test took away
    originals: dict[str, Machine] = field(default_factory=dict)  # machines before a test's change
    screenshots: dict[str, datetime] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: Tokens = field(default_factory=Tokens)
    library: Library = field(default_factory=Library)
    runs: Runs = field(init=False)
    power: Power = field(init=False)
    trail: Trail = field(init=False)

    def __post_init__(self) -> None:
        self.trail = Trail(each for machine in self.world.machines for each in machine.trail)
        self.runs = Runs(self.counters, self.faults, self.clock)
        self.power = Power(
            self.counters, self.faults, self.clock, self.runs.interrupt, self.remember
        )
        self.runs.after_exit = self.power.exited
        self.power.after_boot = self.runs.booted

    def machines(self, region: str) -> list[Machine]:
        """The region's machines that are not released."""
        machines = self.world.machines_in(region)
        return [m for m in machines if m.instance_id not in self.released]

    def machine(self, region: str, instance_id: str) -> Machine | None:
        if instance_id in self.released:
            return None
        return self.world.machine(region, instance_id)

    def anywhere(self, instance_id: str) -> Machine | None:
        """The machine in whatever region: operations on one instance name none."""
        found = (self.machine(region.region_id, instance_id) for region in self.world.regions)
        return next(filter(None, found), None)

    def remember(self, machine: Machine) -> None:
        """Keep it as it is, so that what is done to it now can be taken back."""
        with self.lock:
            if machine.instance_id not in self.originals:
                kept = replace(machine, agent=copy(machine.agent))
                self.originals[machine.instance_id] = kept

    def close(self) -> None:
        self.power.close()
        self.runs.close()


@dataclass(frozen=True)
class Call:
    """One verified call."""

    cloud: Cloud
    operation: str
    params: Parameters
    key: AccessKey
    now: datetime

    @property
    def region(self) -> str:
        """The named region, which must exist."""
        region = self.params.required("RegionId")
        if self.cloud.world.region(region) is None:
            raise Refusal(404, "InvalidRegionId.NotFound", "The specified RegionId does not exist.")
        return region

    @property
    def scope(self) -> str:
        """What a page token belongs to besides its query."""
        return f"{self.operation} {self.key.id}"

    def once(self, act: Callable[[], dict]) -> dict:
        """The answer of `act`, which is done once for each ClientToken of this identity."""

        def counted() -> dict:
            answer = act()
            if token := self.params.text("ClientToken"):
                self.cloud.counters.add("tokens", token)
            return answer

        place = (self.key.id, self.region, self.operation)
        return self.cloud.tokens.once(place, self.params, counted)

    def machine(self, instance_id: str, *, code: str = "InvalidInstance.NotFound") -> Machine:
        """The machine of this region, or a refusal with `code`."""
        if machine := self.cloud.machine(self.region, instance_id):
            return machine
        raise Refusal(404, code, f"The specified instance {instance_id} does not exist.")
