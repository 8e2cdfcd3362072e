"""A DingTalk group robot, with the signature of its "sign" protection.

Not through the library: measured with apprise 2.2.0, it encodes the signature twice, and takes
every HTTP 200 for success although DingTalk refuses with 200 and an errcode.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from urllib.parse import urldefrag, urlencode

from django.utils.translation import gettext as _

from portal.notices import posting
from portal.notices.kinds.webhook import judge
from portal.notices.message import Message, Refused, Unreached

MOST = 18_000  # bytes of text; DingTalk takes 20,000 of all
BUSY = (-1, 130101, 130102, 410100, 660026)  # the system, or more than 20 messages a minute


def send(address: dict[str, str], message: Message) -> None:
    # Plain text: names and reasons come from machines and must not become markup.
    text = f"{message.title}\n{message.text}".encode()[:MOST].decode(errors="ignore")
    body = json.dumps({"msgtype": "text", "text": {"content": text}}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "ecs-portal"}
    answer = posting.post(signed(address["url"], address.get("secret", "")), body, headers)
    judge(answer.status)
    _understand(answer.body)


def signed(url: str, secret: str) -> str:
    """The robot's URL for this moment; as it is where the robot has no secret."""
    if not secret:
        return url
    stamp = str(round(time.time() * 1000))
    code = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    proof = urlencode({"timestamp": stamp, "sign": base64.b64encode(code).decode()})
    return f"{urldefrag(url).url}&{proof}"


def _understand(body: bytes) -> None:
    try:
        said = json.loads(body)
        code, words = said["errcode"], str(said.get("errmsg", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(_("it did not answer as DingTalk does")) from None
    if code in BUSY:
        raise Unreached(f"DingTalk: {code} {words}")
    if code != 0:
        raise Refused(f"DingTalk: {code} {words}")
