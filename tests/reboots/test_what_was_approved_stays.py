"""After the yes somebody writes past the code: nothing that nobody said yes to goes down."""

import pytest
from django.db import connection
from django.utils import timezone

from commands.models import RebootBatch
from commands.reboots import preflight
from commands.reboots.frozen import digest_of
from tests.factories import a_person
from tests.reboots.driving import approved, asked, draft, outcomes, over, reasons, until_stage
from tests.reboots.test_walls_in_the_database import APPROVE, CLEAR, DECIDE, sql

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


def test_a_yes_in_anothers_name_that_was_written_past_the_portal_counts_for_nothing(fleet):
    rows = fleet.rows[:2]
    batch = asked(rows)
    approval = batch.approvals.get()
    sql(DECIDE, approval.pk, a_person("manager").pk, True, False)
    sql(APPROVE, approval.pk)
    sql(CLEAR, "all", batch.pk)
    batch.wake()
    assert over(batch).ending == "changed"
    assert [fleet.counted("reboots", row) for row in rows] == [0, 0]


def test_an_emergency_that_was_written_past_the_portal_is_none(fleet):
    row, person = fleet.rows[0], a_person("operator")
    batch = draft(emergency=True, size=1, asked_by=person, cleared="all", state="ready")
    batch.save()
    facts = preflight.facts_of([row])[row.pk]
    batch.items.create(instance=row, place=0, facts=facts, accepted=True)
    RebootBatch.objects.update(digest=digest_of(batch), due_at=timezone.now())
    assert over(batch).ending == "changed"
    assert fleet.counted("reboots", row) == 0
