"""An endpoint that answers whatever a test tells it to, for what a good server never sends."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Request:
    action: str
    parameters: dict[str, str]
    target: str
    headers: dict[str, str]

    def ids(self) -> list[str]:
        """InstanceId.1, InstanceId.2 ... in their order."""
        names = [name for name in self.parameters if name.startswith("InstanceId.")]
        return [self.parameters[name] for name in sorted(names, key=lambda n: int(n[11:]))]


@dataclass
class Raw:
    """An answer that is not simply a JSON object with status 200."""

    status: int = 200
    body: bytes | dict | list = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


Behaviour = Callable[[Request], "dict | Raw"]


class Endpoint:
    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.requests: list[Request] = []
        self.url = ""

    def answer(self, request: Request) -> Raw:
        self.requests.append(request)
        answer = self.behaviour(request)
        if isinstance(answer, dict):
            answer = Raw(body={"RequestId": str(uuid.uuid4()).upper(), **answer})
        return answer


@contextmanager
def serving(behaviour: Behaviour, host: str = "127.0.0.1") -> Iterator[Endpoint]:
    endpoint = Endpoint(behaviour)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            headers = {name.lower(): value for name, value in self.headers.items()}
            action = headers.get("x-acs-action", "")
            answer = endpoint.answer(Request(action, query, self.path, headers))
            if answer.hang_up:
                self.close_connection = True
                return
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body)
            body = body if isinstance(body, bytes) else body.encode()
            head = f"HTTP/1.1 {answer.status} X\r\nContent-Length: {len(body)}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
            self.wfile.write(head.encode() + b"\r\n" + body)

        def log_message(self, *_args: object) -> None: ...

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    endpoint.url = f"http://{host}:{server.server_port}"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def error(status: int, code: str, message: str = "no", **headers: str) -> Raw:
    body = {"RequestId": "0A1B2C3D", "HostId": "ecs", "Code": code, "Message": message}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Raw(status, body, {"Content-Type": "application/json;charset=utf-8", **named})


def instance_page(ids: list[str], token: str = "") -> dict:
    rows = [{"InstanceId": instance_id, "Status": "Running"} for instance_id in ids]
    return {"Instances": {"Instance": rows}, "NextToken": token}
