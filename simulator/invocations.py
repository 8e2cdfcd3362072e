"""The nouns of a run: what was asked, one row a machine, and what follows for the whole."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from simulator.machine import Machine

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
    "BadCronExpression",
    "CronExpressionExpired",
    "InvalidRateExpression",
    "RateFrequencyTooLarge",
    "InvalidAtExpression",
    "AtExpressionExpired",
    "InvalidGMTOffsetForTimezone",
    "InvalidGMTOffsetHourForTimezone",
    "InvalidGMTOffsetMinuteForTimezone",
    "TimezoneInformationCorrupt",
}


@dataclass(frozen=True)
class Order:
    """What RunCommand or InvokeCommand asked for, the same for all its machines."""

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
    operation: str = "RunCommand"
    repeat_mode: str = "Once"
    frequency: str = ""
    termination_mode: str = ""
    container_id: str = ""
    container_name: str = ""


@dataclass(eq=False)
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
    repeats: int = 0  # which time this was; of a timed row: how often it fired
    fired_by: Row | None = None  # the timed row of which this is one fire
    fires: list[Row] = field(default_factory=list)
    last: bool = False  # a timed row that is over with its next fire

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

    rows: list[Row] = field(default_factory=list)
    count: int = 0
    last_at: datetime | None = None

    @property
    def active(self) -> int:
        return len(self.rows)


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
        for waiting in ("Pending", "Running", "Stopping", "Scheduled"):
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
    def timed(self) -> bool:
        return self.order.repeat_mode in ("Period", "NextRebootOnly", "EveryReboot")

    @property
    def finished_at(self) -> datetime | None:
        ends = [row.finished_at for row in self.rows if row.finished_at]
        return max(ends) if ends and all(row.over for row in self.rows) else None


def status_of(error_code: str) -> str:
    """The row's end for an error that kept its script from running to its own end."""
    if error_code in ABORTING:
        return "Aborted"
    return "Invalid" if error_code in INVALIDATING else "Error"
