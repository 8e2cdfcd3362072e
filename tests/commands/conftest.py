import pytest

from commands import invocations
from commands.models import Dispatch, Invocation
from instances.models import Instance
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
