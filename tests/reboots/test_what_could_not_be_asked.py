"""A region that does not answer while somebody has to decide: which one, and what that means."""

import pytest
from django.core.management.base import CommandError

from commands import approvals
from commands.models import RebootBatch
from commands.reboots import approving, shown
from instances import ecs
from portal.transitions import WrongState
from tests.factories import a_person
from tests.reboots.driving import approved, asked, outcomes, over, turn
from tests.reboots.test_the_reboots_command import reboots
from tests.reboots.test_two_people import say


@pytest.fixture
def rows(fleet):
    """One instance in each of two regions."""
    regions = sorted({row.region for row in fleet.rows})
    return [next(row for row in fleet.rows if row.region == name) for name in regions]


@pytest.fixture
def silent(monkeypatch) -> set[str]:
    """The regions of which ECS tells nothing."""
    told, regions = ecs.instances, set()

    def instances(account, region, **which):
        if region in regions:
            raise ecs.NoAnswer("silence")
        return told(account, region, **which)

    monkeypatch.setattr(ecs, "instances", instances)
    return regions


@pytest.fixture
def batch(rows, silent):
    silent.add(rows[1].region)
    made = asked(rows)
    RebootBatch.objects.update(checked_at=None)
    turn()
    made.refresh_from_db()
    return made


def test_the_page_names_the_region_and_what_it_means_for_the_decision(batch, rows, client):
    client.force_login(a_person("manager"))
    page = client.get(batch.approvals.get().get_absolute_url()).text
    assert f"ECS could not be asked about 1 instance in {rows[1].region}" in page
    assert "silence" in page
    assert "A yes is not taken before it answers" in page
    assert "A no is taken at any time" in page
    assert "ECS could not be asked" in client.get(batch.get_absolute_url()).text


def test_a_yes_is_refused_with_the_same_words_and_a_no_is_taken(batch):
    approval, manager = batch.approvals.get(), a_person("manager")
    with pytest.raises(WrongState, match="could not be asked about 1 instance"):
        say(approval, manager)
    approvals.decide(approval, by=manager, yes=False, comment="", via="page")
    batch.refresh_from_db()
    assert (batch.ending, outcomes(batch)) == ("rejected", ["not_started"] * 2)


def test_it_is_asked_again_by_itself_and_with_the_answer_a_yes_counts(batch, silent):
    assert batch.due_at is not None
    silent.clear()
    over(approved(batch))
    assert outcomes(batch) == ["proven", "proven"]
    assert batch.look_problems == []


def test_nobody_asks_on_for_what_was_refused(batch):
    approvals.decide(
        batch.approvals.get(), by=a_person("manager"), yes=False, comment="", via="page"
    )
    turn(), turn()
    batch.refresh_from_db()
    assert batch.due_at is None


def test_the_command_says_so_too(batch, monkeypatch):
    looks = approving.ask_for_a_look
    monkeypatch.setattr(approving, "ask_for_a_look", lambda batch: looks(batch) or turn())
    with pytest.raises(CommandError, match="could not be asked about 1 instance") as refusal:
        reboots("approve", str(batch.pk), "--as", a_person("manager").username)
    assert refusal.value.returncode == 4


def test_a_wave_says_so_and_leaves_out_who_stays_unknown(fleet, rows, silent):
    batch = approved(asked(rows))
    silent.add(rows[1].region)
    turn(), turn()
    assert "ECS could not be asked" in shown.waits_for(batch)
    batch.waves.update(deadline="2020-01-01T00:00:00Z")
    over(batch)
    assert outcomes(batch) == ["proven", "skipped"]
    assert fleet.counted("reboots", rows[1]) == 0
