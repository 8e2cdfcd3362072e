"""What is down is followed to its proof; what is not, waits or stays up."""

import uuid
from dataclasses import replace

from commands.reboots import steering
from tests.factories import a_person
from tests.reboots.driving import a_script, approved, asked, outcomes, over, turn, until_stage


def test_whoever_was_prepared_before_a_pause_is_read_again_after_it(fleet):
    row = fleet.rows[0]
    batch = approved(asked([row], pre_script=a_script("echo once")))
    until_stage(batch, "power")
    before = batch.items.get().before_boot_id
    steering.pause(batch, by=a_person("operator"), via="page")
    turn()
    assert outcomes(batch) == ["preparing"]
    machine = fleet.machine(row)  # somebody else reboots it meanwhile
    machine.boot = replace(machine.boot, boot_id=str(uuid.uuid4()))
    ran = fleet.counted("runs", row)
    steering.resume(batch, by=a_person("operator"), via="page")
    until_stage(batch, "power")
    assert batch.items.get().before_boot_id != before
    over(batch)
    assert outcomes(batch) == ["proven"]
    assert fleet.counted("reboots", row) == 1
    assert fleet.counted("runs", row) - ran == 2  # both probes; the pre-command ran before


def test_while_it_is_paused_nobody_goes_down(fleet):
    batch = approved(asked(fleet.rows[:2]))
    steering.pause(batch, by=a_person("operator"), via="page")
    for _ in range(5):
        turn()
    assert outcomes(batch) == ["planned", "planned"]
    steering.resume(batch, by=a_person("operator"), via="page")
    assert outcomes(over(batch)) == ["proven", "proven"]


def test_after_a_stop_only_those_that_were_down_already_are_followed(fleet):
    rows = fleet.rows[:3]
    batch = approved(asked(rows, sizes=["2"]))
    until_stage(batch, "proving")
    steering.stop(batch, by=a_person("operator"), via="page")
    over(batch)
    assert outcomes(batch) == ["proven", "proven", "not_started"]
    assert batch.ending == "stopped"


def test_a_stop_before_the_power_call_runs_no_script_any_more(fleet):
    row = fleet.rows[0]
    batch = approved(asked([row], pre_script=a_script("echo drain")))
    until_stage(batch, "checking")
    steering.stop(batch, by=a_person("operator"), via="page")
    over(batch)
    assert outcomes(batch) == ["not_started"]
    assert (fleet.counted("runs", row), fleet.counted("reboots", row)) == (0, 0)


def test_a_batch_that_waits_for_approval_ends_with_a_stop_and_cannot_be_approved(fleet):
    batch = asked(fleet.rows[:1])
    steering.stop(batch, by=a_person("operator"), via="page")
    batch.refresh_from_db()
    assert (batch.state, batch.ending) == ("finished", "stopped")
    assert list(batch.approvals.values_list("state", flat=True)) == ["rejected"]
