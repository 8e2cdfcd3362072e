"""The wire itself: requests as the SDK really sends them, and requests signed by hand."""

import http.client
import json
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, urlencode

from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config

from simulator.server import read_request, written
from simulator.signature import acs3_signature
from simulator.wire import Reply, Request
from tests.simulation import KEY, Simulator


def captured(call: Callable[[Client], object], **options) -> Request:
    """The request that the SDK sends for `call`, byte for byte, taken by a listener of ours."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    taken: list[Request] = []

    def listen() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            taken.append(read_request(stream))
            connection.sendall(written(Reply.json(200, {}), keeps=False))

    thread = threading.Thread(target=listen)
    thread.start()
    config = Config(access_key_id=KEY[0], access_key_secret=KEY[1], protocol="http", **options)
    config.endpoint = f"127.0.0.1:{port}"
    call(Client(config))
    thread.join(timeout=10)
    listener.close()
    return taken[0]


@dataclass(frozen=True)
class Told:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict:
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        return self.body.get("Code", "")


def send(simulator: Simulator, request: Request) -> Told:
    """Send exactly this request."""
    connection = http.client.HTTPConnection(simulator.host, timeout=30)
    target = f"{request.path}?{request.query}"
    connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.items():
        if name != "content-length":
            connection.putheader(name, value)
    connection.putheader("content-length", str(len(request.body)))
    connection.endheaders(request.body)
    reply = connection.getresponse()
    told = Told(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
    connection.close()
    return told


def signed(
    operation: str, params: dict[str, str], key: tuple[str, str] = KEY, **headers: str
) -> Request:
    """A request signed by hand; header names with `_` for `-`."""
    request = Request(
        "POST",
        "/",
        urlencode(params, quote_via=quote),
        {
            "host": "ecs.example",
            "x-acs-action": operation,
            "x-acs-version": "2014-05-26",
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-content-sha256": sha256(b"").hexdigest(),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )
    names = sorted(request.headers)
    signature = acs3_signature(request, names, key[1])
    authorization = (
        f"ACS3-HMAC-SHA256 Credential={key[0]},SignedHeaders={';'.join(names)},"
        f"Signature={signature}"
    )
    return replace(request, headers={**request.headers, "authorization": authorization})


def ask(simulator: Simulator, operation: str, key: tuple[str, str] = KEY, **params: str) -> Told:
    """A signed call; `__` in a name stands for the dot of lists."""
    named = {name.replace("__", "."): value for name, value in params.items()}
    return send(simulator, signed(operation, named, key))
