"""Batches made and carried to their end in this process, and what the other side counted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from commands import approvals
from commands.models import Dispatch, RebootBatch, RebootItem, RebootWave
from commands.reboots import asking
from instances import refresh
from instances.models import Instance
from portal import work
from tests.factories import AccountFactory, a_person
from tests.simulation import Simulator

KINDS = (Dispatch, RebootWave, RebootBatch)


@dataclass
class Fleet:
    simulator: Simulator
    rows: list[Instance]
    before: dict[str, Any]

    @classmethod
    def mirrored(cls, simulator: Simulator) -> Fleet:
        account = AccountFactory()
        rows = []
        for machine in simulator.cloud.world.machines:
            row, _made = Instance.objects.get_or_create(
                account=account,
                region=machine.region,
                instance_id=machine.instance_id,
                defaults={"name": machine.name, "os_type": machine.os_type},
            )
            rows.append(row)
        refresh.look_again(rows, planned=False)
        fresh = Instance.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
        return cls(simulator, list(fresh), simulator.counters())

    def counted(self, what: str, row: Instance) -> int:
        """How often the simulator counted this for the machine since the test began."""
        now = self.simulator.counters().get(what, {}).get(row.instance_id, 0)
        return now - self.before.get(what, {}).get(row.instance_id, 0)

    def machine(self, row: Instance) -> Any:
        return self.simulator.cloud.world.machine(row.region, row.instance_id)


def draft(**told: Any) -> RebootBatch:
    now = timezone.now()
    told = {
        "name": "patch night",
        "reason": "new kernel",
        "opens_at": now,
        "closes_at": now + timedelta(hours=8),
        "sizes": ["100%"],
        "canary": 0,
        **told,
    }
    return RebootBatch(**told)


def asked(rows: list[Instance], *, by: Any = None, **told: Any) -> RebootBatch:
    return asking.ask(draft(**told), rows, by=by or a_person("operator"), via="page", once=None)


def approved(batch: RebootBatch, *, by: Any = None, **how: Any) -> RebootBatch:
    """Somebody else says yes, after the look that this needs."""
    turn()
    approvals.decide(
        batch.approvals.get(state="waiting"),
        by=by or a_person("manager"),
        yes=True,
        comment="go",
        via="page",
        **how,
    )
    batch.refresh_from_db()
    return batch


def turn() -> int:
    """Every worker has one turn: whatever is due soon is due now."""
    now, done = timezone.now(), 0
    soon = now + timedelta(seconds=31)
    for kind in KINDS:
        for row in kind.objects.filter(due_at__lte=soon, lease_until=None):
            kind.objects.filter(pk=row.pk).update(due_at=now)
            done += bool(_job(row)(row.pk))
    return done


def _job(row: work.Work) -> Any:
    from django.utils.module_loading import import_string

    return import_string(row.bell()[0])


def over(batch: RebootBatch, seconds: float = 30) -> RebootBatch:
    """Carry on until it is over, or waits for a person. Once every machine has settled, the time
    that is left for their return passes quicker than here."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        turn()
        batch.refresh_from_db()
        if batch.state in ("finished", "paused") and not _live(batch):
            return batch
        if not moving():
            time_passes(batch, 120)
        time.sleep(0.01)
    raise AssertionError(f"{batch.state}: {states(batch)} {_troubles()}")


def time_passes(batch: RebootBatch, seconds: float) -> None:
    """For those that are awaited, as if they had been taken down so much earlier."""
    earlier = {name: F(name) - timedelta(seconds=seconds) for name in TIMES}
    batch.items.filter(state="asked").update(**earlier)


TIMES = ("asked_at", "back_by", "probe_at")


def moving() -> bool:
    """Whether any machine is on its way down or up."""
    return any(simulated.cloud.power._moving for simulated in RUNNING)


RUNNING: list[Simulator] = []  # the simulators of this session


def _troubles() -> list[str]:
    rows = [row for kind in KINDS for row in kind.objects.exclude(last_error="")]
    return [f"{row._meta.label} {row.last_error}" for row in rows]


def _live(batch: RebootBatch) -> bool:
    return RebootItem.objects.filter(
        batch=batch, state__in=("preparing", "asked", "checking")
    ).exists()


def states(batch: RebootBatch) -> dict[str, str]:
    """How each instance stands: its outcome, or its state."""
    rows = batch.items.select_related("instance").order_by("place")
    return {str(item.instance): item.outcome or item.state for item in rows}


def outcomes(batch: RebootBatch) -> list[str]:
    """The same without names, in the order in which they were asked for."""
    return list(states(batch).values())


def settle() -> None:
    """Wait until no machine is on its way."""
    give_up = time.monotonic() + 5
    while moving() and time.monotonic() < give_up:
        time.sleep(0.01)


def a_script(text: str, type: str = "RunShellScript", timeout: int = 60) -> dict[str, Any]:
    """As a batch keeps a pre-command or a post-check."""
    return {"script": text, "type": type, "timeout": timeout, "working_dir": "", "username": ""}


def until_stage(batch: RebootBatch, *stages: str) -> RebootWave:
    """Carry on until the newest wave is there."""
    for _ in range(200):
        wave = batch.waves.order_by("-number").first()
        if wave and wave.stage in stages:
            return wave
        turn()
    raise AssertionError(f"no wave at {stages}: {states(batch)} {_troubles()}")


def reasons(batch: RebootBatch) -> list[str]:
    return list(batch.items.order_by("place").values_list("reason", flat=True))
