"""The SDK obeys HTTP_PROXY and not NO_PROXY; the gateway obeys both, and never for loopback."""

import pytest
import requests

from instances import ecs
from tests.instances.endpoint import instance_page, serving

HERE = ecs.Account()
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def proxied(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, NOBODY)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def fleet(_request):
    return instance_page(["i-1"])


def test_a_loopback_endpoint_is_reached_past_the_proxy(answering, proxied):
    with answering(fleet) as endpoint:
        ecs.instances(HERE, "cn-hangzhou")
    assert len(endpoint.requests) == 1


def test_the_sdk_alone_would_have_asked_the_proxy_whatever_no_proxy_says(answering, proxied):
    ecs.ecs_call.ecs_sdk.parts()
    proxied.setattr("darabonba.core.Session", requests.Session)
    proxied.setenv("NO_PROXY", "127.0.0.1")
    with answering(fleet) as endpoint, pytest.raises(ecs.NoAnswer, match="proxy"):
        ecs.instances(HERE, "cn-hangzhou")
    assert endpoint.requests == []


def test_no_proxy_is_obeyed_for_other_hosts(answering, proxied):
    proxied.setenv("NO_PROXY", "127.0.0.2")
    with answering(fleet, host="127.0.0.2") as endpoint:
        ecs.instances(HERE, "cn-hangzhou")
    assert len(endpoint.requests) == 1


def test_the_proxy_is_used_for_hosts_beyond(answering, proxied):
    with serving(fleet) as proxy:
        proxied.setenv("HTTP_PROXY", proxy.url)
        with answering(fleet, host="127.0.0.2") as endpoint:
            ecs.instances(HERE, "cn-hangzhou")
    assert endpoint.requests == []
    assert proxy.requests[0].target.startswith(endpoint.url)
