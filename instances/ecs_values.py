"""What ECS answers, as plain frozen values. Read them as `ecs.InstanceInfo` and so on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from instances import ecs_wire as wire

Value = TypeVar("Value")

ID_LIMIT = 64  # characters; ECS's own ids have about 25


@dataclass(frozen=True, slots=True)
class Account:
    """How to sign: the default credential chain, a named profile, or a role to assume."""

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

    @classmethod
    def read(cls, row: Any) -> Region:
        return cls(wire.text(row.region_id), wire.text(row.local_name))


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

    @classmethod
    def read(cls, row: Any, region: str) -> InstanceInfo:
        vpc, eip = row.vpc_attributes, row.eip_address
        public = _list(row.public_ip_address, "ip_address")
        private = _list(vpc and vpc.private_ip_address, "ip_address")
        private = private or _list(row.inner_ip_address, "ip_address")
        return cls(
            instance_id=_id(row.instance_id),
            region=region,
            name=wire.text(row.instance_name),
            hostname=wire.text(row.host_name),
            status=wire.text(row.status),
            os_type=wire.text(row.ostype).lower(),
            os_name=wire.text(row.osname_en or row.osname),
            zone=wire.text(row.zone_id),
            instance_type=wire.text(row.instance_type),
            cpu=max(wire.number(row.cpu) or 0, 0),
            memory_mib=max(wire.number(row.memory) or 0, 0),
            image_id=wire.text(row.image_id),
            vpc_id=wire.text(vpc and vpc.vpc_id),
            network_type=wire.text(row.instance_network_type),
            private_ips=_texts([*private, *_secondary_ips(row)]),
            public_ips=_texts([*public, eip and eip.ip_address]),
            tags=_tags(row.tags),
            resource_group_id=wire.text(row.resource_group_id),
            charge_type=wire.text(row.instance_charge_type),
            lock_reasons=_texts(
                lock.lock_reason for lock in _list(row.operation_locks, "lock_reason")
            ),
            created_at=wire.time(row.creation_time),
            started_at=wire.time(row.start_time),
            expires_at=wire.time(row.expired_time),
        )


@dataclass(frozen=True, slots=True)
class EventInfo:
    event_id: str
    instance_id: str
    type: str  # such as SystemMaintenance.Reboot
    cycle_status: str  # one of ecs.EVENT_STATUSES
    published_at: datetime | None = None
    not_before: datetime | None = None
    finished_at: datetime | None = None
    impact: str = ""
    reason: str = ""
    reason_code: str = ""
    extended: dict = field(default_factory=dict)

    @classmethod
    def read(cls, row: Any) -> EventInfo:
        extended = row.extended_attribute
        return cls(
            event_id=_id(row.event_id),
            instance_id=wire.text(row.instance_id),
            type=wire.text(row.event_type and row.event_type.name),
            cycle_status=wire.text(row.event_cycle_status and row.event_cycle_status.name),
            published_at=wire.time(row.event_publish_time),
            not_before=wire.time(row.not_before),
            finished_at=wire.time(row.event_finish_time),
            impact=wire.text(row.impact_level),
            reason=wire.text(row.reason),
            reason_code=wire.text(row.reason_code),
            extended=_plain(extended.to_map()) if extended is not None else {},
        )


@dataclass(frozen=True, slots=True)
class AgentInfo:
    instance_id: str
    running: bool  # CloudAssistantStatus is the string "true"
    version: str = ""
    heartbeat_at: datetime | None = None
    os_type: str = ""

    @classmethod
    def read(cls, row: Any) -> AgentInfo:
        return cls(
            instance_id=wire.text(row.instance_id),
            running=wire.true(row.cloud_assistant_status),
            version=wire.text(row.cloud_assistant_version),
            heartbeat_at=wire.time(row.last_heartbeat_time),
            os_type=wire.text(row.ostype).lower(),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """What RunCommand answered."""

    invoke_id: str
    command_id: str = ""


@dataclass(frozen=True, slots=True)
class InvocationInfo:
    """How far a run is: ECS's InvocationStatus of the whole, and of each machine."""

    invoke_id: str
    status: str
    machines: dict[str, str] = field(default_factory=dict)  # instance id -> its status
    created_at: datetime | None = None
    command_id: str = ""
    name: str = ""

    @classmethod
    def read(cls, row: Any) -> InvocationInfo:
        machines = _list(row.invoke_instances, "invoke_instance")
        return cls(
            invoke_id=wire.text(row.invoke_id),
            status=wire.text(row.invocation_status),
            machines={wire.text(m.instance_id): wire.text(m.invocation_status) for m in machines},
            created_at=wire.time(row.creation_time),
            command_id=wire.text(row.command_id),
            name=wire.text(row.command_name),
        )


@dataclass(frozen=True, slots=True)
class TimedRunInfo:
    """A run that ECS repeats by itself: what it is, and how often each machine ran it so far."""

    invoke_id: str
    status: str
    machines: dict[str, str] = field(default_factory=dict)  # instance id -> its status
    repeats: dict[str, int] = field(default_factory=dict)  # instance id -> times so far
    created_at: datetime | None = None
    command_id: str = ""
    name: str = ""
    type: str = ""
    script: str = ""
    username: str = ""
    timeout: int = 60
    repeat_mode: str = ""
    frequency: str = ""

    @classmethod
    def read(cls, row: Any) -> TimedRunInfo:
        machines = _list(row.invoke_instances, "invoke_instance")
        return cls(
            invoke_id=_id(row.invoke_id),
            status=wire.text(row.invocation_status),
            machines={wire.text(m.instance_id): wire.text(m.invocation_status) for m in machines},
            repeats={
                wire.text(m.instance_id): max(wire.number(m.repeats) or 0, 0) for m in machines
            },
            created_at=wire.time(row.creation_time),
            command_id=wire.text(row.command_id),
            name=wire.text(row.command_name),
            type=wire.text(row.command_type),
            script=wire.text(wire.decoded(row.command_content).decode(errors="replace")),
            username=wire.text(row.username),
            timeout=max(wire.number(row.timeout) or 60, 0),
            repeat_mode=wire.text(row.repeat_mode),
            frequency=wire.text(row.frequency),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What one machine answered; `status` is ECS's InvocationStatus, kept as it came.

    `exit_code` is None where no exit took place: ECS leaves a meaningless number there. `repeats`
    says which time of a timed run this was; while that one is Scheduled, the row tells of its
    last time.
    """

    instance_id: str
    status: str
    exit_code: int | None = None
    output: bytes = b""
    dropped: int = 0
    error_code: str = ""
    error_info: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    repeats: int = 0

    @classmethod
    def read(cls, row: Any) -> Result:
        status, repeats = wire.text(row.invocation_status), max(wire.number(row.repeats) or 0, 0)
        exited = status in ("Success", "Failed") or (status == "Scheduled" and repeats)
        return cls(
            instance_id=wire.text(row.instance_id),
            status=status,
            exit_code=wire.number(row.exit_code) if exited else None,
            output=wire.decoded(row.output),
            dropped=max(wire.number(row.dropped) or 0, 0),
            error_code=wire.text(row.error_code),
            error_info=wire.text(row.error_info),
            started_at=wire.time(row.start_time),
            finished_at=wire.time(row.finished_time),
            repeats=repeats,
        )


@dataclass(frozen=True, slots=True)
class Console:
    text: str
    updated_at: datetime | None = None


def _id(value: Any) -> str:
    """An id, or ValueError: a row without its own would look like something that is gone."""
    text = wire.text(value)
    if not 0 < len(text) <= ID_LIMIT:
        raise ValueError("row without an id")
    return text


def _list(container: Any, name: str) -> list[Any]:
    return list(getattr(container, name, None) or ())


def _secondary_ips(row: Any) -> list[Any]:
    cards = _list(row.network_interfaces, "network_interface")
    sets = [part for card in cards for part in _list(card.private_ip_sets, "private_ip_set")]
    return [part.private_ip_address for part in sets]


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(wire.text(value) for value in values if value))


def _tags(container: Any) -> tuple[tuple[str, str], ...]:
    tags = {wire.text(tag.tag_key): wire.text(tag.tag_value) for tag in _list(container, "tag")}
    return tuple(sorted(tags.items()))


def _plain(value: Any) -> Any:
    """JSON that every database keeps, whatever depth it came in."""
    if isinstance(value, dict):
        return {wire.text(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if isinstance(value, bool | int | None) else wire.text(value)
