"""A run that went badly is told of, with the machines by name; a good one is not."""

import pytest

from commands import telling
from instances.models import InstanceGroup
from portal.notices.models import Notification
from tests.commands.a_run import over
from tests.factories import InstanceFactory, UserFactory
from tests.notices.conftest import a_channel, a_rule

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule():
    hook = a_channel("webhook", url="https://hooks.example.com/", secret="s" * 16)
    return a_rule(hook, events=["run.finished_badly"])


def machines(*names: str):
    return [InstanceFactory(name=name) for name in names]


def ended(*statuses, **fields):
    names = [f"web-{number:02}" for number in range(len(statuses))]
    answers = [
        (machine, status, code, b"")
        for machine, (status, code) in zip(machines(*names), statuses, strict=True)
    ]
    run = over(answers, **fields)
    telling.finished(run)
    return run


def test_the_failed_are_named_with_their_reason_and_the_good_are_not():
    run = ended(("Success", 0), ("Failed", 3), ("no_answer", None))
    row = Notification.objects.get()
    assert row.title == "uname: 2 of 3 instances did not succeed"
    assert row.url == run.get_absolute_url()
    failed, silent = row.body.splitlines()
    assert failed.startswith("web-01 (i-test") and failed.endswith("other than 0. [3]")
    assert silent.startswith("web-02 (i-test")


@pytest.mark.parametrize(
    ("statuses", "fields"),
    [
        ([("Success", 0)], {}),
        ([("Failed", 194)], {}),  # going down, as asked
        ([("Terminated", None)], {}),  # somebody stopped it
        ([("not_started", None)], {}),
        ([("Failed", 1)], {"read_only": True}),  # part of a case, which tells for itself
    ],
)
def test_an_end_that_is_no_news(statuses, fields):
    ended(*statuses, **fields)
    assert not Notification.objects.exists()


def test_a_long_list_is_cut_and_says_how_much_is_missing():
    ended(*[("Failed", 1)] * 40)
    lines = Notification.objects.get().body.splitlines()
    assert len(lines) == telling.NAMED and lines[-1] == "and 11 more"


def test_a_rule_for_a_group_hears_of_its_machines_only(rule):
    web, other = machines("web", "db")
    owner = UserFactory()
    fixed = InstanceGroup.objects.create(name="Fixed", owner=owner)
    fixed.members.add(web)
    InstanceGroup.objects.create(name="Saved", owner=owner, filter={"text": "web"})
    for name in ("fixed", "saved"):
        type(rule).objects.update(groups=[name])
        for machine, reached in ((other, False), (web, True)):
            run = over([(machine, "Failed", 1, b"")])
            telling.finished(run)
            assert Notification.objects.filter(subject_key=f"run:{run.pk}").exists() is reached
