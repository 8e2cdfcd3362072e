"""Errors are counted as OOS counts them, and more than allowed stop the rest."""

from tests.reboots.driving import approved, asked, outcomes, over, reasons


def bad(fleet, *rows):
    for row in rows:
        fleet.simulator.faults({"kind": "same_boot", "instance": row.instance_id})


def test_one_error_more_than_allowed_stops_the_rest(fleet):
    rows = fleet.rows[:6]
    bad(fleet, rows[0], rows[3])
    batch = over(approved(asked(rows, sizes=["2"], max_errors="1")))
    assert outcomes(batch) == ["same_boot", "proven", "proven", "same_boot", *["not_started"] * 2]
    assert batch.ending == "budget"
    assert reasons(batch)[4] == "More errors than the batch was allowed."
    assert [fleet.counted("reboots", row) for row in rows] == [1, 1, 1, 1, 0, 0]


def test_as_many_as_allowed_do_not(fleet):
    rows = fleet.rows[:4]
    bad(fleet, rows[0])
    batch = over(approved(asked(rows, sizes=["2"], max_errors="25%")))
    assert outcomes(batch) == ["same_boot", "proven", "proven", "proven"]
    assert batch.ending == "done"


def test_in_mode_concurrency_whoever_is_being_prepared_stays_up_too(fleet):
    from tests.reboots.driving import until_stage

    rows = fleet.rows[:3]
    batch = approved(asked(rows, mode="Concurrency", sizes=["2"], max_errors="0"))
    until_stage(batch, "power")  # both are in their first wave
    batch.items.filter(instance=rows[0]).update(state="over", outcome="pre_failed")
    over(batch)
    assert outcomes(batch) == ["pre_failed", "not_started", "not_started"]
    assert [fleet.counted("reboots", row) for row in rows] == [0, 0, 0]
