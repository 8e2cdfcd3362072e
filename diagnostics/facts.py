"""What a case knows when it is judged. Plain frozen values, no Django, no I/O.

A source that could not be asked says why; an empty answer of a source that was asked is a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from diagnostics.findings import Analysis, Window
from diagnostics.wording import Text


@dataclass(frozen=True, slots=True)
class Machine:
    """The instance as ECS lists it; `listed` False: ECS did not show it to us."""

    instance_id: str
    region: str = ""
    name: str = ""
    os_type: str = ""  # linux | windows
    status: str = ""  # ECS's own word
    started_at: datetime | None = None  # minute precision; a reboot from inside may not move it
    listed: bool = True
    hostname: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A system event of this instance, in ECS's own words."""

    event_id: str
    type: str
    cycle_status: str
    published_at: datetime | None = None
    not_before: datetime | None = None
    finished_at: datetime | None = None
    reason: str = ""
    kept: bool = False  # from our own records, ECS no longer tells it


@dataclass(frozen=True, slots=True)
class OwnAct:
    """Something that this portal did to the instance."""

    name: str
    at: datetime
    asked_by: str = ""
    approved_by: str = ""
    takes_down: bool = False  # a reboot, or a run whose script or exit code stops the machine
    reference: str = ""  # InvokeId or batch


@dataclass(frozen=True, slots=True)
class OutsideAct:
    """A power call on the instance as the account's audit trail has it; perhaps our own."""

    name: str  # ECS's operation
    at: datetime
    user: str = ""
    user_type: str = ""
    source_ip: str = ""
    agent: str = ""
    request_id: str = ""
    error: str = ""  # ECS did not take it
    forced: bool = False
    our_key: bool = False  # signed with the key of this portal


@dataclass(frozen=True, slots=True)
class Trail:
    """What the audit trail was asked; `whole` is false where not all of that time was read."""

    since: datetime
    until: datetime
    acts: tuple[OutsideAct, ...] = ()
    whole: bool = True

    def covers(self, window: Window) -> bool:
        """Everything that was asked for in the window would stand there, the late ones too."""
        late = timedelta(minutes=10)
        return self.whole and self.since <= window.start and window.end + late <= self.until


@dataclass(frozen=True, slots=True)
class Agent:
    alive: bool
    heartbeat_at: datetime | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Boot:
    """The present boot, as the guest itself tells it."""

    at: datetime
    boot_id: str = ""
    source: str = "system"


@dataclass(frozen=True, slots=True)
class Dump:
    path: str
    size: int | None = None
    at: datetime | None = None
    small: bool = False  # minidump, or a text without the memory
    bugcheck_code: str = ""  # from the dump's own header


@dataclass(frozen=True, slots=True)
class Capture:
    """What the guest would keep of a crash, and what it kept of this one.

    `armed` None: not known. `family`: rhel | debian | suse | other | windows.
    """

    family: str = "other"
    armed: bool | None = None
    dumps: tuple[Dump, ...] = ()
    panic_on_oom: int | None = None
    crash_dump_enabled: int | None = None  # Windows: 0 none 1 complete 2 kernel 3 small 7 automatic
    pagefile: bool | None = None  # Windows: on the boot volume, or a dedicated dump file

    def dumps_in(self, window: Window | None) -> tuple[Dump, ...]:
        """Dumps of this incident; one without a time counts, its age is not known."""
        return tuple(d for d in self.dumps if d.at is None or window is None or window.holds(d.at))


@dataclass(frozen=True, slots=True)
class Unready:
    """What the instance lacked for a crash when that was last asked: names of needed checks."""

    at: datetime
    lacking: tuple[str, ...]


SOURCES = ("instance", "events", "own", "audit_trail", "agent", "guest", "console")


@dataclass(frozen=True, slots=True)
class Facts:
    now: datetime
    machine: Machine
    reported: Window | None = None  # the reporter's time and ±
    unasked: Mapping[str, Text] = field(default_factory=dict)  # source -> why it could not be asked
    events: tuple[Event, ...] = ()
    acts: tuple[OwnAct, ...] = ()
    trail: Trail | None = None  # None: it was not asked
    agent: Agent | None = None
    boot: Boot | None = None
    earlier_boots: tuple[Window, ...] = ()  # first and last sign of life of each boot before it
    guest: Analysis | None = None  # None: the guest's records were not read
    guest_needed: bool = True  # False: an event had explained it before the guest was asked
    handed: tuple[str, ...] = ()  # files that people gave, where nothing else tells of the guest
    other_host: str = ""  # whom they name, where that is not this machine
    guest_complete: bool = True
    reaches_back: bool = True  # records of the time before the present boot were among them
    console: Analysis | None = None
    capture: Capture | None = None
    unready: Unready | None = None

    def asked(self, source: str) -> bool:
        return source not in self.unasked

    def windows(self) -> bool:
        return self.machine.os_type == "windows"
