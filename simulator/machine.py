"""One simulated instance: what ECS knows of it, its agent, its events, and the system inside."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from simulator.trail import TrailRecord

HEARTBEAT = timedelta(seconds=60)
# ECS calls an agent alive while its last heartbeat is at most two minutes old.
ALIVE = timedelta(minutes=2)
SCREENSHOT = Path(__file__).with_name("screenshot.jpg")


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one script. `exit_code` is None when it never ran or did not end by itself.

    `output` is stdout and stderr in the order in which they were written; `dropped` counts the
    bytes that the sandbox itself left out of the middle of a huge output.
    """

    exit_code: int | None
    output: bytes
    source: str  # "sandbox", "recording", or "shared" in a large fleet
    error_code: str = ""
    error_info: str = ""
    timed_out: bool = False
    stopped: bool = False
    dropped: int = 0


def refused(code: str, info: str) -> Ran:
    """The answer of a machine that did not run the script, with ECS's own error code."""
    return Ran(None, b"", "sandbox", error_code=code, error_info=info)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One system event of the platform about one instance."""

    event_id: str
    type: str
    cycle_status: str
    published_at: datetime
    not_before: datetime
    finished_at: datetime | None
    impact: str = "100"
    reason: str = ""
    reason_code: str = ""
    extended: dict = field(default_factory=dict)


@dataclass(slots=True)
class Agent:
    """The Cloud Assistant client. `silent_since`: still called running, but no longer heard."""

    version: str = "2.2.3.857"
    pending_version: str = ""  # installed, and at work from the next start of the machine on
    installed: bool = True
    stopped_at: datetime | None = None
    silent_since: datetime | None = None
    second: int = 17  # of each minute, when it sends its heartbeat

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version for comparing; empty where there is none."""
        parts = self.version.split(".")
        return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()

    def last_beat(self, until: datetime, boot: "Boot") -> datetime:
        """The newest heartbeat at or before `until`; one is sent right after each boot."""
        on_the_minute = until.replace(second=0, microsecond=0) + timedelta(seconds=self.second)
        regular = on_the_minute - (HEARTBEAT if on_the_minute > until else timedelta())
        first = boot.started_at.replace(microsecond=0) + timedelta(seconds=9)
        return max(regular, first) if until >= first else regular


@dataclass(frozen=True, slots=True)
class Boot:
    """One run of the system, from power-on to its end. A reboot replaces it."""

    boot_id: str
    started_at: datetime


class Guest(Protocol):
    """The system inside a machine."""

    def run(
        self,
        machine: "Machine",
        script: str,
        *,
        timeout: float,
        username: str,
        working_dir: str,
        stop: threading.Event,
    ) -> Ran: ...

    def console(self, machine: "Machine") -> bytes: ...


class Unsupported(Exception):
    """The machine has no such thing: a Windows machine has no serial log."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a diagnosis of this machine must come to. For tests; no API call tells it.

    `kind` is the case's conclusion. `guest` is what the guest's records alone tell of the last
    going-down, where that is another word; "" where they tell nothing.
    """

    scenario: int
    kind: str
    subkind: str | None = None
    function: str | None = None
    bugcheck_code: str | None = None
    down_at: datetime | None = None
    guest: str | None = None
    note: str = ""


@dataclass(slots=True)
class Machine:
    """One instance as ECS describes it, and the system inside it. Times are aware UTC."""

    instance_id: str
    region: str
    zone: str
    name: str
    hostname: str
    os_type: str  # "linux" or "windows"
    os_name: str
    os_name_en: str
    image_id: str
    instance_type: str
    cpu: int
    memory_mib: int
    private_ips: list[str]
    public_ips: list[str]
    eip: str | None
    vpc_id: str
    vswitch_id: str
    security_group_ids: list[str]
    tags: dict[str, str]
    resource_group_id: str
    charge_type: str
    lock_reasons: list[str]
    status: str
    created_at: datetime
    started_at: datetime
    expires_at: datetime
    serial_number: str
    agent: Agent
    boot: Boot
    guest: Guest = field(repr=False)
    events: list[EventRecord] = field(default_factory=list)
    stopped_at: datetime | None = None
    stopped_mode: str = "KeepCharging"
    on_reboot: str = ""  # how its reboots go wrong, such as same_boot; see simulator/power.py
    trail: list[TrailRecord] = field(default_factory=list)  # calls of before the simulator began
    truth: Truth | None = field(default=None, repr=False)

    @property
    def network(self) -> str:
        return "vpc" if self.vpc_id else "classic"

    def heartbeat(self, now: datetime) -> datetime | None:
        """The agent's last sign of life, to the second; None: never installed."""
        if not self.agent.installed:
            return None
        ends = (now, self.stopped_at, self.agent.stopped_at, self.agent.silent_since)
        until = min(end for end in ends if end is not None)
        return self.agent.last_beat(until, self.boot)

    def agent_running(self, now: datetime) -> bool:
        """Whether ECS says that the agent runs, which for a while may be more than it knows."""
        if self.status != "Running" or not self.agent.installed:
            return False
        if self.agent.silent_since is not None:
            return True
        beat = self.heartbeat(now)
        return beat is not None and now - beat <= ALIVE

    def console(self, now: datetime) -> tuple[bytes, datetime]:
        """The serial log and when it last changed; raises Unsupported on Windows."""
        if self.os_type != "linux":
            raise Unsupported("only Linux instances have a serial console log")
        return self.guest.console(self), self.boot.started_at + timedelta(seconds=24)

    def screenshot(self, now: datetime) -> bytes:
        """A JPEG that says that it is simulated."""
        return SCREENSHOT.read_bytes()

    def typed(self, lines: str, timeout: float) -> Ran:
        """What somebody sees who logged in as root and typed `lines`; no agent has a part in it."""
        if self.status != "Running":
            return refused("InstanceNotRunning", "nobody can log in, the instance does not run")
        return self.guest.run(
            self, lines, timeout=timeout, username="", working_dir="", stop=threading.Event()
        )

    def run(
        self,
        script: str,
        *,
        type: str,
        timeout: float,
        username: str = "",
        working_dir: str = "",
        stop: threading.Event,
    ) -> Ran:
        """Run `script` to its end, its timeout (seconds) or until `stop` is set. Blocks."""
        if not self.agent_running(datetime.now(UTC)):
            return refused("ClientNotRunning", "the aliyun service is not running on the instance")
        if self.agent.silent_since is not None:
            return refused(
                "ClientNotResponse", "the aliyun service in the instance does not response"
            )
        if (type == "RunShellScript") != (self.os_type == "linux"):
            return refused("CommandNotApplicable", "the command is not applicable")
        return self.guest.run(
            self, script, timeout=timeout, username=username, working_dir=working_dir, stop=stop
        )
