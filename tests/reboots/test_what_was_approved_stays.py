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
from tests.sizes import long_only

CHANGES = [
    "update commands_rebootbatch set way = 'force'",
    "update commands_rebootbatch set max_errors = '100%'",
    "update commands_rebootbatch set closes_at = '2099-01-01 00:00:00+00:00'",
    "update commands_rebootitem set accepted = true where place = 1",
    "delete from commands_rebootitem where place = 1",
]


@pytest.mark.parametrize("change", CHANGES)
def test_it_ends_before_anything_goes_down(fleet, change):
    ends(fleet, change, approved(asked(fleet.rows[:2])))


@pytest.mark.parametrize(
    "change", [CHANGES[0], *(pytest.param(change, marks=long_only) for change in CHANGES[1:])]
)
def test_right_before_the_power_call_too(fleet, change):
    batch = approved(asked(fleet.rows[:2]))
    until_stage(batch, "power")
    ends(fleet, change, batch)


def ends(fleet, change, batch) -> None:
    with connection.cursor() as cursor:
        cursor.execute(change)
    over(batch)
    assert batch.ending == "changed"
    assert set(outcomes(batch)) == {"not_started"}
    assert reasons(batch)[0] == "The batch is no longer what was approved."
    assert [fleet.counted("reboots", row) for row in fleet.rows[:2]] == [0, 0]


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
