"""What administrators do to channels and messages; each act stands in the audit."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import audit, secrets
from portal.notices import telling
from portal.notices.events import TEST
from portal.notices.models import Channel, Kind, Notification
from portal.transitions import WrongState, move

State = Notification.State


@transaction.atomic
def keep(channel: Channel, *, address: dict[str, str], by: Any) -> Channel:
    """Write a new or changed channel; without `address` the one that it has stays."""
    act = "channel.changed" if channel.pk else "channel.added"
    if address:
        channel.sealed = secrets.seal(address)
    channel.save()
    told = {"kind": channel.kind, "language": channel.language, "new_address": bool(address)}
    audit.record(actor=by, act=act, subject=channel, via="page", **told)
    _try_now(channel)
    return channel


@transaction.atomic
def switch(channel: Channel, *, on: bool, by: Any) -> None:
    """Enable or disable; while it is disabled no message is made for it."""
    if not Channel.objects.filter(pk=channel.pk, enabled=not on).update(enabled=on):
        return
    act = "channel.enabled" if on else "channel.disabled"
    audit.record(actor=by, act=act, subject=channel, via="page")
    _try_now(channel)


@transaction.atomic
def test(channel: Channel, *, by: Any) -> Notification:
    """One message to this channel alone; to who asks for it where it is the one to persons."""
    if not channel.enabled:
        raise WrongState(_("%s is disabled: enable it first.") % channel)
    person = by if channel.kind == Kind.PEOPLE else None
    if person and not telling.reachable_by_mail(person):
        raise WrongState(_("You have no e-mail address here."))
    once = f"test:{uuid.uuid4()}"
    said = {
        "subject_label": str(channel),
        "subject_key": f"channel:{channel.pk}",
        "url": channel.get_absolute_url(),
        "title": lambda: _("Test message of the ECS portal"),
        "lines": lambda: [_("%s sent it. If you can read this, the channel works.") % by],
    }
    row = telling.row(TEST, once, TEST.severity, channel, person, said)
    telling.write([row])
    audit.record(actor=by, act="channel.tested", subject=channel, via="page")
    return Notification.objects.get(key=row.key)


@transaction.atomic
def again(row: Notification, *, by: Any) -> None:
    """Try a message once more that was given up, for another day. Raises WrongState."""
    now = timezone.now()
    changes = {"due_at": now, "deadline": now + telling.DEADLINE, "tries": 0}
    move(row, source=State.GIVEN_UP, target=State.WAITING, **changes)
    audit.record(actor=by, act="notification.again", subject=row, via="page")
    row.wake()


def _try_now(channel: Channel) -> None:
    """Nothing that rested for the old address need rest for the new one."""
    Channel.objects.filter(pk=channel.pk).update(failures=0, resting_until=None, trouble="")
    waiting = channel.notifications.exclude(due_at=None)
    waiting.update(due_at=timezone.now())
    for row in waiting[:1]:
        row.ring()
