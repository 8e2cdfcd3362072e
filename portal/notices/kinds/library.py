"""The services that the library knows, by its own addresses such as slack://... or feishu://...

Only those that talk to a team over the network are let through: the library also knows ones that
read files or act on this machine. Redirects are off and times bounded, whatever the address says.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from portal.notices import posting
from portal.notices.message import Message, Refused, Unreached

SEVERITY = {"info": "info", "attention": "warning", "bad": "failure"}
# Services with a host of their own.
FIXED = (
    "discord", "feishu", "flock", "gchat", "lark", "line", "opsgenie", "pagerduty", "pover",
    "pushplus", "schan", "slack", "tgram", "wecombot", "workflows", "wxpusher", "wxteams",
)  # fmt: skip
# Services that people run themselves: the address names the host, which is checked as ours are.
OWN_HOST = (
    "bark", "barks", "gotify", "gotifys", "matrix", "matrixs", "mmost", "mmosts", "ntfy", "ntfys",
    "pushdeer", "pushdeers", "rocket", "rockets",
)  # fmt: skip


def problem(url: str) -> str:
    """What is wrong with an address of the library; "" if nothing."""
    scheme = url.partition("://")[0].lower()
    if scheme not in FIXED + OWN_HOST:
        return _("it must begin with one of: %s") % ", ".join(sorted(FIXED + OWN_HOST))
    if not url.isprintable() or _service(url) is None:
        return _("%s:// is written otherwise") % scheme
    return posting.host_problem(_host(url)) if scheme in OWN_HOST and _host(url) else ""


def send(address: dict[str, str], message: Message) -> None:
    from apprise import LogCapture

    url = address["url"]
    if words := problem(url):
        raise Refused(words)
    if url.partition("://")[0].lower() in OWN_HOST and _host(url):
        posting.resolve(_host(url), 0)
    service = _service(url)
    with LogCapture(level=30, fmt="%(message)s") as log:  # its warnings say why it failed
        sent = service.notify(
            title=message.title,
            body=message.text,
            notify_type=SEVERITY[message.severity],
            body_format="text",
        )
        said = " ".join(log.getvalue().split())
    if not sent:
        # The library does not tell an answer from silence: the channel rests in both cases.
        raise Unreached(said or _("the library could not send it"))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _service(url: str) -> Any:
    """The library's object for this address, held to our limits; None if it is not one."""
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(app_id="ecs-portal", app_desc="ECS portal", http_redirects=False)
    try:
        service = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    except Exception:  # whatever a plug-in makes of a malformed address
        return None
    if service is not None:
        service.redirects = False
        service.verify_certificate = True
        service.socket_connect_timeout = posting.CONNECT
        service.socket_read_timeout = posting.WHOLE
    return service
