"""A fresh look at a batch's instances, and what of it the batch keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.models import RebootBatch, RebootItem
from commands.reboots import preflight
from instances import refresh
from instances.models import CloudAccount, Instance


def look(batch: RebootBatch, items: Iterable[RebootItem]) -> refresh.Look:
    """Ask ECS about these items' instances. Makes cloud calls: for workers only."""
    instances = Instance.objects.filter(pk__in=[item.instance_id for item in items])
    return refresh.look_again(instances)


def keep(batch: RebootBatch, items: Iterable[RebootItem], seen: refresh.Look) -> None:
    """Write the latest facts on these items, in the caller's transaction."""
    rows = list(items)
    instances = Instance.objects.filter(pk__in=[item.instance_id for item in rows])
    facts = preflight.facts_of(instances, but=batch)
    for item in rows:
        item.facts = facts[item.instance_id]
        if item.instance_id in seen.missing:
            item.facts["gone"] = True
    RebootItem.objects.bulk_update(rows, ["facts"], batch_size=200)


def refreshed(items: Iterable[RebootItem], seen: refresh.Look) -> dict[str, object]:
    """What the batch's own row notes of a look; one that could not ask everywhere is none, and is
    asked for again."""
    if not seen.problems:
        return {"checked_at": timezone.now(), "look_at": None, "look_problems": []}
    places = Counter((item.instance.account_id, item.instance.region) for item in items)
    names = dict(CloudAccount.objects.values_list("pk", "name"))
    return {
        "look_problems": [
            {
                "account": names[account],
                "region": region,
                "instances": places[account, region],
                "why": why[:500],
            }
            for (account, region), why in seen.problems.items()
        ]
    }


def unasked(batch: RebootBatch) -> str:
    """Where ECS could not be asked at the last look, and what that means; "" where it could."""
    if not batch.look_problems:
        return ""
    said = [_unasked_in(place) for place in batch.look_problems]
    return " ".join(
        [*said, _("A yes is not taken before it answers; it is asked again and again until then.")]
    )


def _unasked_in(place: dict[str, Any]) -> str:
    words = ngettext(
        "ECS could not be asked about %(instances)d instance in %(region)s (%(account)s): %(why)s.",
        "ECS could not be asked about %(instances)d instances in %(region)s (%(account)s):"
        " %(why)s.",
        place["instances"],
    )
    return words % (place | {"why": place["why"].rstrip(".")})
