"""HTTP/1.1 on the loopback: one thread a connection, kept alive; one write an answer.

Requests carry everything in the request line, up to a whole script, so lines are long here.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
import time
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlsplit

from simulator import control
from simulator.cloud import Cloud
from simulator.endpoint import Endpoint, Reset
from simulator.wire import Reply, Request

log = logging.getLogger(__name__)

LONGEST_LINE = 256 * 1024
MOST_HEADERS = 100
LARGEST_BODY = 8 * 1024 * 1024
# The client's pool keeps connections; closing one under it would fail its next call.
IDLE_SECONDS = 600
MOST_CONNECTIONS = 1024


class Malformed(Exception):
    """A request that cannot be read: status and why. The connection is closed after it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Server:
    """Accepts connections on 127.0.0.1 until it is closed."""

    def __init__(self, endpoint: Endpoint, port: int = 0, latency: float = 0.0) -> None:
        self.endpoint, self.latency = endpoint, latency
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._thread = threading.Thread(target=self._accept, name="accept", daemon=True)
        self._closed = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def cloud(self) -> Cloud:
        return self.endpoint.cloud

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop listening, close every connection, stop every script."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.cloud.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._room.acquire()
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(IDLE_SECONDS)
            with connection.makefile("rb", buffering=64 * 1024) as stream:
                while self._one(connection, stream):
                    pass
        except (OSError, ValueError):
            pass  # the other side went away, or the server is closing
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()
            self._room.release()

    def _one(self, connection: socket.socket, stream: BinaryIO) -> bool:
        """Answer one request; False when the connection is over."""
        try:
            request = read_request(stream)
        except Malformed as error:
            connection.sendall(written(Reply.json(error.status, {"Message": str(error)}), False))
            return False
        if request is None:
            return False
        came_at = time.monotonic()
        try:
            reply = self._answer(request)
        except Reset:
            reset(connection)
            return False
        if self.latency and not request.path.startswith(control.PREFIX):
            time.sleep(max(0.0, came_at + self.latency - time.monotonic()))
        keeps = request.headers.get("connection", "").lower() != "close"
        connection.sendall(written(reply, keeps))
        return keeps

    def _answer(self, request: Request) -> Reply:
        if request.path.startswith(control.PREFIX):
            return control.answer(self.cloud, request)
        return self.endpoint.answer(request)


def read_request(stream: BinaryIO) -> Request | None:
    """The next request on a connection; None when it ended between two of them."""
    first = stream.readline(LONGEST_LINE + 1)
    if not first:
        return None
    if len(first) > LONGEST_LINE:
        raise Malformed(414, f"a request line is at most {LONGEST_LINE} bytes")
    words = first.decode("latin-1").rstrip("\r\n").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Malformed(400, "a request line is: method target HTTP/1.1")
    headers = _headers(stream)
    if words[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    if "transfer-encoding" in headers:
        raise Malformed(411, "a body needs Content-Length")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        raise Malformed(413, f"a body is at most {LARGEST_BODY} bytes")
    body = stream.read(int(length))
    if len(body) < int(length):
        return None
    try:
        target = urlsplit(words[1])
    except ValueError as error:
        raise Malformed(400, str(error)) from None
    return Request(words[0], target.path, target.query, headers, body)


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while (line := stream.readline(LONGEST_LINE + 1)) not in (b"\r\n", b"\n", b""):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(line) > LONGEST_LINE or len(headers) >= MOST_HEADERS:
            raise Malformed(431, "the headers cannot be read")
        name = name.strip().lower()
        if name in headers:
            raise Malformed(400, f"the header {name} came twice")
        headers[name] = value.strip()
    return headers


def written(reply: Reply, keeps: bool) -> bytes:
    """The whole answer in one piece: headers and body apart would wait for each other."""
    try:
        phrase = HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Unknown"
    head = [
        f"HTTP/1.1 {reply.status} {phrase}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        f"Connection: {'keep-alive' if keeps else 'close'}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + reply.body


def reset(connection: socket.socket) -> None:
    """Hang up so that the other side sees a reset, not an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
