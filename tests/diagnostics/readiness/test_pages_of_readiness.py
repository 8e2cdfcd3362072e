"""The fleet's readiness on its page, narrowed, downloaded, and asked for."""

import csv
import io

import pytest
from django.urls import reverse

from commands.models import Invocation
from diagnostics.models import Readiness, ReadinessRun
from instances.models import InstanceGroup
from tests.factories import AccountFactory, InstanceFactory, UserFactory, a_person

from .rows import kept

pytestmark = pytest.mark.django_db
NO_KDUMP = {"kdump": {"service": "none", "crash_loaded": "0", "crash_size": "0"}}
NO_JOURNAL = {"readiness": {"journal_place": "none"}}
DOUBTFUL = {"sysctl": {"kernel.panic": None}}


def page(client, path="readiness:list", **params):
    answer = client.get(reverse(path), params)
    assert answer.status_code == 200
    return answer


def names(client, **params) -> list[str]:
    return [row.name for row in page(client, **params).context["page"]]


@pytest.fixture
def fleet(client, db):
    """Five instances, and a support person who looks at them."""
    client.force_login(a_person("support"))
    return {
        "bad": kept(InstanceFactory(name="bad"), **NO_KDUMP, **NO_JOURNAL),
        "journal": kept(InstanceFactory(name="journal"), **NO_JOURNAL),
        "doubt": kept(InstanceFactory(name="doubt"), **DOUBTFUL),
        "good": kept(InstanceFactory(name="good")),
        "new": InstanceFactory(name="new"),
    }


def test_what_lacks_most_stands_first_and_what_was_never_asked_last(client, fleet):
    found = names(client)
    assert (found[:2], found[-1]) == (["bad", "journal"], "new")


def test_the_counts_of_each_check_lead_to_their_instances(client, fleet):
    answer = page(client)
    rows = {row.name: row for _heading, part in answer.context["tallies"] for row in part}
    assert (rows["journal"].missing, rows["journal"].unknown, rows["journal"].ok) == (2, 0, 2)
    assert (rows["panic_reboot"].unknown, rows["panic_reboot"].ok) == (1, 3)
    assert "check=journal&amp;ready=missing" in answer.content.decode()
    assert answer.context["never"].number == 1


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"check": "journal", "ready": "missing"}, {"bad", "journal"}),
        ({"check": "journal", "ready": "ok"}, {"doubt", "good"}),
        ({"check": "panic_reboot", "ready": "unknown"}, {"doubt"}),
        ({"check": "panic_reboot"}, {"doubt"}),
        ({"check": "crash_kernel"}, {"bad"}),
        ({"ready": "missing"}, {"bad", "journal"}),
        ({"ready": "unknown"}, {"doubt"}),
        ({"ready": "ok"}, {"good"}),
        ({"ready": "never"}, {"new"}),
        ({"text": "bad", "ready": "ok"}, set()),
    ],
)
def test_the_fleet_is_narrowed_by_what_it_lacks(client, fleet, params, found):
    assert set(names(client, **params)) == found


def test_it_is_narrowed_by_group_and_account_too(client, fleet):
    group = InstanceGroup.objects.create(name="edge", owner=UserFactory())
    group.members.add(fleet["bad"])
    other = kept(InstanceFactory(name="other", account=AccountFactory(name="second")), **NO_KDUMP)
    assert names(client, group=group.pk) == ["bad"]
    assert names(client, account="second") == [other.name]
    answer = page(client, account="second")
    (row,) = [r for _h, part in answer.context["tallies"] for r in part if r.name == "crash_kernel"]
    assert row.missing == 1


def test_a_wrong_value_is_named_and_finds_nothing(client, fleet):
    answer = page(client, ready="perhaps")
    assert answer.context["form"].errors["ready"] and not answer.context["page"].rows


def test_it_is_downloaded(client, fleet):
    body = b"".join(page(client, csv="1", ready="missing").streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(body)))
    assert [(row["Name"], row["Needed and missing"]) for row in rows] == [
        ("bad", "4"),
        ("journal", "1"),
    ]
    assert "crash_kernel" in rows[0]["Missing"].split()


def test_nobody_sees_more_than_their_part(client, fleet):
    client.force_login(a_person("support", region="eu-central-1"))
    answer = page(client)
    assert not answer.context["page"].rows and answer.context["known"].number == 0


def test_an_instances_page_shows_each_check_with_its_line_and_its_steps(client, fleet):
    text = client.get(fleet["bad"].get_absolute_url()).content.decode()
    assert "service=none" in text and "yum install -y kexec-tools" in text
    assert "journal is lost at each restart" in text
    assert "Check readiness" in text


def test_a_machine_text_is_never_markup(client, fleet):
    evil = "root=<script>alert(1)</script> quiet"
    kept(fleet["good"], cmdline=evil, **NO_KDUMP)
    text = client.get(fleet["good"].get_absolute_url()).content.decode()
    assert "&lt;script&gt;alert(1)" in text and "<script>alert" not in text


def ticked(*rows) -> dict:
    return {"instance": [row.pk for row in rows], "keep": "picked"}


@pytest.fixture
def reachable(fleet):
    """Every instance but "new" has an agent that was just heard."""
    from django.utils import timezone

    for name, row in fleet.items():
        heard = None if name == "new" else timezone.now()
        row.agent_running, row.agent_heartbeat_at, row.agent_asked_at = bool(heard), heard, heard
        row.save()
    return fleet


def test_many_are_asked_after_a_look_at_who_they_are(client, reachable):
    check = reverse("readiness:check")
    first = client.post(check, {"filtered": "ready=missing", "keep": "filter"})
    assert Invocation.objects.count() == 0
    carried = dict(first.context["carried"]) | {
        "seen": first.context["seen"],
        "once": str(first.context["once"]),
    }
    for _click in range(2):
        assert client.post(check, carried).url == reverse("readiness:list")
    run = Invocation.objects.get()
    assert {t.instance.name for t in run.targets.all()} == {"bad", "journal"}
    assert (run.read_only, run.state) == (True, "running")
    assert ReadinessRun.objects.get().run == run
    assert "0 of 2 instances have answered" in page(client).content.decode()


def test_who_was_looked_at_is_who_is_asked(client, reachable):
    check = reverse("readiness:check")
    first = client.post(check, {"filtered": "ready=missing", "keep": "filter"})
    carried = dict(first.context["carried"]) | {"seen": first.context["seen"]}
    kept(reachable["good"], **NO_JOURNAL)
    second = client.post(check, carried)
    assert second.context["changed"] and Invocation.objects.count() == 0


def test_who_cannot_be_asked_is_named_with_the_reason(client, reachable):
    answer = client.post(reverse("readiness:check"), ticked(reachable["bad"], reachable["new"]))
    (reason,) = answer.context["reached"].left_out
    assert reason == "agent_silent"
    assert [row.name for row in answer.context["reached"].fit["linux"]] == ["bad"]


def test_each_system_gets_its_own_script_and_an_unknown_one_none(client, reachable):
    for name, os in (("bad", "windows"), ("doubt", "")):
        reachable[name].os_type = os
        reachable[name].save()
    chosen = [reachable[name] for name in ("bad", "doubt", "good")]
    first = client.post(reverse("readiness:check"), ticked(*chosen)).context
    reached = first["reached"]
    assert {os: [str(row) for row in rows] for os, rows in reached.fit.items()} == {
        "linux": ["good"],
        "windows": ["bad"],
    }
    assert [str(row) for row in reached.left_out["wrong_os"]] == ["doubt"]
    client.post(reverse("readiness:check"), ticked(*chosen) | {"seen": first["seen"]})
    types = {run.type: str(run.targets.get().instance) for run in Invocation.objects.all()}
    assert types == {"RunShellScript": "good", "RunPowerShellScript": "bad"}


def test_one_instance_is_asked_with_one_press(client, reachable):
    told = {"instance": reachable["good"].pk, "sure": "1"}
    answer = client.post(reverse("readiness:check"), told)
    assert answer.url == reachable["good"].get_absolute_url()
    assert "being checked" in client.get(answer.url).content.decode()


def test_nobody_asks_what_they_do_not_see(client, reachable):
    client.force_login(a_person("support", region="eu-central-1"))
    client.post(reverse("readiness:check"), {"instance": reachable["good"].pk, "sure": "1"})
    assert Invocation.objects.count() == 0


def test_a_viewer_looks_but_does_not_ask(client, fleet):
    client.force_login(a_person("viewer"))
    assert "Check all that fit" not in page(client).content.decode()
    assert client.post(reverse("readiness:check"), ticked(fleet["bad"])).status_code == 403


def test_pages_are_walked_by_key(client, fleet):
    for number in range(55):
        kept(InstanceFactory(name=f"more{number:02}"), **NO_JOURNAL)
    first = page(client, sort="lacks")
    second = client.get(reverse("readiness:list") + first.context["page"].next)
    seen = [row.pk for row in first.context["page"]] + [r.pk for r in second.context["page"]]
    assert len(seen) == len(set(seen)) == 60
    assert Readiness.objects.count() == 59
