"""Which instance a case is about, when our copy of the fleet does not know it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from diagnostics.models import DiagnosisCase
from instances import ecs, lookup
from instances.models import CloudAccount, Instance, Region

log = logging.getLogger(__name__)
MOST_REGIONS = 40  # asked one after the other


def find(case: DiagnosisCase) -> Instance | None:
    """The instance that ECS lists under the text given, if whoever asks may see it.

    A region that does not answer does not keep the others from being asked; if the instance was
    found in none of them, its error is raised: nobody knows whether the instance is there.
    """
    trouble: ecs.EcsError | None = None
    for account, region in _places(case):
        try:
            found = lookup.fetch_one(account, region, case.instance_text)
        except ecs.EcsError as error:
            log.warning("case %s: %s was not asked: %s", case.pk, region, error)
            trouble = error
            continue
        if found and _may_see(case, found):
            return found
    if trouble:
        raise trouble
    return None


def _places(case: DiagnosisCase) -> Iterator[tuple[CloudAccount, str]]:
    accounts = CloudAccount.objects.filter(enabled=True)
    if case.account_id:
        accounts = accounts.filter(pk=case.account_id)
    for account in accounts:
        if case.region:
            yield account, case.region
            continue
        regions = Region.objects.filter(account=account, configured=True)
        for region_id in regions.values_list("region_id", flat=True)[:MOST_REGIONS]:
            yield account, region_id


def _may_see(case: DiagnosisCase, found: Instance) -> bool:
    if case.opened_by is None:  # the command line of the host sees everything
        return True
    return Instance.objects.visible_to(case.opened_by).filter(pk=found.pk).exists()
