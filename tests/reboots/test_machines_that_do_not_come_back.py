"""The verdict says what can be seen from outside, whatever became of the machine."""

import pytest

from tests.reboots.driving import approved, asked, outcomes, over


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ({"kind": "no_return", "status": "Starting"}, "not_back"),
        ({"kind": "no_return", "status": "Running"}, "unverified"),  # looks like a lost agent
        ({"kind": "lost_agent"}, "unverified"),
        ({"kind": "same_boot"}, "same_boot"),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else value,
)
def test_whoever_is_not_proven_gets_the_verdict_of_what_was_seen(fleet, fault, verdict):
    bad, good = rows = fleet.rows[:2]
    fleet.simulator.faults(fault | {"instance": bad.instance_id})
    batch = over(approved(asked(rows, max_errors="1")))
    assert outcomes(batch) == [verdict, "proven"]
    assert [fleet.counted("reboots", row) for row in rows] == [1, 1]
    assert batch.ending == "done"
