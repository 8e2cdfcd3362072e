"""A report names what the machine is known to lack for the next crash."""

import pytest
from django.utils import timezone

from diagnostics.conclusions.advice import before_the_next_one
from diagnostics.facts import Capture, Facts, Machine, Unready
from diagnostics.findings import Verdict
from diagnostics.models import Readiness
from diagnostics.report import rendered
from tests.diagnostics.cases.conftest import carried, mirrored, opened

from .conftest import cloud
from .rows import kept

__all__ = ["cloud"]
PANIC = Verdict("kernel_panic", crashed=True)
LACKING = ("crash_kernel", "journal")


def said(verdict=PANIC, capture=None, lacking=LACKING) -> str:
    unready = Unready(timezone.now(), lacking)
    facts = Facts(timezone.now(), Machine("i-1"), capture=capture, unready=unready)
    return " ".join(map(str, before_the_next_one(facts, verdict)))


def test_after_a_crash_what_is_missing_is_named():
    assert "(1) Crash kernel loaded; (2) Journal kept over restarts" in said()


def test_after_an_orderly_restart_it_is_not():
    assert said(Verdict("normal_reboot")) == ""


def test_what_the_case_itself_found_in_place_is_not_called_missing():
    armed = Capture(family="rhel", armed=True)
    assert "Crash kernel" not in said(capture=armed) and "Journal" in said(capture=armed)
    assert said(capture=armed, lacking=("crash_kernel",)) == ""


@pytest.mark.django_db
def test_a_case_keeps_what_was_known_when_it_was_judged(cloud):
    machine = mirrored(cloud, "legacy-01")  # its agent is silent, so nothing newer is known
    kept(machine, readiness={"journal_place": "none"})
    case = carried(opened(machine))
    Readiness.objects.all().delete()
    assert "found missing: (1) Journal kept over restarts" in rendered(case, "customer", "md")
