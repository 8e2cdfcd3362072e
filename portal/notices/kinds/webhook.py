"""JSON to any address, signed so that its owner can tell that we sent it, and when.

X-Portal-Signature is "sha256=" and the hex HMAC-SHA256, under the channel's secret, of the
timestamp header, a dot, and the body as it came. docs/notices.md has the receiver's side.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time

from django.utils.translation import gettext as _

from portal.notices import posting
from portal.notices.message import Message, Refused, Unreached

AWAY = (408, 425, 429)  # and everything from 500 on: come back later


def send(address: dict[str, str], message: Message) -> None:
    body = json.dumps(content(message), ensure_ascii=False).encode()
    stamp = str(int(time.time()))
    answer = posting.post(
        address["url"],
        body,
        {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "ecs-portal",
            "Idempotency-Key": message.key,
            "X-Portal-Event": message.event,
            "X-Portal-Timestamp": stamp,
            "X-Portal-Signature": signature(address["secret"], stamp, body),
        },
    )
    judge(answer.status)


def content(message: Message) -> dict[str, object]:
    """The JSON that travels; the same at each attempt."""
    return {
        "id": message.key,
        "event": message.event,
        "severity": message.severity,
        "title": message.title,
        "lines": message.body.splitlines(),
        "subject": {"key": message.subject_key, "label": message.subject_label},
        "link": message.link,
        "at": message.at.isoformat(timespec="seconds"),
    }


def signature(secret: str, stamp: str, body: bytes) -> str:
    signed = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"


def judge(status: int) -> None:
    """Raise for every status but a 2xx: a redirect is a refusal, nothing is sent elsewhere."""
    if status >= 500 or status in AWAY:
        raise Unreached(_("it answered with status %d") % status)
    if not 200 <= status < 300:
        raise Refused(_("it answered with status %d") % status)
