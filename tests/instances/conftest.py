import os
from contextlib import contextmanager

import pytest

from instances import ecs, ecs_mode
from instances.throttle import Throttle
from tests.instances.endpoint import serving

os.environ.setdefault("ALIBABA_CLOUD_ACCESS_KEY_ID", "simulator")
os.environ.setdefault("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "simulator-secret")


@pytest.fixture(autouse=True)
def gateway(monkeypatch):
    """Each test has its own setup, buckets and connections."""
    monkeypatch.setattr(ecs_mode, "_setup", ecs_mode.Setup())
    monkeypatch.setattr(ecs_mode, "_read_only", set())
    monkeypatch.setattr(ecs, "_throttle", Throttle())
    monkeypatch.setattr(ecs, "BACKOFF", 0)
    yield
    ecs.forget_connections()


@pytest.fixture
def answering():
    """`with answering(behaviour) as endpoint:` the gateway talks to it, in mode `full`."""

    @contextmanager
    def start(behaviour, mode="full", host="127.0.0.1", **seconds):
        with serving(behaviour, host) as endpoint:
            ecs.configure(endpoint=endpoint.url, mode=mode, **seconds)
            yield endpoint

    return start
