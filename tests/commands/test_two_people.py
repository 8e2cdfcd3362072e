"""A risky run begins with somebody else's yes to exactly it; by no way with one's own."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from commands import approvals
from commands.models import Approval, Decision, FreezeWindow, Invocation, Target
from portal.audit.models import AuditEntry
from portal.notices.models import Notification
from portal.transitions import WrongState
from tests.commands.test_composing_a_run import carried, preview, ready
from tests.factories import UserFactory, a_person

pytestmark = pytest.mark.django_db
SCRIPT = "mkfs.ext4 /dev/vdb1"


@pytest.fixture
def asker():
    return a_person("manager")


@pytest.fixture
def approval(client, asker) -> Approval:
    client.force_login(asker)
    ready(name="web-01")
    page = preview(client, text="web-01", script=SCRIPT)
    assert "Ask for approval" in page.text
    client.post("/runs/new/", carried(page))
    return Approval.objects.get()


def answer(client, approval: Approval, word: str = "yes", comment: str = "go") -> None:
    client.post(f"{approval.get_absolute_url()}decide/", {"answer": word, "comment": comment})
    approval.refresh_from_db()


def started(approval: Approval) -> bool:
    return approval.invocation.dispatches.exclude(state__in=["held", "finished"]).exists()


def test_until_then_nothing_is_due(approval):
    run = approval.invocation
    assert run.state == "waiting"
    assert not started(approval)
    assert not run.dispatches.exclude(due_at=None).exists()


def test_somebody_elses_yes_lets_it_begin(client, approval):
    client.force_login(a_person("manager"))
    answer(client, approval)
    assert approval.state == "approved"
    assert approval.invocation.state == "running"
    assert started(approval)
    assert AuditEntry.objects.filter(act="approval.given").count() == 1


def test_a_no_ends_it_without_having_begun(client, approval):
    client.force_login(a_person("manager"))
    answer(client, approval, "no", "not today")
    run = Invocation.objects.get()
    assert (approval.state, run.state) == ("rejected", "finished")
    assert run.outcomes == {"not_started": 1}


def test_ones_own_yes_counts_for_nothing_on_the_page(client, approval, asker):
    client.force_login(asker)
    assert "somebody else has to decide" in client.get(approval.get_absolute_url()).text
    answer(client, approval)
    assert approval.state == "waiting"
    assert not Decision.objects.exists()


def test_a_superuser_is_no_exception(client, approval, asker):
    asker.is_superuser = asker.is_staff = True
    asker.save()
    client.force_login(asker)
    answer(client, approval)
    assert approval.state == "waiting"


def test_the_author_of_the_script_is_not_somebody_else(client, approval):
    author = a_person("manager")
    revision = _revision(author)
    Invocation.objects.update(revision=revision)
    with pytest.raises(PermissionDenied):
        approvals.decide(approval, by=author, yes=True, comment="", via="page")


def _revision(author):
    from commands.models import SavedCommand

    command = SavedCommand.objects.create(name="format", owner=author)
    fields = {"script": SCRIPT, "type": "RunShellScript", "timeout": 60}
    return command.revise(by=author, parameters=[], **fields)


def test_the_database_itself_refuses_ones_own_yes(approval, asker):
    for people in ({"requester": asker}, {"author": asker}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Decision.objects.create(approval=approval, person=asker, yes=True, **people)
    decision = Decision.objects.create(
        approval=approval, person=UserFactory(), requester=asker, yes=True
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(person=asker)


def test_what_changed_after_it_was_asked_for_is_not_approved(client, approval):
    Target.objects.create(
        invocation=approval.invocation,
        dispatch=approval.invocation.dispatches.get(),
        instance=ready(name="web-02"),
    )
    with pytest.raises(WrongState):
        approvals.decide(approval, by=a_person("manager"), yes=True, comment="", via="page")
    assert not started(approval)


def test_after_its_time_nobody_can_say_yes_and_the_run_ends(approval):
    long_ago = timezone.now() - timedelta(seconds=1)
    Approval.objects.update(expires_at=long_ago, due_at=long_ago)
    approval.refresh_from_db()
    with pytest.raises(WrongState):
        approvals.decide(approval, by=a_person("manager"), yes=True, comment="", via="page")
    approvals.expire(approval.pk)
    approval.refresh_from_db()
    assert (approval.state, Invocation.objects.get().state) == ("expired", "finished")


def test_two_are_needed_where_two_are_asked_for(client, approval):
    Approval.objects.update(quorum=2)
    first, second = a_person("manager"), a_person("manager")
    for person, state in ((first, "waiting"), (first, "waiting"), (second, "approved")):
        client.force_login(person)
        answer(client, approval)
        assert approval.state == state


def test_only_who_sees_every_instance_decides(client, approval):
    client.force_login(a_person("manager", region="cn-beijing"))
    assert client.get(approval.get_absolute_url()).status_code == 404
    answer(client, approval)
    assert approval.state == "waiting"


def test_the_front_page_tells_whoever_may_decide(client, approval, asker):
    assert "waits for you" not in client.get("/").text  # the asker's own
    client.force_login(a_person("manager"))
    assert "waits for you" in client.get("/").text
    client.force_login(a_person("operator"))
    assert "waits for you" not in client.get("/").text


def test_operators_ask_but_do_not_decide(client, approval):
    client.force_login(a_person("operator"))
    answer(client, approval)
    assert approval.state == "waiting"


def test_an_answer_to_what_was_decided_changes_nothing(client, approval):
    client.force_login(a_person("manager"))
    answer(client, approval, "no")
    client.force_login(a_person("manager"))
    answer(client, approval, "yes")
    assert approval.state == "rejected"
    assert not started(approval)


@pytest.fixture
def mail(settings) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:25"


def with_mail(person, name: str):
    person.email = f"{name}@example.com"
    person.save(update_fields=["email"])
    return person


def told() -> list[tuple[str, str]]:
    rows = Notification.objects.order_by("pk")
    return sorted(rows.values_list("event", "person__email"))


@pytest.fixture
def manager():
    return with_mail(a_person("manager"), "boss")


def test_those_who_may_say_yes_are_told_and_nobody_else(mail, manager, asker, client):
    with_mail(asker, "asker")
    with_mail(a_person("manager", region="us-east-1"), "elsewhere")
    with_mail(a_person("operator"), "operator")
    client.force_login(asker)
    ready(name="web-01")
    client.post("/runs/new/", carried(preview(client, text="web-01", script=SCRIPT)))
    assert told() == [("approval.asked", "boss@example.com")]
    (row,) = Notification.objects.all()
    assert row.url == Approval.objects.get().get_absolute_url()
    assert "On 1 instance" in row.body


@pytest.mark.parametrize(("word", "says"), [("yes", "approved"), ("no", "rejected")])
def test_who_asked_is_told_the_answer(mail, manager, client, approval, asker, word, says):
    with_mail(asker, "asker")
    client.force_login(manager)
    answer(client, approval, word, "not before noon")
    row = Notification.objects.get(event="approval.decided")
    assert row.person == asker and says in row.title and row.body == "not before noon"


def test_people_are_reminded_once_at_half_of_the_time(mail, manager, approval, asker):
    with_mail(asker, "asker")
    approvals.expire(approval.pk)
    assert told() == [("approval.asked", "boss@example.com")]
    half = timezone.now() - timedelta(minutes=1)
    for _twice in range(2):
        Approval.objects.update(due_at=half)
        approvals.expire(approval.pk)
    assert told() == [
        ("approval.asked", "boss@example.com"),
        ("approval.reminder", "boss@example.com"),
    ]
    approval.refresh_from_db()
    assert approval.state == "waiting" and approval.due_at == approval.expires_at
    Approval.objects.update(due_at=half, expires_at=half)
    approvals.expire(approval.pk)
    assert told()[-1] == ("approval.reminder", "boss@example.com")
    assert ("approval.expired", "asker@example.com") in told()


def test_a_freeze_that_came_meanwhile_holds_it_back(client, approval):
    now = timezone.now()
    window = FreezeWindow.objects.create(
        name="year end", reason="books", starts_at=now, ends_at=now + timedelta(hours=1)
    )
    client.force_login(a_person("manager"))
    answer(client, approval)
    assert approval.state == "waiting" and not started(approval)
    assert not approval.decisions.exists()

    window.delete()
    answer(client, approval)
    assert approval.state == "approved" and started(approval)


def test_a_run_with_a_reason_to_break_the_freeze_begins_in_it(client, approval):
    Invocation.objects.update(freeze_reason="the disk is full")
    now = timezone.now()
    FreezeWindow.objects.create(
        name="year end", reason="books", starts_at=now, ends_at=now + timedelta(hours=1)
    )
    client.force_login(a_person("manager"))
    answer(client, approval)
    assert approval.state == "approved" and started(approval)


def test_whoever_decides_sees_how_carefully_it_runs_and_why_it_cannot_wait(client, approval):
    how = {"concurrency": 3, "max_errors": "10%", "freeze_reason": "the disk is full"}
    Invocation.objects.update(**how)
    page = client.get(approval.get_absolute_url()).text
    for words in ("at most 3 at once", "stops beyond 10% errors", "the disk is full"):
        assert words in page
