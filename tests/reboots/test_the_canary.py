"""The canary goes first; where it is not proven, a person has to look before others follow."""

import pytest

from commands.models import RebootBatch
from commands.reboots import steering
from tests.factories import a_person
from tests.reboots.driving import approved, asked, outcomes, over, until_stage
from tests.sizes import long_only


def test_a_canary_that_is_not_proven_pauses_the_batch(fleet):
    rows = fleet.rows[:3]
    fleet.simulator.faults({"kind": "same_boot", "instance": rows[0].instance_id})
    batch = over(approved(asked(rows, canary=1, max_errors="100%")))
    assert batch.state == "paused"
    assert "same boot" in batch.paused_why
    assert outcomes(batch) == ["same_boot", "planned", "planned"]
    steering.resume(batch, by=a_person("operator"), via="page")
    over(batch)
    assert outcomes(batch) == ["same_boot", "proven", "proven"]


def test_who_approved_the_canary_only_is_asked_again_for_the_rest(fleet):
    rows = fleet.rows[:3]
    batch = over(approved(asked(rows, canary=1), canary_only=True))
    assert (batch.state, batch.cleared) == ("paused", "canary")
    assert outcomes(batch) == ["proven", "planned", "planned"]
    over(approved(batch))
    assert outcomes(batch) == ["proven"] * 3
    assert [fleet.counted("reboots", row) for row in rows] == [1, 1, 1]


@pytest.mark.parametrize(
    "resumed", ["while it goes on", pytest.param("when it is over", marks=long_only)]
)
def test_a_pause_by_hand_during_the_canary_ends_in_the_same_question(fleet, resumed):
    rows = fleet.rows[:2]
    batch = approved(asked(rows, canary=1), canary_only=True)
    until_stage(batch, "power")
    steering.pause(batch, by=a_person("operator"), via="page")
    if resumed == "when it is over":
        RebootBatch.objects.update(state="running")  # it goes down before the pause is seen
        until_stage(batch, "proving")
        RebootBatch.objects.update(state="paused", paused_why="Paused by op.")
        over(batch)
        assert outcomes(batch) == ["proven", "planned"]
    steering.resume(batch, by=a_person("operator"), via="page")
    over(batch)
    assert outcomes(batch) == ["proven", "planned"]
    assert batch.paused_why == "The canary is over; the rest waits for approval."
    over(approved(batch))
    assert outcomes(batch) == ["proven", "proven"]
    assert [fleet.counted("reboots", row) for row in rows] == [1, 1]


def test_every_batch_may_wait_for_a_person_and_the_first_alone_too(fleet):
    first = over(approved(asked(fleet.rows[:2], sizes=["1"], pause_option="FirstBatchPause")))
    assert outcomes(first) == ["proven", "planned"]
    steering.resume(first, by=a_person("operator"), via="page")
    assert outcomes(over(first)) == ["proven", "proven"]
    every = over(approved(asked(fleet.rows[2:5], sizes=["1"], pause_option="EveryBatchPause")))
    steering.resume(every, by=a_person("operator"), via="page")
    assert outcomes(over(every)) == ["proven", "proven", "planned"]
