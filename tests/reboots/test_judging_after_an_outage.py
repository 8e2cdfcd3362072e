"""Nobody may have looked for an hour: whoever runs is asked before anything is said of it."""

from tests.reboots.driving import approved, asked, outcomes, over, settle, time_passes, until_stage


def test_a_machine_that_came_back_while_no_worker_lived_is_proven(fleet):
    rows = fleet.rows[:2]
    batch = approved(asked(rows))
    until_stage(batch, "proving")
    settle()
    time_passes(batch, 3600)
    over(batch)
    assert outcomes(batch) == ["proven", "proven"]
    assert batch.items.filter(late_at=None).count() == 2
