"""A look that dies at any of its statements leaves nothing half done; the next one does it all."""

import random

import pytest
from django.db import connection, transaction
from django.utils import timezone

from instances import ecs, sync
from instances.models import Instance, InstanceAddress, InstanceTag, Region, SystemEvent
from tests.instances.syncing import HANGZHOU, claimed, region_named
from tests.sizes import points

pytestmark = pytest.mark.django_db
POINTS = points(60)
TABLES = (Instance, InstanceAddress, InstanceTag, SystemEvent)


class Died(BaseException):
    pass


def reading(dice):
    """A fleet that changes a little each time."""
    infos = [
        ecs.InstanceInfo(
            f"i-{number}",
            HANGZHOU,
            name=f"n{dice.randrange(3)}",
            private_ips=(f"10.0.0.{number}",),
            tags=(("k", str(dice.randrange(3))),),
        )
        for number in range(40)
        if dice.random() > 0.03
    ]
    events = [
        ecs.EventInfo(f"e-{number}", f"i-{number}", "X", dice.choice(ecs.EVENT_STATUSES))
        for number in range(8)
    ]
    return sync.Reading(infos, [], events)


def everything():
    return [list(model.objects.order_by("pk").values()) for model in TABLES]


def killer(point):
    left = iter(range(point, -1, -1))

    def execute(run, sql, params, many, context):
        if next(left, 0) == 0:
            raise Died
        return run(sql, params, many, context)

    return connection.execute_wrapper(execute)


def test_at_any_of_its_statements():
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    dice, region, died = random.Random(seed), region_named(), 0
    while died < POINTS:
        before, wanted = everything(), reading(dice)
        try:
            # One look in a few has fewer statements than this, and outlives it.
            with transaction.atomic(), killer(dice.randrange(34)):
                sync.keep(claimed(region), wanted, timezone.now())
        except Died:
            died += 1
            assert everything() == before
            sync.keep(claimed(region), wanted, timezone.now())
        seen = set(Instance.objects.filter(missed_at=None).values_list("instance_id", flat=True))
        assert seen >= {info.instance_id for info in wanted.instances}
        assert Region.objects.get().instance_count == Instance.objects.present().count()
