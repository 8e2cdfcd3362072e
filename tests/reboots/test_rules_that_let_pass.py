"""A written rule stands as the decider of small, harmless batches, and never for its own author."""

import pytest

from commands.models import AutoPass, Decision
from instances.models import InstanceTag
from portal.audit.models import AuditEntry
from tests.factories import a_person
from tests.reboots.driving import a_script, asked
from tests.reboots.waiting import instances, kept

pytestmark = pytest.mark.django_db


@pytest.fixture
def author():
    return a_person("manager")


@pytest.fixture
def rule(author):
    return AutoPass.objects.create(
        name="staging", tag_key="env", tag_value="staging", at_most=3, author=author
    )


@pytest.fixture
def rows():
    found = instances(3)
    for row in found:
        InstanceTag.objects.create(instance=row, key="env", value="staging")
    return found


def test_it_says_yes_visibly(rule, rows, author):
    batch = asked(rows)
    assert (batch.state, batch.cleared) == ("ready", "all")
    decision = Decision.objects.get()
    assert (decision.person, decision.rule, decision.rule_author) == (None, rule, author)
    entry = AuditEntry.objects.get(act="approval.passed_by_rule")
    assert entry.details["written_by"] == author.username


def test_its_author_still_needs_a_person(rule, rows, author):
    assert asked(rows, by=author).state == "waiting"


def test_and_so_does_a_batch_with_a_script_of_its_author(rule, rows, author):
    told = {"post_script": a_script("true"), "post_revision": kept(author)}
    assert asked(rows, **told).state == "waiting"
    told["post_revision"] = kept(a_person("manager"), name="other")
    assert asked(rows, **told).state == "ready"


def test_one_instance_without_the_tag_is_enough_against_it(rule, rows):
    InstanceTag.objects.filter(instance=rows[1]).update(value="production")
    assert asked(rows).state == "waiting"


def test_more_instances_than_it_names_are_too(rule, rows):
    AutoPass.objects.update(at_most=2)
    assert asked(rows).state == "waiting"


@pytest.mark.parametrize(
    "told",
    [
        {"way": "force"},
        {"way": "stop"},
        {"pre_script": a_script("true")},
        {"post_script": a_script("true")},
        {"way": "exit_code", "pre_script": a_script("exit 194")},
    ],
    ids=["force", "stop", "free text before", "free text after", "free text that takes down"],
)
def test_what_is_not_harmless_wants_a_person(rule, rows, told):
    assert asked(rows, by=a_person("manager"), **told).state == "waiting"


def test_where_two_people_are_needed_no_rule_stands_for_them(rule, rows, settings):
    settings.REBOOT_TWO_ABOVE = 2
    assert asked(rows).state == "waiting"


def test_a_rule_that_was_put_away_lets_nothing_pass(rule, rows):
    AutoPass.objects.update(enabled=False)
    assert asked(rows).state == "waiting"
