"""Who is told when a region can no longer be read, and when it can again; see portal.notices."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from instances.models import Region
from portal import notices

LATE = timedelta(minutes=10)  # or five looks, where looks are rarer


def failed(region: Region, problem: str) -> None:
    """A look failed: tell once it has gone on for a while."""
    if region.synced_at is None or timezone.now() - region.synced_at < _late():
        return

    def title() -> str:
        local = timezone.localtime(region.synced_at)
        since = f"{local:%Y-%m-%d %H:%M} {local.tzname()}"
        return _("%(region)s could not be read since %(time)s") % {"region": region, "time": since}

    _tell("sync.stopped", region, title, [problem], _stopped(region, region.synced_at))


def doubted(region: Region) -> None:
    """A listing suddenly shrank, and a person has to say whether that is so."""

    def title() -> str:
        number = len(region.doubted_ids)
        words = ngettext(
            "%(region)s: the listing lacks %(number)d instance; is it gone?",
            "%(region)s: the listing lacks %(number)d instances; are they gone?",
            number,
        )
        return words % {"region": region, "number": number}

    _tell("sync.stopped", region, title, [region.problem], _doubt(region))


def current(region: Region, before: Region) -> None:
    """The region was read and is in order; `before` is how it stood until then."""
    told = {Region.State.FAILED: _stopped, Region.State.DOUBTED: lambda r, _at: _doubt(r)}
    if before.state not in told or before.synced_at is None:
        return
    trouble = told[before.state](before, before.synced_at)
    if not notices.told(trouble):
        return

    def title() -> str:
        return _("%(region)s is read again") % {"region": region}

    _tell("back_to_normal", region, title, [], f"back_to_normal:{trouble}")


def _tell(event: str, region: Region, title: object, lines: list[str], once: str) -> None:
    notices.tell(
        event,
        subject_label=str(region),
        subject_key=f"region:{region.pk}",
        url=reverse("instances:regions"),
        title=title,
        lines=lines,
        accounts=[region.account.name],
        once=once,
    )


def _late() -> timedelta:
    return max(LATE, timedelta(seconds=5 * settings.SYNC_SECONDS))


def _stopped(region: Region, since: datetime) -> str:
    """Names one absence: it lasts as long as the last good look stays the last."""
    return f"sync.stopped:{region.pk}:{since.isoformat()}"


def _doubt(region: Region) -> str:
    return f"sync.doubted:{region.pk}:{region.doubt()}"
