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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from simulator.counters import Counters
from simulator.faults import Faults, Rule
from simulator.machine import Machine, Ran

log = logging.getLogger(__name__)

WORKERS = 32  # scripts at work at one time; the others wait as Pending
KEPT_ROWS = 100_000  # older invocations are forgotten, as ECS forgets them
OUTPUT_LIMIT = 24_576
OUTPUT_HEAD = 6_000  # what the agent sent while the script ran; the rest is the tail

TERMINAL = frozenset(
    {"Success", "Failed", "Error", "Timeout", "Invalid", "Aborted", "Cancelled", "Terminated"}
)
STOPPED = frozenset({"Cancelled", "Terminated"})
FAILED = frozenset({"Failed", "Error", "Timeout", "Invalid", "Aborted"})

ABORTING = {
    "InstanceNotExists",
    "InstanceReleased",
    "InstanceNotRunning",
    "InstanceDeregistered",
    "ClientNotRunning",
    "ClientNotResponse",
    "ClientNotOnline",
    "ClientNetworkBlocked",
    "SecurityGroupRuleDenied",
    "ClientIsUpgrading",
    "ClientNeedUpgrade",
    "DeliveryTimeout",
    "TaskConcurrencyLimit",
}
INVALIDATING = {
    "CommandNotApplicable",
    "InvalidCommandText",
    "CommandContentDecodeError",
    "InvalidSystemBuiltInParameter",
    "AccountNotExists",
    "DirectoryNotExists",
    "DefaultWorkingDirectoryNotAvailable",
    "UserOrPasswordInvalid",
}


@dataclass(frozen=True)
class Order:
    """What RunCommand asked for, the same for all its machines."""

    type: str
    content: str
    name: str = ""
    description: str = ""
    timeout: int = 60
    username: str = ""
    working_dir: str = ""
    launcher: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    tags: tuple[tuple[str, str], ...] = ()
    resource_group_id: str = ""
    repeat_mode: str = "Once"
    termination_mode: str = ""
    container_id: str = ""
    container_name: str = ""


@dataclass
class Row:
    """One machine's part of an invocation."""

    machine: Machine
    script: str
    created_at: datetime
    status: str = "Pending"
    error_code: str = ""
    error_info: str = ""
    exit_code: int | None = None
    output: bytes = b""
    dropped: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    updated_at: datetime | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def instance_id(self) -> str:
        return self.machine.instance_id

    @property
    def over(self) -> bool:
        return self.status in TERMINAL

    @property
    def record_status(self) -> str:
        """The older word beside InvocationStatus: says whether it is over, not how it went."""
        if self.status in STOPPED:
            return "Stopped"
        if self.status in ("Success", "Failed"):
            return "Finished"
        if self.over:
            return "Failed"
        return "Stopping" if self.status == "Stopping" else "Running"


@dataclass
class Tally:
    """One agent's work: scripts not over yet, scripts ever, and when the last one came."""

    active: int = 0
    count: int = 0
    last_at: datetime | None = None


@dataclass
class Invocation:
    invoke_id: str
    command_id: str
    region: str
    order: Order
    created_at: datetime
    rows: list[Row]

    @property
    def status(self) -> str:
        """InvocationStatus over all rows."""
        statuses = {row.status for row in self.rows}
        for waiting in ("Pending", "Running", "Stopping"):
            if waiting in statuses:
                return waiting
        if statuses <= STOPPED:
            return "Stopped"
        if "Success" not in statuses:
            return "Failed"
        return "PartialFailed" if statuses & FAILED else "Success"

    @property
    def old_status(self) -> str:
        """InvokeStatus, the older word, first match wins."""
        words = {row.record_status for row in self.rows}
        for waiting in ("Running", "Stopping"):
            if waiting in words:
                return waiting
        if words == {"Stopped"}:
            return "Stopped"
        if "Finished" not in words:
            return "Failed"
        return "PartialFailed" if "Failed" in words else "Finished"

    @property
    def finished_at(self) -> datetime | None:
        ends = [row.finished_at for row in self.rows if row.finished_at]
        return max(ends) if ends and all(row.over for row in self.rows) else None


class Runs:
    """All invocations of all regions, and the bounded threads that carry them out."""

    def __init__(
        self, counters: Counters, faults: Faults, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._counters, self._faults = counters, faults
        self._clock = clock or (lambda: datetime.now(UTC))
        self._invocations: dict[str, Invocation] = {}
        self._tallies: dict[str, Tally] = {}
        self._lock = threading.RLock()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="script")
        self._closed = threading.Event()
        self._serial = itertools.count(1)

    def start(self, region: str, order: Order, machines: list[Machine], script_of) -> Invocation:
        """Keep the invocation and set its rows going; `script_of(machine, ids)` is its script."""
        now = self._clock()
        invoke_id, command_id = self._id("t"), self._id("c")
        rows = [Row(m, script_of(m, invoke_id, command_id), now, updated_at=now) for m in machines]
        invocation = Invocation(invoke_id, command_id, region, order, now, rows)
        with self._lock:
            self._invocations[invoke_id] = invocation
            self._note(rows, now)
            self._forget_old()
        self._counters.add("acts", "invocations")
        for row in rows:
            self._pool.submit(self._carry_out, invocation, row)
        return invocation

    def stop(self, invocation: Invocation, rows: list[Row]) -> None:
        """Ask the rows to stop; rows that are over stay as they are."""
        self._counters.add("acts", "stops")
        with self._lock:
            now = self._clock()
            for row in rows:
                if row.over:
                    continue
                row.stopped_at = row.stopped_at or now
                row.stop.set()
                if row.status == "Pending":
                    self._end(row, "Cancelled")
                else:
                    self._move(row, "Stopping")

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
            return replace(self._tallies.get(instance_id, Tally()))

    def close(self) -> None:
        """Stop everything that runs; returns when the threads are done."""
        self._closed.set()
        with self._lock:
            for invocation in self._invocations.values():
                for row in invocation.rows:
                    row.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _carry_out(self, invocation: Invocation, row: Row) -> None:
        try:
            self._deliver(invocation, row)
        except Exception as error:
            log.exception("%s on %s broke", invocation.invoke_id, row.instance_id)
            with self._lock:
                self._end(row, "Error", "ExecutionException", f"the simulator broke: {error!r}")

    def _deliver(self, invocation: Invocation, row: Row) -> None:
        place = ("RunCommand", invocation.region, [row.instance_id])
        if silent := self._faults.strike("silent", *place):
            return self._wait_in_vain(row, silent)
        if row.machine.status != "Running":
            return self._refuse(
                row, "InstanceNotRunning", "the instance is not running when create task"
            )
        with self._lock:
            if row.over:
                return None
            row.started_at = self._clock()
            self._move(row, "Running")
        if invocation.order.repeat_mode == "DryRun":
            ran = self._checked(invocation.order, row)
        else:
            ran = self._ran(invocation.order, row)
        if bent := self._faults.strike("output", *place):
            ran = _bent(ran, bent)
            self._counters.add("faults", "output")
        with self._lock:
            return self._finish(row, ran, invocation.order.timeout)

    def _ran(self, order: Order, row: Row) -> Ran:
        self._counters.add("runs", row.instance_id)
        ran = row.machine.run(
            row.script,
            type=order.type,
            timeout=order.timeout,
            username=order.username,
            working_dir=order.working_dir,
            stop=row.stop,
        )
        refused = ran.exit_code is None and ran.error_code
        source = "refused" if refused and not ran.timed_out else ran.source
        self._counters.add("scripts", row.machine.os_type, source)
        return ran

    def _checked(self, order: Order, row: Row) -> Ran:
        """RepeatMode DryRun: the machine is looked at, nothing runs on it."""
        if not row.machine.agent_running(self._clock()):
            return Ran(None, b"", "sandbox", error_code="ClientNotRunning")
        if (order.type == "RunShellScript") != (row.machine.os_type == "linux"):
            return Ran(None, b"", "sandbox", error_code="CommandNotApplicable")
        return Ran(0, b"", "sandbox")

    def _wait_in_vain(self, row: Row, silent: Rule) -> None:
        """The agent took the script and is never heard again, until delivery gives up."""
        self._counters.add("faults", "silent")
        patience = float(silent.arguments.get("seconds", 60))
        ends = threading.Timer(
            patience,
            self._refuse,
            (row, "ClientNotResponse", "the aliyun service in the instance does not response"),
        )
        ends.daemon = True
        ends.start()

    def _refuse(self, row: Row, code: str, info: str) -> None:
        self._counters.add("scripts", row.machine.os_type, "refused")
        with self._lock:
            self._end(row, "Aborted", code, info)

    def _finish(self, row: Row, ran: Ran, timeout: int) -> None:
        if row.over:
            return
        row.output, row.dropped = clipped(ran.output, ran.dropped)
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

    def _end(self, row: Row, status: str, code: str = "", info: str = "") -> None:
        if row.over:
            return
        row.error_code, row.error_info = code, info
        row.finished_at = self._clock()
        self._tallies[row.instance_id].active -= 1
        if status in ("Aborted", "Invalid"):
            row.started_at = None
        self._move(row, status)

    def _note(self, rows: list[Row], now: datetime) -> None:
        for row in rows:
            tally = self._tallies.setdefault(row.instance_id, Tally())
            tally.active, tally.count, tally.last_at = tally.active + 1, tally.count + 1, now

    def _forget_old(self) -> None:
        kept = sum(len(i.rows) for i in self._invocations.values())
        for invoke_id, old in list(self._invocations.items()):
            if kept <= KEPT_ROWS or not all(row.over for row in old.rows):
                return
            kept -= len(self._invocations.pop(invoke_id).rows)

    def _id(self, kind: str) -> str:
        return f"{kind}-hz0{next(self._serial):05x}{secrets.token_hex(6)}"


def status_of(error_code: str) -> str:
    """The row's end for an error that kept its script from running to its own end."""
    if error_code in ABORTING:
        return "Aborted"
    return "Invalid" if error_code in INVALIDATING else "Error"


def clipped(output: bytes, dropped: int = 0) -> tuple[bytes, int]:
    """What Cloud Assistant keeps: the head, the tail, and how many bytes the middle lost."""
    if len(output) <= OUTPUT_LIMIT:
        return output, dropped
    tail = OUTPUT_LIMIT - OUTPUT_HEAD
    return output[:OUTPUT_HEAD] + output[-tail:], dropped + len(output) - OUTPUT_LIMIT


def _bent(ran: Ran, rule: Rule) -> Ran:
    """The answer after a fault has been at it."""
    output, dropped = ran.output, ran.dropped
    match rule.arguments["mode"]:
        case "empty":
            output = b""
        case "truncate":
            output = output[: int(rule.arguments.get("bytes", len(output) // 2))]
        case "corrupt":
            noise = rule.dice.randbytes(len(output))
            output = bytes(n if n < 64 else o for n, o in zip(noise, output, strict=True))
        case "dropped":
            middle = int(rule.arguments.get("bytes", max(1, len(output) // 3)))
            start = max(0, (len(output) - middle) // 2)
            output, dropped = output[:start] + output[start + middle :], dropped + middle
    return Ran(
        ran.exit_code,
        output,
        ran.source,
        ran.error_code,
        ran.error_info,
        ran.timed_out,
        ran.stopped,
        dropped,
    )
