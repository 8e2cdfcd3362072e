"""One POST to an address that a person typed in: bounded in time and size, and kept off places
that only this machine should reach.

Redirects are not followed. The address that was checked is the one that is connected to. What
listens on this machine or hands out the cloud's credentials is refused, unless NOTIFY_HOSTS
names it.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from portal.notices.message import Refused, Unreached

CONNECT = 5.0  # seconds
WHOLE = 10.0  # seconds, from the first to the last byte
MOST = 64 << 10  # bytes of an answer; more is not read
METADATA = {ipaddress.ip_address("100.100.100.200"), ipaddress.ip_address("fd00:ec2::254")}
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def problem(url: str) -> str:
    """What is wrong with a URL before anything is asked, in words for a person; "" if nothing."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return _("it is not a URL")
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return _("it must be http:// or https:// and a host")
    if not url.isascii() or not url.isprintable() or " " in url:
        return _("it holds characters that a URL cannot hold")
    if parts.username is not None or parts.password is not None:
        return _("it must not hold a user name or a password")
    return host_problem(parts.hostname)


def host_problem(host: str) -> str:
    """Why nothing may be sent to this host, as far as its name tells; "" if it may."""
    if settings.NOTIFY_HOSTS and not named(host):
        return _("its host is not among NOTIFY_HOSTS")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    return "" if allowed(host, address) else _("its host is this machine or a link-local address")


def named(host: str) -> bool:
    """Whether NOTIFY_HOSTS names the host, or with a leading dot its domain."""
    host = host.lower().rstrip(".")
    return any(
        host == name.lower() or (name.startswith(".") and host.endswith(name.lower()))
        for name in settings.NOTIFY_HOSTS
    )


def allowed(host: str, address: IPAddress) -> bool:
    if named(host):
        return True
    address = getattr(address, "ipv4_mapped", None) or address
    local = address.is_loopback or address.is_link_local or address.is_unspecified
    return not (local or address.is_multicast or address in METADATA)


def resolve(host: str, port: int) -> list[tuple[str, int]]:
    """The addresses of the host, all of them fit to be sent to; raises Refused or Unreached."""
    if words := host_problem(host):
        raise Refused(words)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Unreached(_("the host name is not known")) from None
    places = [(str(entry[4][0]), port) for entry in found]
    for place, _same_port in places:
        if not allowed(host, ipaddress.ip_address(place.partition("%")[0])):
            raise Refused(_("its host is this machine or a link-local address"))
    return places


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send, and read the answer. Raises Refused where the URL is none, Unreached where nobody
    answers in time; any status is an answer."""
    if words := problem(url):
        raise Refused(words)
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    connection = _connect(parts)
    late = threading.Event()
    clock = threading.Timer(WHOLE, _cut, [connection.sock, late])
    clock.daemon = True
    clock.start()
    try:
        if isinstance(connection.sock, ssl.SSLSocket):
            connection.sock.do_handshake()  # within the time, too
        connection.request("POST", path, body=body, headers=headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.read(MOST))
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            raise Unreached(_("no answer in time")) from None
        raise Unreached(_("no answer: %s") % type(error).__name__) from None
    finally:
        clock.cancel()
        connection.close()
    if late.is_set():
        raise Unreached(_("no answer in time"))
    return answer


def _cut(sock: socket.socket, late: threading.Event) -> None:
    """Time is up, also for who drips a byte every second: reading ends here."""
    late.set()
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _connect(parts: SplitResult) -> http.client.HTTPConnection:
    secure = parts.scheme == "https"
    host, port = str(parts.hostname), parts.port or (443 if secure else 80)
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, port, timeout=CONNECT)
    places, trouble = resolve(host, port), ""
    for place in places[:3]:
        try:
            connection.sock = _socket(place, host, secure)
        except (OSError, ssl.SSLError) as error:
            trouble = getattr(error, "strerror", None) or type(error).__name__
        else:
            return connection
    raise Unreached(_("no connection: %s") % trouble)


def _socket(place: tuple[str, int], host: str, secure: bool) -> socket.socket:
    plain = socket.create_connection(place, timeout=CONNECT)
    try:
        plain.settimeout(WHOLE)
        if not secure:
            return plain
        context = ssl.create_default_context()
        return context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    except BaseException:
        plain.close()
        raise
