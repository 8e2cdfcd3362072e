"""Runs that fire again and again: by their frequency, or when their machines start.

A timed row stays Scheduled; each fire is a row of its own in its history, and the timed row shows
what the last one gave. A machine that cannot run scripts at that time misses the fire.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulator.frequency import Frequency, Wrong, read, zone_of
from simulator.invocations import Invocation, Row
from simulator.later import Later
from simulator.machine import Machine

MODES = ("Period", "NextRebootOnly", "EveryReboot")
HISTORY = 100  # fires of one row that are remembered
ZONES = {"cn": zone_of("Asia/Shanghai")}  # of machines whose region begins so; the others: UTC
NEWER_SINCE = {"linux": (2, 2, 3, 282), "windows": (2, 1, 3, 282)}
Fire = Callable[[Invocation, list[Row]], None]
Refuse = Callable[[Row, str, str], None]


@dataclass
class Repeating:
    """The timed runs of all machines. `fire` runs rows, `refuse` ends one with ECS's code."""

    clock: Callable[[], datetime]
    later: Later
    fire: Fire
    refuse: Refuse
    waiting: dict[str, list[tuple[Invocation, Row]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, invocation: Invocation) -> None:
        """Wait for the first time, or for the machines' next start."""
        if invocation.order.repeat_mode != "Period":
            with self.lock:
                for row in invocation.rows:
                    self.waiting[row.instance_id].append((invocation, row))
            return
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in invocation.rows:
            groups[row.machine.region.partition("-")[0]].append(row)
        for place, rows in groups.items():
            self._begin(invocation, rows, place)

    def _begin(self, invocation: Invocation, rows: list[Row], place: str) -> None:
        order, now = invocation.order, self.clock()
        try:
            frequency = read(order.frequency, ZONES.get(place, UTC), now, order.timeout)
        except Wrong as wrong:
            for row in rows:
                self.refuse(row, wrong.code, wrong.info)
            return
        for row in rows:
            agent = row.machine.agent
            if frequency.newer and agent.numbers < NEWER_SINCE[row.machine.os_type]:
                info = "the aliyun service need upgrade to at least version 2.2.3.282"
                self.refuse(row, "ClientNeedUpgrade", info)
        self._wait(invocation, rows, frequency, now)

    def _wait(
        self, invocation: Invocation, rows: list[Row], frequency: Frequency, after: datetime
    ) -> None:
        alive = [row for row in rows if not row.over]
        due = frequency.after(after)
        if not alive or due is None:
            return
        seconds = max(0.0, (due - self.clock()).total_seconds())
        self.later.after(seconds, lambda: self._due(invocation, alive, frequency, due))

    def _due(
        self, invocation: Invocation, rows: list[Row], frequency: Frequency, due: datetime
    ) -> None:
        for row in rows:
            row.last = frequency.once
        self.fire(invocation, [row for row in rows if not row.over])
        self._wait(invocation, rows, frequency, due)

    def booted(self, machine: Machine) -> None:
        """Fire what waits for this machine's start."""
        with self.lock:
            found = [pair for pair in self.waiting[machine.instance_id] if not pair[1].over]
            once = [p for p in found if p[0].order.repeat_mode == "NextRebootOnly"]
            self.waiting[machine.instance_id] = [p for p in found if p not in once]
        for invocation, row in found:
            row.last = invocation.order.repeat_mode == "NextRebootOnly"
            self.fire(invocation, [row])
