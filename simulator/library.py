"""Commands that live in ECS: an account's own, and a few public ones."""

from __future__ import annotations

import itertools
import secrets
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

QUOTA = 500  # own commands in a region
PUBLISHED = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Command:
    """One kept command. `provider` is empty for the account's own."""

    command_id: str
    name: str
    type: str
    content: str
    created_at: datetime
    description: str = ""
    timeout: int = 60
    working_dir: str = ""
    launcher: str = ""
    takes_parameters: bool = False
    tags: tuple[tuple[str, str], ...] = ()
    resource_group_id: str = ""
    provider: str = ""
    version: int = 1
    invoked: int = 0


PUBLIC = (
    Command(
        "c-public00000000000000001",
        "ACS-ECS-DiskUsage-linux.sh",
        "RunShellScript",
        "df -h\ndf -i\n",
        PUBLISHED,
        description="Shows how full the file systems are.",
        provider="AlibabaCloud.ECS.Simulated",
    ),
    Command(
        "c-public00000000000000002",
        "ACS-ECS-Uptime-linux.sh",
        "RunShellScript",
        "uptime\nuname -r\n",
        PUBLISHED,
        description="Shows since when the system is up, and its kernel.",
        provider="AlibabaCloud.ECS.Simulated",
        version=2,
    ),
)


@dataclass
class Library:
    """The kept commands of each region, the newest first."""

    kept: dict[tuple[str, str], Command] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    serial: itertools.count = field(default_factory=lambda: itertools.count(1))

    def add(self, region: str, command: Command) -> str | None:
        """Keep a command under a new id; None where the region is full."""
        with self.lock:
            if sum(1 for place, _id in self.kept if place == region) >= QUOTA:
                return None
            command_id = f"c-hz1{next(self.serial):05x}{secrets.token_hex(6)}"
            self.kept[region, command_id] = replace(command, command_id=command_id)
            return command_id

    def find(self, region: str, command_id: str) -> Command | None:
        with self.lock:
            own = self.kept.get((region, command_id))
        return own or next((c for c in PUBLIC if c.command_id == command_id), None)

    def change(self, region: str, command_id: str, **changes: object) -> bool:
        """Whether there is such a command of the account's own."""
        with self.lock:
            if (command := self.kept.get((region, command_id))) is None:
                return False
            self.kept[region, command_id] = replace(command, **changes)
            return True

    def drop(self, region: str, command_id: str) -> bool:
        with self.lock:
            return self.kept.pop((region, command_id), None) is not None

    def listed(self, region: str) -> list[Command]:
        """The account's own of this region, the newest first, then the public ones."""
        with self.lock:
            own = [c for (place, _id), c in reversed(self.kept.items()) if place == region]
        return [*own, *PUBLIC]
