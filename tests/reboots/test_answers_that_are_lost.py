"""Whether the power call happened is settled by looking at the machine, never by calling again."""

import pytest

from tests.reboots.driving import approved, asked, outcomes, over

LOST = {"kind": "lost", "operation": "RebootInstances"}
NEVER_HEARD = {"kind": "reset", "operation": "RebootInstances"}
BROKEN = {"kind": "error", "operation": "RebootInstances"}
PAGE = {"kind": "html", "operation": "RebootInstances"}
BENT = {"kind": "shape", "operation": "RebootInstances"}


@pytest.mark.parametrize(
    ("fault", "reboots", "verdict"),
    [
        (LOST, 1, "proven"),
        (BENT, 1, "proven"),
        (NEVER_HEARD, 0, "same_boot"),
        (BROKEN, 0, "same_boot"),
        (PAGE, 0, "same_boot"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else str(value),
)
def test_a_call_without_an_answer_is_made_once(fleet, fault, reboots, verdict):
    rows = fleet.rows[:2]
    batch = approved(asked(rows, max_errors="100%"))
    fleet.simulator.faults(fault)
    over(batch)
    assert outcomes(batch) == [verdict] * 2
    assert [fleet.counted("reboots", row) for row in rows] == [reboots] * 2
    assert all(batch.items.values_list("in_doubt", flat=True))
