"""A cloud that knows the truth: machines with fates, calls that fail in every way, and the count of
what really happened to each. Its time is the test's; every moment may be the worker's last."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from commands.models import RebootItem
from instances import ecs

FATES = (*["well"] * 12, "no_return", "gone", "same_boot", "lost_agent", "late")
FAILURES = (ecs.Throttled("busy"), ecs.NoAnswer("silence"))


class Crash(BaseException):
    """kill -9, as far as this process is concerned."""


@dataclass(frozen=True)
class Moment:
    """How a machine is from a time on; `boot_id` "" where nothing answers there."""

    since: datetime
    status: str
    boot_id: str
    booted_at: datetime
    started_at: datetime


@dataclass
class Machine:
    instance_id: str
    life: list[Moment] = field(default_factory=list)
    fate: str = "well"

    def at(self, when: datetime) -> Moment:
        return max((m for m in self.life if m.since <= when), key=lambda m: m.since)

    def settled(self, now: datetime) -> bool:
        return all(moment.since <= now for moment in self.life)


class Cloud:
    def __init__(self, seed: int, size: int, now: datetime) -> None:
        self.dice = random.Random(seed)
        self.machines = {f"i-{n:04}": Machine(f"i-{n:04}") for n in range(size)}
        for machine in self.machines.values():
            boot = self._boot_id()
            born = now - timedelta(days=self.dice.randint(1, 90))
            machine.life.append(Moment(born, "Running", boot, born, born))
            machine.fate = self.dice.choice(FATES)
        self.asked: Counter[int] = Counter()  # calls that named this item
        self.done: Counter[int] = Counter()  # reboots of this item's machine by those calls
        self.runs: dict[str, dict[str, tuple[datetime, ecs.Result]]] = {}
        self.tokens: dict[str, tuple] = {}
        self.deadly = False

    def _boot_id(self) -> str:
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    # --- What goes wrong ------------------------------------------------------------------------

    def point(self) -> None:
        """A moment at which the worker may die."""
        if self.deadly and self.dice.random() < 0.02:
            raise Crash

    def _fails(self, often: float = 0.08) -> None:
        self.point()
        if self.dice.random() < often:
            raise self.dice.choice(FAILURES)

    def side_by_side(self, calls):
        """Others may have been heard before the first answer is written, or never made."""
        if self.dice.random() < 0.5:
            yield from {key: _attempted(call) for key, call in calls.items()}.items()
        else:
            for key, call in calls.items():
                yield key, _attempted(call)

    # --- Looking --------------------------------------------------------------------------------

    def instances(self, account, region, *, ids=None, **_filters) -> ecs.Answer:
        self._fails()
        now = timezone.now()
        return ecs.Answer([self._info(self.machines[i], region, now) for i in ids])

    def _info(self, machine: Machine, region: str, now: datetime) -> ecs.InstanceInfo:
        there = machine.at(now)
        return ecs.InstanceInfo(
            machine.instance_id,
            region,
            name=machine.instance_id,
            status=there.status,
            os_type="linux",
            network_type="vpc",
            started_at=there.started_at.replace(second=0, microsecond=0),
        )

    def agents(self, account, region, ids=None) -> ecs.Answer:
        self._fails()
        now = timezone.now()
        rows = [
            ecs.AgentInfo(i, bool(self.machines[i].at(now).boot_id), "2.2.3.857", now, "linux")
            for i in ids
        ]
        return ecs.Answer(rows)

    def system_events(self, account, region, **_which) -> ecs.Answer:
        self._fails()
        return ecs.Answer([])

    # --- Power ----------------------------------------------------------------------------------

    def power(self, account, region, ids, act, *, force, stopped_mode) -> ecs.Answer:
        items = RebootItem.objects.filter(instance__instance_id__in=ids, state="asked")
        by_name = {item.instance.instance_id: item.pk for item in items}
        assert set(by_name) == set(ids), "called before the intent was committed"
        self._fails(0.15)
        self.asked.update(by_name.values())
        rows = []
        for name in ids:
            if self.dice.random() < 0.04:
                rows.append(ecs.PowerAnswer(name, "IncorrectInstanceStatus", "not now"))
                continue
            self.done[by_name[name]] += 1
            self._reboot(self.machines[name])
            rows.append(ecs.PowerAnswer(name))
        self.point()
        if self.dice.random() < 0.15:
            raise ecs.NoAnswer("lost")
        return ecs.Answer(rows, ("REQUEST",))

    def _reboot(self, machine: Machine) -> None:
        now = timezone.now()
        if not machine.settled(now):
            return
        there, took = machine.at(now), timedelta(seconds=self.dice.uniform(8, 20))
        machine.life.append(
            Moment(now + took * 0.15, "Starting", "", there.booted_at, there.started_at)
        )
        fate, up = machine.fate, now + took
        new = Moment(up, "Running", self._boot_id(), up, up)
        ends = {
            "well": [new],
            "same_boot": [Moment(up, "Running", there.boot_id, there.booted_at, there.started_at)],
            "no_return": [],
            "gone": [Moment(up, "Running", "", up, up)],
            "lost_agent": [Moment(up, "Running", "", up, up)],
        }
        if fate == "late":
            up += timedelta(seconds=self.dice.uniform(800, 3000))
            ends["late"] = [Moment(up, "Running", new.boot_id, up, up)]
        machine.life += ends[fate]

    # --- Scripts --------------------------------------------------------------------------------

    def run_script(self, account, region, ids, script, *, token, **rest) -> ecs.Answer:
        asked = (region, tuple(ids), script, repr(sorted(rest.items())))
        assert self.tokens.setdefault(token, asked) == asked, "a repeat must be the same call"
        self._fails()
        if (key := f"t-{token}") not in self.runs:
            self.runs[key] = {i: self._ran(self.machines[i], script) for i in ids}
        self.point()
        if self.dice.random() < 0.08:
            raise ecs.NoAnswer("lost")
        return ecs.Answer(ecs.Run(key), ("REQUEST",))

    def _ran(self, machine: Machine, script: str) -> tuple[datetime, ecs.Result]:
        now = timezone.now()
        there, name = machine.at(now), machine.instance_id
        if there.status != "Running":
            why = {"error_code": "InstanceNotRunning", "error_info": "not running"}
            return now, ecs.Result(name, "Invalid", **why)
        if not there.boot_id:
            gives_up = now + timedelta(seconds=60)
            return gives_up, ecs.Result(name, "Invalid", error_code="ClientNotResponse")
        over = now + timedelta(seconds=self.dice.uniform(0.5, 3))
        if "boot_id" not in script:
            failed = self.dice.random() < 0.05
            return over, ecs.Result(name, *(("Failed", 1) if failed else ("Success", 0)))
        booted = int(there.booted_at.timestamp())
        output = f"boot_id={there.boot_id}\nbooted={booted}\nend=1\n".encode()
        if self.dice.random() < 0.02:
            output = output[: self.dice.randint(0, len(output) - 2)]  # cut off on its way
        return over, ecs.Result(name, "Success", 0, output)

    def results(self, account, region, invoke_id) -> ecs.Answer:
        self._fails()
        now = timezone.now()
        rows = self.runs[invoke_id].values()
        return ecs.Answer(
            [row if over <= now else ecs.Result(row.instance_id, "Running") for over, row in rows]
        )

    def invocations(self, account, region, *, wanted=None, most_pages=None) -> ecs.Answer:
        self._fails()
        now = timezone.now()
        infos = {}
        for key in wanted or ():
            if rows := self.runs.get(key):
                stands = {n: r.status if t <= now else "Running" for n, (t, r) in rows.items()}
                infos[key] = ecs.InvocationInfo(key, "?", stands)
        return ecs.Answer(infos)


def _attempted(call):
    try:
        return call()
    except Exception as error:
        return error


ACTS = "instances agents system_events power run_script results invocations side_by_side"
