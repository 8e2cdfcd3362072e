"""A support person, the demo fleet's machines, and cases carried to their end in this process."""

from __future__ import annotations

import json

import pytest

from diagnostics import cases, jobs
from diagnostics.models import DiagnosisCase
from instances import ecs
from instances.models import Instance
from simulator.linux import LinuxGuest
from tests.diagnostics.cases.remembering import Remembering
from tests.factories import AccountFactory, a_person
from tests.instances.conftest import rightless

__all__ = ["rightless"]


@pytest.fixture
def cloud(simulator, monkeypatch):
    """The gateway talks to the simulator, in mode `full`; see remembering.py."""
    for name, value in zip(("ID", "SECRET"), simulator.access_key, strict=True):
        monkeypatch.setenv(f"ALIBABA_CLOUD_ACCESS_KEY_{name}", value)
    for real in simulator.cloud.world.machines:
        if isinstance(real.guest, LinuxGuest):
            monkeypatch.setattr(real, "guest", Remembering(real.guest))
    before = ecs.ecs_mode.setup()
    ecs.configure(endpoint=simulator.endpoint, mode="full")
    ecs.forget_connections()
    yield simulator
    ecs.ecs_mode._setup = before
    ecs.forget_connections()


@pytest.fixture
def support(db):
    return a_person("support")


@pytest.fixture
def viewer(db):
    return a_person("viewer")


def machine(simulator, name: str):
    """The simulator's own machine, with the truth about it."""
    return next(each for each in simulator.cloud.world.machines if each.name == name)


def mirrored(simulator, name: str) -> Instance:
    """Our row of a demo machine, as a sync would have made it."""
    real = machine(simulator, name)
    row, _made = Instance.objects.get_or_create(
        account=AccountFactory(),
        region=real.region,
        instance_id=real.instance_id,
        defaults={"name": real.name, "os_type": real.os_type, "status": "Running"},
    )
    return row


def opened(instance: Instance | None, **told) -> DiagnosisCase:
    told = {"opened_by": None, "via": "command", **told}
    text = told.pop("instance_text", instance.instance_id if instance else "i-elsewhere")
    return cases.open_case(instance=instance, instance_text=text, ring=False, **told)


def carried(case: DiagnosisCase, turns: int = 60) -> DiagnosisCase:
    """The case as it stands after the workers had their turns."""
    import time

    from commands import jobs as command_jobs

    for _turn in range(turns):
        jobs.advance(case.pk)
        case.refresh_from_db()
        if case.over:
            return case
        for key in (
            case.invocation.dispatches.values_list("pk", flat=True) if case.invocation else ()
        ):
            command_jobs.carry_on(key)
        time.sleep(0.1)
    raise AssertionError(f"still {case.state} after {turns} turns: {case.last_error}")


def told(case: DiagnosisCase) -> dict:
    from diagnostics.report import rendered

    return json.loads(rendered(case, "internal", "json"))
