from contextlib import contextmanager

import pytest

from instances import ecs, ecs_call, ecs_mode
from instances.throttle import Throttle
from tests.instances.endpoint import serving
from tests.simulation import KEY_WITHOUT_RIGHTS


@pytest.fixture(autouse=True)
def gateway(monkeypatch):
    """Each test has its own setup, buckets and connections."""
    monkeypatch.setattr(ecs_mode, "_setup", ecs_mode.Setup())
    monkeypatch.setattr(ecs_mode, "_read_only", set())
    monkeypatch.setattr(ecs_call, "_throttle", Throttle())
    monkeypatch.setattr(ecs_call, "BACKOFF", 0)
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


@pytest.fixture
def rightless(tmp_path, monkeypatch):
    """`with rightless(account):` it signs as an identity that has no right at all."""

    @contextmanager
    def signing(account, key=KEY_WITHOUT_RIGHTS):
        ini = tmp_path / "credentials.ini"
        lines = ["[p]", "type = access_key", f"access_key_id = {key[0]}"]
        ini.write_text("\n".join([*lines, f"access_key_secret = {key[1]}", ""]))
        path = "alibabacloud_credentials.utils.auth_util.environment_credentials_file"
        monkeypatch.setattr(path, str(ini))
        account.kind, account.profile = "profile", "p"
        account.save(update_fields=["kind", "profile"])
        yield

    return signing
