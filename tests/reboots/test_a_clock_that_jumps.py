"""A host's clock may jump by hours: no machine is asked for again, and nothing untrue is said."""

from datetime import timedelta

import time_machine
from django.utils import timezone

from tests.reboots.driving import approved, asked, outcomes, over, settle, turn, until_stage


def test_a_jump_ahead_between_the_power_call_and_the_proof_changes_no_verdict(fleet):
    rows = fleet.rows[:2]
    batch = approved(asked(rows))
    until_stage(batch, "proving")
    settle()
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        over(batch)
    assert outcomes(batch) == ["proven", "proven"]
    assert [fleet.counted("reboots", row) for row in rows] == [1, 1]


def test_a_jump_back_costs_time_and_no_second_call(fleet):
    row = fleet.rows[0]
    batch = approved(asked([row]))
    until_stage(batch, "proving")
    settle()
    with time_machine.travel(timezone.now() - timedelta(hours=3)):
        for _ in range(3):
            turn()
        assert outcomes(batch) == ["asked"]
    over(batch)
    assert (outcomes(batch), fleet.counted("reboots", row)) == (["proven"], 1)


def test_a_jump_before_the_power_call_has_the_boot_read_again(fleet):
    row = fleet.rows[0]
    batch = approved(asked([row]))
    until_stage(batch, "power")
    ran = fleet.counted("runs", row)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        turn()
        assert outcomes(batch) == ["preparing"]
        over(batch)
        assert outcomes(batch) == ["proven"]
    assert fleet.counted("runs", row) - ran == 2  # once more before, and after
    assert fleet.counted("reboots", row) == 1
