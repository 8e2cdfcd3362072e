"""How each kind of channel sends: `(address, message) -> None`, or Refused, or Unreached.

`address` is what the channel keeps sealed. A new kind is a module here and a line in CARRIERS.
"""

from __future__ import annotations

from collections.abc import Callable

from portal.notices.kinds import dingtalk, library, mail, webhook
from portal.notices.message import Message
from portal.notices.models import Kind

Carrier = Callable[[dict[str, str], Message], None]
CARRIERS: dict[str, Carrier] = {
    Kind.EMAIL: mail.send,
    Kind.PEOPLE: mail.send,
    Kind.DINGTALK: dingtalk.send,
    Kind.WEBHOOK: webhook.send,
    Kind.LIBRARY: library.send,
}
