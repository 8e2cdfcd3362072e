"""A batch begins with somebody else's yes to exactly it; by no way with one's own."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from commands import approvals
from commands.models import Approval, RebootBatch
from instances.models import InstanceTag
from portal.audit.models import AuditEntry
from portal.transitions import WrongState
from tests.factories import AccountFactory, ScopeFactory, a_person
from tests.reboots.driving import a_script
from tests.reboots.waiting import instances, kept, looked_at, waiting

pytestmark = pytest.mark.django_db


def say(approval: Approval, by, yes: bool = True, **how) -> Approval:
    return approvals.decide(approval, by=by, yes=yes, comment="go", via="page", **how)


def state(approval: Approval) -> tuple[str, str]:
    batch = RebootBatch.objects.get(pk=approval.batch_id)
    return Approval.objects.get(pk=approval.pk).state, batch.cleared


def refused(approval: Approval, by, kind=PermissionDenied, **how) -> str:
    with pytest.raises(kind) as refusal:
        say(approval, by, **how)
    assert state(approval) == ("waiting", "")
    return str(refusal.value)


def test_somebody_elses_yes_clears_it_and_is_on_record():
    approval, manager = waiting(), a_person("manager")
    say(approval, manager)
    assert state(approval) == ("approved", "all")
    entry = AuditEntry.objects.get(act="approval.given")
    assert (entry.actor, entry.details["digest"]) == (manager, approval.digest)


def test_a_no_ends_it_for_good():
    approval = waiting()
    say(approval, a_person("manager"), yes=False)
    batch = approval.batch
    batch.refresh_from_db()
    assert (batch.state, batch.ending, batch.cleared) == ("finished", "rejected", "")
    assert set(batch.items.values_list("outcome", flat=True)) == {"not_started"}
    with pytest.raises(WrongState):
        say(approval, a_person("manager"))


def test_ones_own_yes_counts_for_nothing():
    asker = a_person("manager")
    assert "asks" in refused(waiting(by=asker), asker)


def test_a_superuser_is_no_exception():
    root = User.objects.create_superuser("root")
    refused(waiting(by=root), root)


@pytest.mark.parametrize("which", ["pre", "post"])
def test_whoever_wrote_one_of_its_scripts_cannot_approve_it(which):
    writer = a_person("manager")
    told = {f"{which}_script": a_script("true"), f"{which}_revision": kept(writer)}
    approval = waiting(**told)
    assert "wrote" in refused(approval, writer)
    say(approval, a_person("manager"))
    assert state(approval) == ("approved", "all")


def test_nor_can_who_lacks_the_right_or_does_not_see_all_of_it():
    approval = waiting()
    refused(approval, a_person("operator"))
    narrow = a_person("manager", region="ap-southeast-1")
    refused(approval, narrow)
    inactive = a_person("manager")
    inactive.is_active = False
    refused(approval, inactive)


def test_where_two_are_needed_a_second_word_of_the_same_person_is_none(settings):
    settings.REBOOT_TWO_ABOVE = 2
    approval, first = waiting(), a_person("manager")
    assert approval.quorum == 2
    say(approval, first)
    refused(approval, first)
    say(approval, a_person("manager"))
    assert state(approval) == ("approved", "all")


def test_of_two_the_more_careful_counts(settings):
    settings.REBOOT_TWO_ABOVE = 2
    approval = waiting(canary=1)
    one, two, _three = approval.batch.items.order_by("pk").values_list("pk", flat=True)
    say(approval, a_person("manager"), canary_only=True, may_shrink=5, accepted=[one, two])
    say(approval, a_person("manager"), may_shrink=30, accepted=[two])
    batch = RebootBatch.objects.get()
    assert (batch.cleared, batch.may_shrink) == ("canary", 5)
    assert list(batch.items.filter(accepted=True).values_list("pk", flat=True)) == [two]


def test_a_yes_to_something_that_changed_since_is_none():
    approval = waiting()
    RebootBatch.objects.update(way="force")
    assert "changed" in refused(approval, a_person("manager"), WrongState)


def test_a_yes_after_its_time_is_none():
    approval = waiting()
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "expired" in refused(approval, a_person("manager"), WrongState)


def test_a_yes_on_an_old_look_is_none_and_has_a_new_one_made():
    approval = waiting()
    RebootBatch.objects.update(checked_at=timezone.now() - timedelta(minutes=6), due_at=None)
    refused(approval, a_person("manager"), WrongState)
    batch = RebootBatch.objects.get()
    assert batch.look_at is not None
    assert batch.due_at is not None
    looked_at(batch)
    say(approval, a_person("manager"))


def test_a_canary_that_is_not_there_cannot_be_approved_alone():
    refused(waiting(canary=0), a_person("manager"), WrongState, canary_only=True)


def test_a_share_above_the_whole_is_refused():
    refused(waiting(), a_person("manager"), may_shrink=101)


def test_a_window_from_another_zone_is_the_same_window():
    from zoneinfo import ZoneInfo

    opens = timezone.now().astimezone(ZoneInfo("Asia/Shanghai"))
    approval = waiting(opens_at=opens, closes_at=opens + timedelta(hours=8))
    say(approval, a_person("manager"))
    assert state(approval) == ("approved", "all")


def the_first_of(rows, by) -> dict[str, object]:
    """A part of the fleet that has the first of the rows, and no other."""
    if by == "account":
        rows[1].account = AccountFactory(name="other")
        rows[1].save()
        return {"account": rows[0].account}
    InstanceTag.objects.create(instance=rows[0], key="team", value="shop")
    InstanceTag.objects.create(instance=rows[1], key="team", value="bank")
    return {"tag_key": "team", "tag_value": "shop"}


@pytest.mark.parametrize("by", ["account", "tag"])
def test_one_instance_outside_ones_part_of_the_fleet_is_enough(by, client):
    rows = instances(2)
    part = the_first_of(rows, by)
    operator, manager = a_person("operator", **part), a_person("manager", **part)
    with pytest.raises(PermissionDenied, match="instances that you do not see"):
        waiting(by=operator, rows=rows)
    assert waiting(by=operator, rows=rows[:1]).batch.size == 1
    rows[1].name, rows[1].charge_type = "vault", "SpotAsPriceGo"
    rows[1].save()
    approval = waiting(rows=rows)
    assert "do not see" in refused(approval, manager)
    client.force_login(manager)
    page = client.get(approval.get_absolute_url()).text
    assert "1 of its instances are outside the part of the fleet that you see" in page
    assert "vault" not in page


def test_nobody_asks_for_instances_that_they_do_not_see():
    narrow = a_person("operator", region="ap-southeast-1")
    with pytest.raises(PermissionDenied):
        waiting(by=narrow, rows=instances(1))
    viewer = a_person("viewer")
    ScopeFactory(user=viewer)
    with pytest.raises(PermissionDenied):
        waiting(by=viewer)
