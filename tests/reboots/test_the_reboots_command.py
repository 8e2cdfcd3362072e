"""`manage.py reboots`: the same acts and the same two people as on the pages."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from commands.models import RebootBatch
from portal.audit.models import AuditEntry
from tests.factories import InstanceFactory, a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return a_person("operator").username


@pytest.fixture
def manager():
    return a_person("manager").username


@pytest.fixture
def web():
    now = timezone.now()
    alive = {"agent_running": True, "agent_heartbeat_at": now, "agent_asked_at": now}
    return [InstanceFactory(name=f"web-0{n}", seen_at=now, **alive) for n in (1, 2, 3)]


def reboots(*arguments: str) -> dict:
    out = StringIO()
    call_command("reboots", *arguments, "--format", "json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def asked(operator, *more: str) -> int:
    names = ("web-01", "web-02", "web-03")
    told = ("--reason", "new kernel", "--as", operator)
    return reboots("ask", *names, *told, *more)["batch"]


def looked_at(batch: int) -> None:
    """As a worker does it."""
    RebootBatch.objects.filter(pk=batch).update(checked_at=timezone.now(), look_at=None)


@pytest.fixture
def workers(monkeypatch):
    from commands.management.commands import reboots as command

    monkeypatch.setattr(command.approving, "ask_for_a_look", lambda batch: looked_at(batch.pk))


def test_a_batch_is_asked_for_and_waits(operator, web):
    batch = RebootBatch.objects.get(pk=asked(operator, "--sizes", "1,50%", "--canary", "2"))
    assert (batch.state, batch.size, batch.sizes, batch.canary) == ("waiting", 3, ["1", "50%"], 2)


@pytest.mark.usefixtures("workers")
def test_somebody_else_says_yes(operator, manager, web):
    batch = asked(operator)
    assert reboots("approve", str(batch), "--as", manager, "--comment", "go")["state"] == "ready"
    entry = AuditEntry.objects.get(act="approval.given")
    assert (entry.via, entry.actor.username) == ("command", manager)
    assert entry.details["shell"].startswith("shell")


@pytest.mark.usefixtures("workers")
def test_ones_own_yes_is_refused(web):
    name = a_person("manager").username
    batch = asked(name)
    with pytest.raises(CommandError, match="Whoever asks"):
        reboots("approve", str(batch), "--as", name)
    assert RebootBatch.objects.get(pk=batch).state == "waiting"


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("names", [["web-09"], ["web-01", "web-09"], ["twin"]])
def test_only_one_that_is_meant_is_accepted_without_proof(operator, manager, web, names):
    for row in web[1:]:
        row.name = "twin"
        row.save()
    rows = [row.instance_id for row in web]
    batch = reboots("ask", *rows, "--reason", "new kernel", "--as", operator)["batch"]
    with pytest.raises(CommandError, match=f"answer to {names[-1]}") as refusal:
        reboots("approve", str(batch), "--as", manager, "--accept", *names)
    assert refusal.value.returncode == 3
    assert RebootBatch.objects.get(pk=batch).state == "waiting"


def test_a_shell_that_is_nobody_decides_nothing(operator, web):
    batch = asked(operator)
    with pytest.raises(CommandError, match="--as"):
        reboots("approve", str(batch))


def test_whoever_lacks_the_right_is_refused(operator, web):
    batch = asked(operator)
    with pytest.raises(CommandError, match="decide_reboot"):
        reboots("approve", str(batch), "--as", a_person("operator").username)


def test_an_unknown_name_asks_for_nothing(operator, web):
    with pytest.raises(CommandError, match="web-99") as error:
        reboots("ask", "web-01", "web-99", "--reason", "x", "--as", operator)
    assert error.value.returncode == 3
    assert not RebootBatch.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (("--sizes", "0"), "sizes"),
        (("--sizes", "101%"), "sizes"),
        (("--max-errors", "200%"), "max_errors"),
        (("--closes", "2020-01-01T00:00"), "closes_at"),
        (("--opens", "2035-01-01T00:00"), "closes_at"),
        (("--reason", " "), "reason"),
        (("--pre-script", "/nowhere"), "--pre-script"),
        (("--way", "exit_code"), "pre_script"),
    ],
)
def test_bad_input_names_its_field(operator, web, wrong, named):
    with pytest.raises(CommandError, match=named) as error:
        asked(operator, *wrong)
    assert error.value.returncode == 2
    assert not RebootBatch.objects.exists()


def test_the_plan_can_be_looked_at_without_asking(operator, web):
    out = StringIO()
    told = ("--reason", "x", "--as", operator, "--dry-run", "--sizes", "2", "--canary", "1")
    call_command("reboots", "ask", "web-01", "web-02", "web-03", *told, stdout=out)
    assert "wave 1: web-01\n" in out.getvalue()
    assert "wave 2: web-02, web-03" in out.getvalue()
    assert not RebootBatch.objects.exists()


@pytest.mark.usefixtures("workers")
def test_pause_resume_and_stop(operator, manager, web):
    batch = asked(operator)
    with pytest.raises(CommandError):
        call_command("reboots", "resume", str(batch), "--as", operator)  # still waits for a yes
    reboots("approve", str(batch), "--as", manager)
    for act, state in (("pause", "paused"), ("resume", "ready"), ("stop", "ready")):
        call_command("reboots", act, str(batch), "--as", operator)
        assert RebootBatch.objects.get(pk=batch).state == state
    assert RebootBatch.objects.get(pk=batch).stop_asked_at


def test_an_emergency_is_one_instance_and_somebody_reviews_it(operator, manager, web):
    told = ("web-02", "--reason", "it hangs and customers wait", "--as", operator)
    batch = reboots("now", *told)["batch"]
    assert RebootBatch.objects.get(pk=batch).emergency
    with pytest.raises(CommandError):
        call_command("reboots", "review", str(batch), "--text", "fine", "--as", operator)
    call_command("reboots", "review", str(batch), "--text", "was right", "--as", manager)
    assert RebootBatch.objects.get(pk=batch).review == "was right"
