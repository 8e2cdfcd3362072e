"""A rehearsal does everything but the pre-command and the power call."""

from tests.reboots.driving import a_script, approved, asked, outcomes, over


def test_a_rehearsal_takes_nothing_down_and_runs_no_script_of_ours(fleet):
    rows = fleet.rows[:3]
    told = {"pre_script": a_script("echo drain"), "post_script": a_script("exit 1")}
    batch = over(approved(asked(rows, sizes=["2"], canary=1, rehearsal=True, **told)))
    assert outcomes(batch) == ["rehearsed"] * 3
    assert [fleet.counted("reboots", row) for row in rows] == [0, 0, 0]
    assert [fleet.counted("runs", row) for row in rows] == [1, 1, 1]  # the probe
    assert all(batch.items.values_list("before_boot_id", flat=True))
