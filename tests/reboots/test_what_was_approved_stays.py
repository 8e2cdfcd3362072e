"""After the yes somebody writes past the code: nothing that nobody said yes to goes down."""

import pytest
from django.db import connection

from tests.reboots.driving import approved, asked, outcomes, over, reasons, until_stage

CHANGES = [
    "update commands_rebootbatch set way = 'force'",
    "update commands_rebootbatch set max_errors = '100%'",
    "update commands_rebootbatch set closes_at = '2099-01-01 00:00:00+00:00'",
    "update commands_rebootitem set accepted = true where place = 1",
    "delete from commands_rebootitem where place = 1",
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("when", ["before it begins", "right before the power call"])
def test_it_ends_before_anything_goes_down(fleet, change, when):
    rows = fleet.rows[:2]
    batch = approved(asked(rows))
    if when == "right before the power call":
        until_stage(batch, "power")
    with connection.cursor() as cursor:
        cursor.execute(change)
    over(batch)
    assert batch.ending == "changed"
    assert set(outcomes(batch)) == {"not_started"}
    assert reasons(batch)[0] == "The batch is no longer what was approved."
    assert [fleet.counted("reboots", row) for row in rows] == [0, 0]
