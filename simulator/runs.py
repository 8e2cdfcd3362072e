"""Invocations: what was asked of which machines, and how each row goes from Pending to its end.

Pending -> Running -> Success | Failed | Timeout | Error
Pending -> Aborted | Invalid            (never reached, or not fit for the machine)
Pending -> Cancelled;  Running -> Stopping -> Terminated   (StopInvocation)
"""

from __future__ import annotations

import itertools
import logging
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from simulator import outputs
from simulator.answers import Answers
from simulator.counters import Counters
from simulator.faults import Faults, Rule
from simulator.invocations import Invocation, Order, Row, Tally, status_of
from simulator.later import Later
from simulator.machine import Machine, Ran
from simulator.repeating import HISTORY, Repeating
from simulator.shared import SharedGuest

log = logging.getLogger(__name__)

WORKERS = 32  # scripts at work at one time; the others wait as Pending
DAILY_RUNS = 2000  # invocations of a region and day
CHINA = timedelta(hours=8)
KEPT_ROWS = 100_000  # older invocations are forgotten, as ECS forgets them
ScriptOf = Callable[[Machine, str, str], str]  # machine, invoke id, command id -> its script
RAN_NOTHING = Ran(0, b"", "sandbox")  # RepeatMode DryRun: looked at, nothing run
STOPPED = Ran(None, b"", "shared", stopped=True)
STOPPING = 0.1  # seconds until a stopped script on a shared system is over


class Runs:
    """All invocations of all regions, and the bounded threads that carry them out."""

    def __init__(
        self, counters: Counters, faults: Faults, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._counters, self._faults = counters, faults
        self._clock = clock or (lambda: datetime.now(UTC))
        self._invocations: dict[str, Invocation] = {}
        self._tallies: dict[str, Tally] = {}
        self._kept = 0  # rows of all invocations
        self._today: dict[tuple[date, str], int] = {}
        self.daily = DAILY_RUNS
        self._lock = threading.RLock()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="script")
        self._later = Later()
        self._answers = Answers(self._pool.submit, self._later)
        self.repeating = Repeating(self._clock, self._later, self._fire, self._refuse)
        self._serial = itertools.count(1)
        # What the agent does once it has reported a script's exit code.
        self.after_exit: Callable[[Machine, int], None] = lambda machine, code: None

    def quota_left(self, region: str) -> bool:
        """Whether the region may have another run today, by the clock of UTC+8."""
        today = (self._clock() + CHINA).date()
        with self._lock:
            self._today = {place: n for place, n in self._today.items() if place[0] == today}
            return self._today.get((today, region), 0) < self.daily

    def start(
        self,
        region: str,
        order: Order,
        machines: list[Machine],
        script_of: ScriptOf,
        command_id: str = "",
    ) -> Invocation:
        """Keep the invocation and set its rows going; `script_of` makes each script."""
        now = self._clock()
        invoke_id, command_id = self._id("t"), command_id or self._id("c")
        rows = [Row(m, script_of(m, invoke_id, command_id), now, updated_at=now) for m in machines]
        invocation = Invocation(invoke_id, command_id, region, order, now, rows)
        with self._lock:
            self._invocations[invoke_id] = invocation
            day = ((now + CHINA).date(), region)
            self._today[day] = self._today.get(day, 0) + 1
            self._kept += len(rows)
            if not invocation.timed:
                self._note(rows, now)
            self._forget_old()
        self._counters.add("acts", "invocations")
        if invocation.timed:
            for row in rows:
                self._move(row, "Scheduled")
            self.repeating.begin(invocation)
        else:
            self._pool.submit(self._hand_out, invocation, rows)
        return invocation

    def booted(self, machine: Machine) -> None:
        """The machine has come up, and its agent does what it was to do then."""
        self.repeating.booted(machine)

    def _fire(self, invocation: Invocation, rows: list[Row]) -> None:
        """Run timed rows once more, on those machines that can."""
        fires, now = [], self._clock()
        for row in rows:
            if self._unfit(invocation.order, row.machine):
                continue
            row.repeats += 1
            fire = Row(row.machine, row.script, now, updated_at=now, fired_by=row)
            fire.repeats = row.repeats
            row.fires = [*row.fires[1 - HISTORY :], fire]
            fires.append(fire)
        with self._lock:
            self._note(fires, now)
        self._pool.submit(self._hand_out, invocation, fires)

    def _told(self, timed: Row, fire: Row) -> None:
        """A timed row shows what its newest fire gave."""
        if timed.over:
            return
        for name in ("exit_code", "output", "dropped", "error_code", "error_info"):
            setattr(timed, name, getattr(fire, name))
        timed.started_at, timed.finished_at = fire.started_at, fire.finished_at
        self._move(timed, fire.status if timed.last else "Scheduled")

    def stop(self, invocation: Invocation, rows: list[Row]) -> None:
        """Ask the rows to stop; rows that are over stay as they are."""
        self._counters.add("acts", "stops")
        self._stop_rows(rows)

    def _stop_rows(self, rows: list[Row]) -> None:
        with self._lock:
            now = self._clock()
            for row in rows:
                if row.over:
                    continue
                row.stopped_at = row.stopped_at or now
                row.stop.set()
                if row.status == "Scheduled":
                    self._end(row, "Terminated" if row.repeats else "Cancelled")
                    self._stop_rows(row.fires)
                    continue
                if row.status == "Pending":
                    self._end(row, "Cancelled")
                    continue
                self._move(row, "Stopping")
                if isinstance(row.machine.guest, SharedGuest):
                    self._later.after(STOPPING, lambda r=row: self._finish(r, STOPPED, 0))
        self._answers.unwanted()

    def looked_at(self, rows: list[Row]) -> list[Row]:
        """The rows as they stand at one moment: no field is newer than another."""
        with self._lock:
            return [row if row.over else copy(row) for row in rows]

    def find(self, region: str, invoke_id: str) -> Invocation | None:
        with self._lock:
            found = self._invocations.get(invoke_id)
        return found if found and found.region == region else None

    def listed(self, region: str) -> list[Invocation]:
        """The region's invocations, the newest first."""
        with self._lock:
            return [i for i in reversed(self._invocations.values()) if i.region == region]

    def tally(self, instance_id: str) -> Tally:
        """What the agent of this machine was asked to do so far."""
        with self._lock:
            tally = self._tallies.get(instance_id, Tally())
            return replace(tally, rows=tally.rows.copy())

    def interrupt(self, machine: Machine) -> None:
        """The machine goes down, and every script on it with it."""
        info = "the instance was restarted or stopped while the command was running"
        with self._lock:
            for row in self.tally(machine.instance_id).rows:
                row.stop.set()
                if row.status != "Pending":
                    self._end(row, "Error", "InstanceRestarted", info)
        self._answers.unwanted()

    def close(self) -> None:
        """Stop everything that runs; returns when the threads are done."""
        self._later.close()
        self._answers.close()
        with self._lock:
            for invocation in self._invocations.values():
                for row in invocation.rows:
                    row.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _hand_out(self, invocation: Invocation, rows: list[Row]) -> None:
        """Machines of a shared system are asked together, the others each in its own thread."""
        alike: dict[Hashable, list[Row]] = defaultdict(list)
        order = invocation.order
        for row in rows:
            guest = row.machine.guest
            if not isinstance(guest, SharedGuest):
                self._pool.submit(self._guarded, invocation, row, self._carry_out)
            elif self._guarded(invocation, row, self._deliver):
                how = (order.timeout, order.username, order.working_dir)
                question = guest.question(row.machine, row.script, *how)
                alike[question, row.repeats].append(row)  # each fire of a timed run is a new one
        for question, part in alike.items():
            self._ask(invocation, question, part)

    def _guarded(
        self, invocation: Invocation, row: Row, act: Callable[[Invocation, Row], object]
    ) -> object:
        try:
            return act(invocation, row)
        except Exception as error:
            log.exception("%s on %s broke", invocation.invoke_id, row.instance_id)
            with self._lock:
                self._end(row, "Error", "ExecutionException", f"the simulator broke: {error!r}")
        return None

    def _carry_out(self, invocation: Invocation, row: Row) -> None:
        if self._deliver(invocation, row):
            self._take(invocation, row, self._ran(invocation.order, row))

    def _deliver(self, invocation: Invocation, row: Row) -> bool:
        """Hand the script to the agent; False where the row ended or waits in vain instead."""
        order = invocation.order
        place = (order.operation, invocation.region, [row.instance_id])
        if silent := self._faults.strike("silent", *place):
            self._wait_in_vain(row, silent)
            return False
        if unfit := self._unfit(order, row.machine):
            self._refuse(row, *unfit)
            return False
        with self._lock:
            if row.over:
                return False
            row.started_at = self._clock()
            self._move(row, "Running")
        if order.repeat_mode == "DryRun":
            self._take(invocation, row, RAN_NOTHING)
            return False
        self._counters.add("runs", row.instance_id)
        return True

    def _ask(self, invocation: Invocation, question: Hashable, rows: list[Row]) -> None:
        """Ask a shared system once for all these rows."""
        guest = rows[0].machine.guest
        like = guest.alike(rows[0].machine)

        def told(ran: Ran) -> None:
            for number, row in enumerate(rows):
                output = guest.own(ran.output, like, row.machine)
                source = "shared" if number else ran.source
                own = replace(ran, output=output, source=source)
                self._count_source(row, own)
                self._take(invocation, row, own)

        self._answers.ask(
            question,
            lambda stop: self._really_run(like, invocation.order, rows[0].script, stop),
            told,
            lambda: not all(row.stop.is_set() for row in rows),
        )

    def _really_run(
        self, machine: Machine, order: Order, script: str, stop: threading.Event
    ) -> Ran:
        return machine.run(
            script,
            type=order.type,
            timeout=order.timeout,
            username=order.username,
            working_dir=order.working_dir,
            stop=stop,
        )

    def _take(self, invocation: Invocation, row: Row, ran: Ran) -> None:
        """The agent reports."""
        place = (invocation.order.operation, invocation.region, [row.instance_id])
        if bending := self._faults.strike("output", *place):
            ran = outputs.bent(ran, bending)
            self._counters.add("faults", "output")
        self._finish(row, ran, invocation.order.timeout)

    def _unfit(self, order: Order, machine: Machine) -> tuple[str, str] | None:
        """Why the script cannot be handed to the machine: ECS's code and its text."""
        if machine.status != "Running":
            return "InstanceNotRunning", "the instance is not running when create task"
        if machine.network != "vpc":
            return "ClientNetworkBlocked", "the network of the instance is not a VPC"
        if not machine.agent_running(self._clock()):
            return "ClientNotRunning", "the aliyun service is not running on the instance"
        if machine.agent.silent_since is not None or machine.agent.stopped_at is not None:
            return "ClientNotResponse", "the aliyun service in the instance does not response"
        if (order.type == "RunShellScript") != (machine.os_type == "linux"):
            return "CommandNotApplicable", "the command is not applicable"
        return None

    def _ran(self, order: Order, row: Row) -> Ran:
        ran = self._really_run(row.machine, order, row.script, row.stop)
        self._count_source(row, ran)
        return ran

    def _count_source(self, row: Row, ran: Ran) -> None:
        source = "refused" if ran.error_code and ran.exit_code is None else ran.source
        self._counters.add("scripts", row.machine.os_type, source)

    def _wait_in_vain(self, row: Row, silent: Rule) -> None:
        """The agent took the script and is never heard again, until delivery gives up."""
        self._counters.add("faults", "silent")
        info = "the aliyun service in the instance does not response"
        self._later.after(
            float(silent.arguments.get("seconds", 60)),
            lambda: self._refuse(row, "ClientNotResponse", info),
        )

    def _refuse(self, row: Row, code: str, info: str) -> None:
        with self._lock:
            self._end(row, status_of(code), code, info)

    def _finish(self, row: Row, ran: Ran, timeout: int) -> None:
        with self._lock:
            already = row.over
            self._settle(row, ran, timeout)
        if ran.exit_code and not already:
            self.after_exit(row.machine, ran.exit_code)

    def _settle(self, row: Row, ran: Ran, timeout: int) -> None:
        if row.over:
            return
        row.output, row.dropped = outputs.clipped(ran.output, ran.dropped)
        if row.stop.is_set() and (ran.stopped or ran.exit_code is None):
            self._end(row, "Terminated")
        elif ran.timed_out:
            self._end(row, "Timeout", "ExecutionTimeout", "the command execution has been timeout")
            row.finished_at = row.started_at + timedelta(seconds=timeout)
        elif ran.exit_code is None:
            self._end(row, status_of(ran.error_code), ran.error_code, ran.error_info)
        elif ran.exit_code:
            row.exit_code = ran.exit_code
            info = "the command execution exit code is not zero."
            self._end(row, "Failed", "ExitCodeNonzero", info)
        else:
            row.exit_code = 0
            self._end(row, "Success")

    def _move(self, row: Row, status: str) -> None:
        row.status, row.updated_at = status, self._clock()

    def _end(
        self, row: Row, status: str, code: str = "", info: str = "", at: datetime | None = None
    ) -> None:
        if row.over:
            return
        row.error_code, row.error_info = code, info
        row.finished_at = at or self._clock()
        tally = self._tallies.get(row.instance_id)
        if tally and row in tally.rows:
            tally.rows.remove(row)
            row.repeats = row.repeats or 1
        if status in ("Aborted", "Invalid"):
            row.started_at = None
        self._move(row, status)
        if row.fired_by:
            self._told(row.fired_by, row)

    def _note(self, rows: list[Row], now: datetime) -> None:
        for row in rows:
            tally = self._tallies.setdefault(row.instance_id, Tally())
            tally.rows.append(row)
            tally.count, tally.last_at = tally.count + 1, now

    def _forget_old(self) -> None:
        while self._kept > KEPT_ROWS:
            invoke_id, oldest = next(iter(self._invocations.items()))
            if not all(row.over for row in oldest.rows):
                return
            del self._invocations[invoke_id]
            self._kept -= len(oldest.rows)

    def _id(self, kind: str) -> str:
        return f"{kind}-hz0{next(self._serial):05x}{secrets.token_hex(6)}"
