"""Going down and coming back: reboots, stops and starts of machines, as time passes.

Running (a while longer) -> Starting -> Running with a new boot    reboot
Running -> Stopping -> Stopped                                      stop
Stopped -> Starting -> Running with a new boot                      start
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from simulator.counters import Counters
from simulator.faults import Faults
from simulator.later import Later
from simulator.machine import Boot, Machine

SECONDS = (8.0, 20.0)  # how long a machine takes for going down or coming back
LAG = 0.15  # the share of it in which a machine that was told to reboot is still called Running
LATE = 60.0
FATES = ("no_return", "same_boot", "late_return", "lost_agent")
AVOIDABLE = ("Scheduled", "Inquiring")
EXITS = {("linux", 193): "stop", ("linux", 194): "reboot"}
EXITS |= {("windows", 3009): "stop", ("windows", 3010): "reboot"}
EXITS_SINCE = (2, 2, 3, 317)  # agents before that take these codes for any other failure


@dataclass(frozen=True)
class Fate:
    """What becomes of a machine that was told to come back: "" is what should."""

    kind: str = ""
    seconds: float = 0.0
    status: str = "Running"  # of one that does not come back, as ECS calls it


class Power:
    """Every machine's way down and up, and how often each was sent there."""

    def __init__(
        self,
        counters: Counters,
        faults: Faults,
        clock: Callable[[], datetime],
        interrupt: Callable[[Machine], None],
        remember: Callable[[Machine], None],
    ) -> None:
        self._counters, self._faults, self._clock = counters, faults, clock
        self._interrupt, self._remember = interrupt, remember
        self._later = Later()
        self._moving: set[str] = set()
        self._lock = threading.Lock()
        self.seconds = SECONDS
        self.after_boot: Callable[[Machine], None] = lambda machine: None

    def reboot(self, machine: Machine, operation: str) -> None:
        """Send it down and up again; one that is on its way goes no second time, but is counted."""
        took = self._begun("reboots", machine)
        if took is None:
            return
        fate = self._fate(machine, operation)
        self._later.after(took * LAG, lambda: self._goes_down(machine, fate))
        self._later.after(took + fate.seconds, lambda: self._comes_up(machine, fate))

    def stop(self, machine: Machine, operation: str, mode: str = "KeepCharging") -> None:
        took = self._begun("stops", machine)
        if took is None:
            return
        self._remember(machine)
        machine.status, machine.stopped_mode = "Stopping", mode
        self._interrupt(machine)
        self._later.after(took, lambda: self._is_down(machine))

    def start(self, machine: Machine, operation: str) -> None:
        took = self._begun("starts", machine)
        if took is None:
            return
        fate = self._fate(machine, operation)
        machine.status = "Starting"
        self._later.after(took + fate.seconds, lambda: self._comes_up(machine, fate))

    def exited(self, machine: Machine, code: int) -> None:
        """What the agent does after it has reported a script's exit code."""
        act = EXITS.get((machine.os_type, code))
        if act is None or machine.agent.numbers < EXITS_SINCE:
            return
        self._counters.add("acts", f"{act}s by exit code")
        (self.reboot if act == "reboot" else self.stop)(machine, "RunCommand")

    def avoid_events(self, machine: Machine) -> None:
        """A reboot through the API spares the machine its planned one; nothing else does."""
        now = self._clock()
        machine.events = [
            replace(event, cycle_status="Avoided", finished_at=now)
            if event.type == "SystemMaintenance.Reboot" and event.cycle_status in AVOIDABLE
            else event
            for event in machine.events
        ]

    def moving(self, machine: Machine) -> bool:
        """Whether it is on its way down or up, whatever its status says yet."""
        with self._lock:
            return machine.instance_id in self._moving

    def close(self) -> None:
        self._later.close()

    def _begun(self, what: str, machine: Machine) -> float | None:
        """How long it will take; None where the machine is already on its way."""
        self._counters.add(what, machine.instance_id)
        with self._lock:
            if machine.instance_id in self._moving:
                return None
            self._moving.add(machine.instance_id)
        low, high = self.seconds
        return low + (high - low) * random.Random(machine.instance_id).random()

    def _fate(self, machine: Machine, operation: str) -> Fate:
        for kind in FATES:
            rule = self._faults.strike(kind, operation, machine.region, [machine.instance_id])
            if rule or machine.on_reboot == kind:
                self._counters.add("faults", kind)
                self._remember(machine)  # as it is now, before it leaves
                told = rule.arguments if rule else {}
                late = float(told.get("seconds", LATE)) if kind == "late_return" else 0.0
                return Fate(kind, late, str(told.get("status", "Running")))
        return Fate()

    def _goes_down(self, machine: Machine, fate: Fate) -> None:
        machine.status = "Starting"
        if fate.kind != "same_boot":
            self._interrupt(machine)

    def _is_down(self, machine: Machine) -> None:
        machine.status, machine.stopped_at = "Stopped", self._clock()
        self._arrived(machine)

    def _comes_up(self, machine: Machine, fate: Fate) -> None:
        now = self._clock()
        if fate.kind in ("no_return", "lost_agent"):
            machine.agent.stopped_at = now
        if fate.kind != "same_boot":
            machine.started_at = now
        if fate.kind not in ("same_boot", "no_return"):
            self._boot(machine, now)
        machine.stopped_at = None
        machine.status = fate.status if fate.kind == "no_return" else "Running"
        self._arrived(machine)
        if fate.kind not in ("same_boot", "no_return"):
            self.after_boot(machine)

    def _boot(self, machine: Machine, now: datetime) -> None:
        self._counters.add("boots", machine.instance_id)
        machine.boot = Boot(str(UUID(int=random.getrandbits(128), version=4)), now)
        if machine.agent.pending_version:
            machine.agent.version, machine.agent.pending_version = machine.agent.pending_version, ""
            machine.agent.installed = True

    def _arrived(self, machine: Machine) -> None:
        with self._lock:
            self._moving.discard(machine.instance_id)
