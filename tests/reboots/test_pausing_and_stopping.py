"""What is down is followed to its proof; what is not, waits or stays up."""

import uuid
from dataclasses import replace
from datetime import timedelta

from django.db.models import F

from commands.models import Invocation, RebootWave
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


def test_whoever_nobody_reads_is_looked_at_anew_where_the_power_call_was_held_up(fleet):
    row = fleet.rows[0]
    batch = approved(asked([row], way="stop"))
    wave = until_stage(batch, "power")
    RebootWave.objects.filter(pk=wave.pk).update(looked_at=F("looked_at") - timedelta(hours=1))
    fleet.simulator.change(row.instance_id, released=True)
    over(batch)
    assert outcomes(batch) == ["skipped"]
    assert fleet.counted("stops", row) == 0


def test_whoever_falls_silent_in_a_pause_and_was_accepted_goes_down_without_proof(fleet):
    row = fleet.rows[0]
    batch = asked([row], max_errors="1")
    batch = approved(batch, accepted=[batch.items.get().pk])
    wave = until_stage(batch, "power")
    steering.pause(batch, by=a_person("operator"), via="page")
    turn()
    runs = Invocation.objects.filter(wave_run__wave=wave)
    runs.update(finished_at=F("finished_at") - timedelta(hours=1))
    fleet.simulator.change(row.instance_id, agent="stopped", for_seconds=600)
    steering.resume(batch, by=a_person("operator"), via="page")
    over(batch)
    assert outcomes(batch) == ["unverified"]
    assert fleet.counted("reboots", row) == 1


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
