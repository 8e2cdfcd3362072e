"""A late return is added to the item; the verdict stays what it was."""

from datetime import timedelta

from django.db.models import F

from commands.models import RebootWave
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


def test_a_machine_that_comes_back_late_is_noted_and_stays_not_back(fleet):
    row = fleet.rows[0]
    fleet.simulator.faults({"kind": "late_return", "seconds": 0.6, "instance": row.instance_id})
    batch = approved(asked([row]))
    until_stage(batch, "proving")
    turn()
    time_passes(batch, 3600)
    over(batch)
    assert outcomes(batch) == ["not_back"]
    item = batch.items.get()
    assert item.late_at is None
    settle()
    for _ in range(20):
        turn()
    item.refresh_from_db()
    assert item.late_boot_id == fleet.machine(row).boot.boot_id
    assert (item.verdict, item.outcome) == ("not_back", "not_back")
    assert fleet.counted("reboots", row) == 1
    assert RebootWave.objects.get().stage == "over"


def test_after_a_day_nobody_looks_for_it_any_more(fleet):
    row = fleet.rows[0]
    fleet.simulator.faults({"kind": "no_return", "status": "Starting", "instance": row.instance_id})
    batch = over(approved(asked([row])))
    wave = until_stage(batch, "late")
    RebootWave.objects.filter(pk=wave.pk).update(ended_at=F("ended_at") - timedelta(days=2))
    turn()
    wave.refresh_from_db()
    assert (wave.stage, wave.due_at) == ("over", None)
