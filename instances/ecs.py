"""The gateway to ECS: the only module that knows the SDK.

Dataclasses in and out, our own errors, the API's limits as constants; no models, no Django.
Call it as `ecs.instances(...)`: import the module, not its names.

Two families of failure, because they ask for different acts:
`Refused` (it did not happen; `Throttled` may be repeated later) and `NoAnswer` (it may have
happened: repeat only with a ClientToken, otherwise look).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

RUN_LIMIT = 100  # instances in one RunCommand
RESULTS_PAGE = 50  # rows in one page of results
SCRIPT_LIMIT = 24 * 1024  # bytes of a script after Base64
OUTPUT_LIMIT = 24 * 1024  # bytes of output that Cloud Assistant keeps
AGENT_IDS = 50  # instances in one DescribeCloudAssistantStatus
INSTANCES_PAGE = 100
EVENTS_PAGE = 100

EVENT_STATUSES = (
    "Inquiring",
    "Scheduled",
    "Executing",
    "Executed",
    "Avoided",
    "Canceled",
    "Failed",
)
FINAL_INVOCATION_STATUSES = frozenset(
    {"Success", "Failed", "Error", "Timeout", "Invalid", "Aborted", "Cancelled", "Terminated"}
)

Value = TypeVar("Value")


class EcsError(Exception):
    """What went wrong, with ECS's own code and the RequestId where there is one."""

    def __init__(
        self, message: str, *, operation: str = "", code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message, self.operation, self.code = message, operation, code
        self.request_id = request_id


class Refused(EcsError):
    """ECS said no: it did not happen."""


class Throttled(Refused):
    """Too many calls: it did not happen and may be repeated later."""


class NotPermitted(Refused):
    """The identity lacks the right (HTTP 403 of RAM)."""


class ModeForbids(Refused):
    """PORTAL_MODE does not allow this act; no call was made."""


class NoAnswer(EcsError):
    """Nobody answered understandably: it may have happened."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to sign: the SDK's default credential chain, a named profile, or a role to assume."""

    name: str = "default"
    kind: str = "chain"  # chain | profile | role
    profile: str = ""
    role_arn: str = ""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Value]):
    """A value and the RequestIds of the calls that made it."""

    value: Value
    request_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Region:
    region_id: str
    local_name: str = ""


@dataclass(frozen=True, slots=True)
class InstanceInfo:
    """One row of DescribeInstances, times aware in UTC (minute precision)."""

    instance_id: str
    region: str
    name: str = ""
    hostname: str = ""
    status: str = ""  # Pending Starting Running Stopping Stopped
    os_type: str = ""  # linux | windows
    os_name: str = ""
    zone: str = ""
    instance_type: str = ""
    cpu: int = 0
    memory_mib: int = 0
    image_id: str = ""
    vpc_id: str = ""
    network_type: str = ""
    private_ips: tuple[str, ...] = ()
    public_ips: tuple[str, ...] = ()  # EIP included
    tags: tuple[tuple[str, str], ...] = ()
    resource_group_id: str = ""
    charge_type: str = ""
    lock_reasons: tuple[str, ...] = ()
    created_at: datetime | None = None
    started_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventInfo:
    event_id: str
    instance_id: str
    type: str  # such as SystemMaintenance.Reboot
    cycle_status: str  # one of EVENT_STATUSES
    published_at: datetime | None = None
    not_before: datetime | None = None
    finished_at: datetime | None = None
    impact: str = ""
    reason: str = ""
    reason_code: str = ""
    extended: dict = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentInfo:
    instance_id: str
    running: bool  # CloudAssistantStatus is the string "true"
    version: str = ""
    heartbeat_at: datetime | None = None
    os_type: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What RunCommand answered."""

    invoke_id: str
    command_id: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What one machine answered; `status` is ECS's InvocationStatus, kept as it came."""

    instance_id: str
    status: str
    exit_code: int | None = None
    output: bytes = b""
    dropped: int = 0
    error_code: str = ""
    error_info: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Console:
    text: str
    updated_at: datetime | None = None


# Signatures that the other modules build on (implementation follows in this module):
#
# mode() -> str                                                  observe|diagnose|commands|full
# regions(account) -> Answer[list[Region]]
# instances(account, region, *, ids=None, private_ips=None, public_ips=None, name=None)
#     -> Answer[list[InstanceInfo]]                               every page followed
# system_events(account, region, *, instance_id=None, since=None, until=None)
#     -> Answer[list[EventInfo]]                                  all EVENT_STATUSES asked for
# agents(account, region, ids=None) -> Answer[list[AgentInfo]]    chunks of AGENT_IDS
# run_script(account, region, ids, script, *, type, token, timeout, name="",
#            username="", working_dir="", read_only=False) -> Answer[Run]
# stop(account, region, invoke_id, ids=None) -> Answer[None]
# invocations(account, region, *, invoke_id=None, status=None) -> Answer[dict[str, str]]
#     invoke id -> overall InvocationStatus
# results(account, region, invoke_id) -> Answer[list[Result]]     every page followed
# console_output(account, region, instance_id) -> Answer[Console]
# screenshot(account, region, instance_id) -> Answer[bytes]       JPEG
