"""Whoever writes past the code, with SQL of their own, meets the same two people."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from commands import approvals
from commands.models import Decision, RebootItem, RebootWave
from tests.factories import a_person
from tests.reboots.driving import a_script, draft
from tests.reboots.waiting import instances, kept, waiting

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def sql(statement: str, *values) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def refused(statement: str, *values, says: str) -> None:
    with pytest.raises(IntegrityError, match=says):
        sql(statement, *values)


DECIDE = (
    "insert into commands_decision (approval_id, person_id, yes, canary_only, accepted, comment,"
    " at) values (%s, %s, %s, %s, '[]', '', current_timestamp)"
)
APPROVE = "update commands_approval set state = 'approved' where id = %s"
CLEAR = "update commands_rebootbatch set cleared = %s, state = 'ready' where id = %s"
MOVE = "update commands_rebootitem set state = %s where id = %s"
ASKED = "update commands_rebootitem set state = 'asked', asked_at = current_timestamp where id = %s"


def test_nobody_decides_their_own_request_though_the_row_hides_who_asked():
    asker = a_person("manager")
    approval = waiting(by=asker)
    refused(DECIDE, approval.pk, asker.pk, True, False, says="cannot decide")


def test_nor_a_script_of_their_own():
    writer = a_person("manager")
    approval = waiting(post_script=a_script("true"), post_revision=kept(writer))
    refused(DECIDE, approval.pk, writer.pk, True, False, says="cannot decide")


def test_nor_by_a_rule_of_their_own():
    from commands.models import AutoPass

    asker = a_person("manager")
    rule = AutoPass.objects.create(name="mine", tag_key="a", tag_value="b", at_most=5, author=asker)
    approval, other = waiting(by=asker), a_person("manager")
    with pytest.raises(IntegrityError, match="cannot decide"), transaction.atomic():
        Decision.objects.create(approval=approval, rule=rule, rule_author=other, yes=True)


def test_an_approval_takes_as_many_others_as_it_needs():
    approval = waiting()
    refused(APPROVE, approval.pk, says="too few others")
    sql(DECIDE, approval.pk, a_person("manager").pk, False, False)
    refused(APPROVE, approval.pk, says="too few others")
    sql(DECIDE, approval.pk, a_person("manager").pk, True, False)
    sql(APPROVE, approval.pk)


@pytest.mark.parametrize("change", ["quorum = 1", "digest = 'x'", "requester_id = null"])
def test_what_it_takes_is_never_changed(change):
    approval = waiting()
    sql("update commands_approval set quorum = 2 where id = %s", approval.pk)  # more may be asked
    refused(f"update commands_approval set {change} where id = %s", approval.pk, says="never")


def test_a_word_is_never_changed():
    approval = waiting()
    approvals.decide(approval, by=a_person("manager"), yes=False, comment="", via="page")
    said = Decision.objects.get()
    refused("update commands_decision set yes = true where id = %s", said.pk, says="never changed")
    refused(APPROVE, approval.pk, says="never|too few")


@pytest.mark.parametrize("cleared", ["all", "canary"])
def test_no_batch_is_cleared_that_nobody_approved(cleared):
    batch = waiting(canary=1).batch
    refused(CLEAR, cleared, batch.pk, says="nobody has approved")


def test_who_approved_the_canary_has_not_approved_the_rest():
    approval = waiting(canary=1)
    approvals.decide(
        approval, by=a_person("manager"), yes=True, comment="", via="page", canary_only=True
    )
    refused(CLEAR, "all", approval.batch_id, says="nobody has approved")


def test_no_batch_is_made_cleared_or_turned_into_an_emergency():
    batch = draft(cleared="all", state="ready")
    with pytest.raises(IntegrityError, match="nobody has approved"), transaction.atomic():
        batch.save()
    batch = waiting(rows=instances(1)).batch
    refused(
        "update commands_rebootbatch set emergency = true where id = %s", batch.pk, says="never"
    )


def test_nothing_goes_down_that_nobody_approved():
    item = waiting().batch.items.first()
    refused(MOVE, "preparing", item.pk, says="nobody has approved")
    refused(ASKED, item.pk, says="nobody has approved")


def cleared_item():
    approval = waiting()
    approvals.decide(approval, by=a_person("manager"), yes=True, comment="", via="page")
    return approval.batch.items.first()


@pytest.mark.parametrize("back", ["planned", "preparing"])
def test_no_way_leads_back_from_the_power_call(back):
    item = cleared_item()
    sql(MOVE, "preparing", item.pk)
    sql(ASKED, item.pk)
    refused(MOVE, back, item.pk, says="no way leads back")
    sql(
        "update commands_rebootitem set state = 'over', outcome = 'proven', verdict = 'verified'"
        " where id = %s",
        item.pk,
    )
    for state in (back, "asked", "checking"):
        refused(
            f"update commands_rebootitem set state = '{state}', outcome = '' where id = %s",
            item.pk,
            says="no way leads back",
        )
    refused(
        "update commands_rebootitem set verdict = 'not_back' where id = %s",
        item.pk,
        says="never overwritten",
    )


def test_no_instance_joins_what_was_asked_for_or_takes_anothers_place():
    item, (other,) = waiting().batch.items.first(), instances(1)
    with pytest.raises(IntegrityError, match="no instance joins"), transaction.atomic():
        type(item).objects.create(batch=item.batch, instance=other, place=9)
    refused(
        "update commands_rebootitem set instance_id = %s where id = %s",
        other.pk,
        item.pk,
        says="no way",
    )


def test_the_canary_is_no_more_than_was_said():
    approval = waiting(canary=1)
    how = {"comment": "", "via": "page", "canary_only": True}
    approvals.decide(approval, by=a_person("manager"), yes=True, **how)
    batch = approval.batch
    wave = RebootWave.objects.create(batch=batch, number=1, canary=True)
    first, second, _third = batch.items.order_by("place")
    go = "update commands_rebootitem set state = 'preparing', wave_id = %s where id = %s"
    sql(go, wave.pk, first.pk)
    refused(go, wave.pk, second.pk, says="nobody has approved")
    refused(
        "update commands_rebootitem set state = 'preparing', wave_id = %s where batch_id = %s"
        " and state = 'planned'",
        wave.pk,
        batch.pk,
        says="nobody has approved",
    )


def test_an_emergency_is_of_one_instance():
    (row, other), now = instances(2), timezone.now()
    batch = draft(emergency=True, size=1, asked_by=a_person("manager"), closes_at=now + HOUR)
    batch.save()
    RebootItem.objects.create(batch=batch, instance=row, place=0)
    with pytest.raises(IntegrityError, match="takes down one instance"), transaction.atomic():
        RebootItem.objects.create(batch=batch, instance=other, place=1)


@pytest.mark.parametrize("change", ["accepted = '[1]'", "may_shrink = 90"])
def test_what_a_yes_allowed_besides_is_never_changed(change):
    approval = waiting()
    how = {"comment": "", "via": "page", "may_shrink": 5}
    approvals.decide(approval, by=a_person("manager"), yes=True, **how)
    said = Decision.objects.get()
    refused(f"update commands_decision set {change} where id = %s", said.pk, says="never changed")


def test_one_instance_has_one_live_power_act_over_the_whole_portal():
    row = instances(1)
    first, second = (waiting(rows=row) for _ in range(2))
    for approval in (first, second):
        approvals.decide(approval, by=a_person("manager"), yes=True, comment="", via="page")
    sql(MOVE, "preparing", first.batch.items.get().pk)
    refused(MOVE, "preparing", second.batch.items.get().pk, says="reboot_item_one_live|UNIQUE")
