"""A command that acts for a person may no more than that person."""

import pytest
from django.core.management import call_command

from diagnostics.models import DiagnosisCase
from portal.access import NotAllowed, acting_as
from tests.factories import AccountFactory, UserFactory, a_person

pytestmark = pytest.mark.django_db
OPENS = "diagnostics.add_diagnosiscase"


def test_the_host_acts_as_nobody():
    assert acting_as("", OPENS) is None


def test_a_person_with_the_right_is_found():
    person = a_person("support")
    assert acting_as(person.username, OPENS) == person


def test_nobody_else_is():
    viewer, left = a_person("viewer"), a_person("support")
    left.is_active = False
    left.save()
    for name in ("no such person", viewer.username, left.username):
        with pytest.raises(NotAllowed):
            acting_as(name, OPENS)


def test_a_case_is_not_opened_for_who_may_not(capsys):
    viewer, _account = UserFactory(), AccountFactory()
    with pytest.raises(SystemExit) as ended:
        call_command("diagnose", "i-abcdef123", region="cn-hangzhou", person=viewer.username)
    assert ended.value.code == 2 and OPENS in capsys.readouterr().err
    assert not DiagnosisCase.objects.exists()
