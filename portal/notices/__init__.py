"""Who is told of what. `tell` is the only way in: it writes rows, and a worker sends them later."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from portal.notices.events import Severity

Keys = Iterable[str]


def tell(
    event: str,
    *,
    subject_label: str,
    subject_key: str,
    url: str,
    title: str | Callable[[], str],
    lines: Keys | Callable[[], Keys] = (),
    groups: Keys | Callable[[], Keys] = (),
    accounts: Keys = (),
    people: Iterable[User] | Callable[[], Iterable[User]] = (),
    severity: Severity | None = None,
    once: str,
) -> int:
    """Have everybody told whom the written rules name; answers how many new messages that makes.

    Call it in the transaction of the event: the messages are written there, or not at all.
    `once` names this one event ("approval.asked:12"): told again, it makes no second message.
    `title` and `lines` are said in the language of each channel: hand over lazy texts, or
    functions that are called once a language. `url` is a path of ours, such as /runs/12/.
    `groups` and `accounts` are names that rules may be narrowed to; `people` are those whom the
    event concerns. Functions for them are only called where a rule asks.
    Never raises for trouble of its own; ValueError for an event that does not exist.
    """
    from portal.notices import telling  # models cannot be imported while the apps load

    return telling.tell(
        event,
        subject_label=subject_label,
        subject_key=subject_key,
        url=url,
        title=title,
        lines=lines,
        groups=groups,
        accounts=accounts,
        people=people,
        severity=severity,
        once=once,
    )


def told(once: str) -> bool:
    """Whether anybody was told of this event: only then is there an end of it to tell."""
    from portal.notices.models import Notification

    return Notification.objects.filter(once=once[:200]).exists()
