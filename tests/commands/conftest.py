from datetime import timedelta

import pytest
from django.utils import timezone

from commands import answers, invocations, jobs
from commands.models import Dispatch, Invocation
from instances.models import Instance
from tests.commands.fake_ecs import FakeECS
from tests.factories import InstanceFactory

HANGZHOU = {"web-01": "i-bp1xo97dtvob918h9sdb", "web-02": "i-bp1b8i97x19c8a21s2js"}


@pytest.fixture
def web(db) -> Instance:
    return InstanceFactory(name="web-01", instance_id=HANGZHOU["web-01"])


@pytest.fixture
def web2(db) -> Instance:
    return InstanceFactory(name="web-02", instance_id=HANGZHOU["web-02"])


def ask(*instances: Instance, script: str = "echo hello", **fields) -> Invocation:
    """A run that waits to be sent."""
    wanted = {"name": "test", "type": "RunShellScript", "timeout": 30, "asked_by": None}
    return invocations.invoke(script=script, instances=instances, **wanted | fields)


def only_dispatch(run: Invocation) -> Dispatch:
    return Dispatch.objects.get(invocation=run)


@pytest.fixture
def fake(monkeypatch) -> FakeECS:
    """The gateway's answers come from here; nothing is waited for."""
    monkeypatch.setattr(answers, "YOUNG_LOOKS", (0,))
    return FakeECS().put(monkeypatch)


def due_now(run: Invocation) -> None:
    """Time passes: whatever of this run is to be looked at later is so now."""
    open_ones = run.dispatches.exclude(due_at=None)
    open_ones.update(due_at=timezone.now() - timedelta(seconds=1))


def work_on(run: Invocation, looks: int = 30) -> Invocation:
    """Bells ring for whatever is due, until the run is over or nothing more happens."""
    for _look in range(looks):
        due_now(run)
        if (row := run.dispatches.exclude(due_at=None).first()) is None:
            break
        jobs.carry_on(row.pk)
    run.refresh_from_db()
    return run
