"""The demo fleet's register: who is who, in which region, for which app, telling which story."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.machine import Agent, Boot, EventRecord, Guest, Machine, Truth
from simulator.scenarios.distros import Distro
from simulator.trail import TrailRecord

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
ID_PREFIX = {"cn-hangzhou": "bp1", "ap-southeast-1": "t4n"}
TYPES = {  # instance type: (vCPUs, MiB)
    "ecs.g7.large": (2, 8192),
    "ecs.g7.xlarge": (4, 16384),
    "ecs.c7.xlarge": (4, 8192),
    "ecs.c7.2xlarge": (8, 16384),
    "ecs.r7.xlarge": (4, 32768),
    "ecs.r7.2xlarge": (8, 65536),
    "ecs.i4.xlarge": (4, 32768),
    "ecs.t6-c1m2.large": (2, 4096),
}


@dataclass(frozen=True, slots=True)
class Card:
    """What is written on the machine's label."""

    name: str
    region: str
    zone: str  # the letter after the region
    distro: Distro
    type: str
    ip: str
    app: str
    owner: str
    environment: str = "production"
    public_ip: str = ""
    eip: str = ""
    charge_type: str = "PostPaid"


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to a machine: the system inside it now, and what ECS knows about it."""

    guest: Guest
    boot: Boot
    truth: Truth | None = None
    events: list[EventRecord] = field(default_factory=list)
    trail: list[TrailRecord] = field(default_factory=list)
    agent: Agent = field(default_factory=Agent)
    status: str = "Running"
    stopped_at: datetime | None = None
    lock_reasons: list[str] = field(default_factory=list)
    expires_in: timedelta = timedelta(days=190)


def token(seed: str, length: int) -> str:
    """The same `length` letters and digits for the same seed, for ever."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big")
    letters = []
    for _ in range(length):
        number, digit = divmod(number, 36)
        letters.append(ALPHABET[digit])
    return "".join(letters)


def resource_id(kind: str, region: str, seed: str) -> str:
    """An id in ECS's form: `i-` or `e-` or `vpc-`, the region's letters, 17 characters."""
    return f"{kind}-{ID_PREFIX[region]}{token(kind + seed, 17)}"


def uuid_of(seed: str) -> str:
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def build(card: Card, story: Story, now: datetime) -> Machine:
    """The machine that this card names and to which this story happened."""
    cpu, memory = TYPES[card.type]
    created = (now - timedelta(days=412)).replace(second=0, microsecond=0)
    return Machine(
        instance_id=resource_id("i", card.region, card.name),
        region=card.region,
        zone=f"{card.region}{'-' if card.region.startswith('cn') else ''}{card.zone}",
        name=card.name,
        hostname=card.name if card.distro.family != "windows" else card.name.upper()[:15],
        os_type="windows" if card.distro.family == "windows" else "linux",
        os_name=card.distro.os_name,
        os_name_en=card.distro.os_name_en,
        image_id=card.distro.image_id,
        instance_type=card.type,
        cpu=cpu,
        memory_mib=memory,
        private_ips=[card.ip],
        public_ips=[card.public_ip] if card.public_ip else [],
        eip=card.eip or None,
        vpc_id=resource_id("vpc", card.region, card.environment),
        vswitch_id=resource_id("vsw", card.region, card.environment + card.zone),
        security_group_ids=[resource_id("sg", card.region, card.app)],
        tags={"environment": card.environment, "owner": card.owner, "app": card.app},
        resource_group_id="",
        charge_type=card.charge_type,
        lock_reasons=story.lock_reasons,
        status=story.status,
        created_at=created,
        started_at=story.boot.started_at,
        expires_at=_expiry(card, story, now),
        serial_number=uuid_of("serial" + card.name),
        agent=story.agent,
        boot=story.boot,
        guest=story.guest,
        events=story.events,
        stopped_at=story.stopped_at,
        trail=story.trail,
        truth=story.truth,
    )


def _expiry(card: Card, story: Story, now: datetime) -> datetime:
    if card.charge_type == "PostPaid":
        return now.replace(year=2099, month=12, day=31, hour=15, minute=59, second=0, microsecond=0)
    return (now + story.expires_in).replace(minute=0, second=0, microsecond=0)
