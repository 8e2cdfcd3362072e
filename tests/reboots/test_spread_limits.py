"""No more of a group is down at once than was said: over waves, over batches, and whoever of it
has not come back counts as down."""

import pytest

from commands.reboots import shown
from tests.reboots.driving import (
    approved,
    asked,
    outcomes,
    over,
    settle,
    time_passes,
    turn,
    until_stage,
)

QUARTER = {"spread": {"app": 25}, "max_errors": "100%"}


@pytest.fixture
def shop(fleet):
    """Four machines: a quarter of them is one."""
    found = [row for row in fleet.rows if row.tags.filter(key="app", value="shop").exists()]
    assert len(found) == 4
    return found


def down(batch) -> list[int]:
    return [wave.items.count() for wave in batch.waves.order_by("number")]


def test_each_wave_takes_no_more_of_a_group(fleet, shop):
    batch = over(approved(asked(shop[:2], **QUARTER)))
    assert outcomes(batch) == ["proven"] * 2
    assert down(batch) == [1, 1]


def test_what_another_batch_has_down_counts(fleet, shop):
    first, second = approved(asked(shop[:1])), approved(asked(shop[1:2], **QUARTER))
    until_stage(first, "power", "proving")
    turn()
    assert outcomes(second) == ["planned"]
    assert "the spread limits hold those that are left back" in shown.waits_for(second)
    over(first)
    assert outcomes(over(second)) == ["proven"]


def test_whoever_did_not_come_back_counts_until_it_does(fleet, shop):
    lost, other = shop[:2]
    fleet.simulator.faults(
        {"kind": "no_return", "status": "Starting", "instance": lost.instance_id}
    )
    batch = approved(asked([lost, other], **QUARTER))
    until_judged(batch)
    turn(), turn()
    assert outcomes(batch) == ["not_back", "planned"]
    assert "the spread limits hold those that are left back" in shown.waits_for(batch)
    fleet.simulator.change(lost.instance_id, status="Running", agent="running")
    over(batch)
    assert outcomes(batch) == ["not_back", "proven"]


def until_judged(batch) -> None:
    """Carry on until the first has its verdict."""
    until_stage(batch, "proving")
    settle()
    time_passes(batch, 3600)
    while not batch.items.exclude(verdict="").exists():
        turn()
