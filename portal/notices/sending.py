"""The job: what is due in one channel goes out, one message after the other.

An attempt is counted, made, and its answer written. A worker that dies in between leaves the
message to be sent again: at least once, with the same key at the far side.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from portal import owners, secrets, work
from portal.notices import message
from portal.notices.kinds import CARRIERS
from portal.notices.message import Refused, Unreached, masked
from portal.notices.models import Channel, Notification
from portal.work import Claim

log = logging.getLogger(__name__)

AT_ONCE = 20  # messages of one channel in one step
STEP = 5.0  # seconds after which a step begins no further message: others need the worker
TURN = timedelta(seconds=60)  # of a worker on another machine that died in it
ASK_AGAIN = timedelta(seconds=2)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
SWITCHED_OFF = gettext_noop("The channel is disabled.")
State = Notification.State


@work.crowd_job(Notification, AT_ONCE)
def send(claims: list[Claim[Notification]]) -> None:
    """Send what is due in one channel; where the far side is away, all of it rests."""
    began, done = time.monotonic(), 0
    with _turn(claims[0].row) as channel, work.held(claims):
        if channel is None:
            return _put_off(claims, ASK_AGAIN)
        while done < len(claims) and time.monotonic() - began < STEP:
            with work.apart(claims[done]):
                _carry(claims[done], channel)
            done += 1
    # A slow receiver gets no more than half of a worker.
    _put_off(claims[done:], timedelta(seconds=time.monotonic() - began))


@contextlib.contextmanager
def _turn(row: Notification) -> Iterator[Channel | None]:
    """The row's channel for one worker at a time; None while another has it."""
    channel = Channel.objects.get(pk=row.channel_id)
    seen = {"lease_until": channel.lease_until, "lease_owner": channel.lease_owner}
    mine = {"lease_until": timezone.now() + TURN, "lease_owner": row.lease_owner}
    rows = Channel.objects.filter(pk=channel.pk)
    if not (owners.holder_is_gone(channel) and rows.filter(**seen).update(**mine)):
        yield None
        return
    try:
        yield channel
    finally:
        rows.filter(**mine).update(lease_until=None, lease_owner="")


def _put_off(claims: list[Claim[Notification]], rest: timedelta) -> None:
    for claim in claims:
        with work.apart(claim):
            claim.release(due_at=timezone.now() + rest)


def _carry(claim: Claim[Notification], channel: Channel) -> None:
    row, now = claim.row, timezone.now()
    if row.is_over:
        return claim.release(due_at=None)
    if not channel.enabled:
        return claim.release(due_at=None, state=State.GIVEN_UP, trouble=SWITCHED_OFF)
    if row.deadline <= now and (row.tries or channel.rests):
        return claim.release(due_at=None, state=State.GIVEN_UP)
    if channel.rests:
        return _rest(claim, channel.resting_until, channel.trouble)
    claim.write(tries=F("tries") + 1)
    row.refresh_from_db(fields=["tries"])
    try:
        _send(row, channel)
    except Unreached as trouble:
        _let_rest(channel, str(trouble))
        _rest(claim, max(channel.resting_until, now + pause(row.tries)), str(trouble))
    except Refused as trouble:
        _rest(claim, now + pause(row.tries), str(trouble))
    else:
        claim.release(due_at=None, state=State.SENT, sent_at=timezone.now(), trouble="")
        if channel.failures:
            _settle(channel)


def _send(row: Notification, channel: Channel) -> None:
    """Raises Refused or Unreached, their words fit for a page."""
    address: dict[str, str] = {}
    try:
        address = channel.opened()
        CARRIERS[channel.kind](address, message.of(row))
    except secrets.WrongKey as error:
        raise Unreached(str(error)) from None
    except (Refused, Unreached) as trouble:
        raise type(trouble)(masked(str(trouble), address)) from None
    except Exception as error:  # its words, and its traceback in the log, may hold the address
        log.error("channel %s broke: %s", channel, masked(repr(error), address))
        raise Refused(masked(f"it broke: {type(error).__name__}", address)) from None


def _rest(claim: Claim[Notification], until: datetime, trouble: str) -> None:
    """Wait, but not beyond the deadline: then it is given up."""
    row = claim.row
    state = State.FAILED if row.tries else State.WAITING
    claim.release(due_at=min(until, row.deadline), state=state, trouble=trouble)


def _let_rest(channel: Channel, trouble: str) -> None:
    channel.failures += 1
    channel.resting_until = timezone.now() + pause(channel.failures)
    channel.trouble = trouble
    channel.save(update_fields=["failures", "resting_until", "trouble"])


def _settle(channel: Channel) -> None:
    channel.failures, channel.resting_until, channel.trouble = 0, None, ""
    channel.save(update_fields=["failures", "resting_until", "trouble"])
    # What rested because of it need not wait any longer.
    now = timezone.now()
    for row in channel.notifications.filter(due_at__gt=now)[:1]:
        channel.notifications.filter(due_at__gt=now).update(due_at=now)
        row.ring()


def pause(failures: int) -> timedelta:
    """10, 20, 40 ... 600 s."""
    return min(FIRST_PAUSE * 2 ** min(failures, 10), LONGEST_PAUSE)
