"""The form: who may, what it asks for, what it refuses, and that a double click opens one case."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from diagnostics.models import DiagnosisCase
from portal.audit.models import AuditEntry
from tests.factories import InstanceFactory, a_person

pytestmark = pytest.mark.django_db
URL = "/cases/new/"


def answers(**changed):
    told = {
        "opening": str(uuid.uuid4()),
        "instance": "web-77",
        "sights": ["rebooted"],
        "seen_at": (timezone.now() - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"),
        "seen_zone": "UTC",
        "seen_within": "30",
        "language": "en",
    }
    return {name: value for name, value in {**told, **changed}.items() if value is not None}


@pytest.fixture
def web(db):
    row = InstanceFactory(name="web-77", hostname="web77.shop", instance_id="i-bp1abcdefgh1234567x")
    row.addresses.create(address="10.9.8.7")
    return row


@pytest.fixture
def desk(client, support):
    client.force_login(support)
    return client


@pytest.mark.parametrize("named", ["web-77", "WEB77.shop", "10.9.8.7", "i-bp1abcdefgh1234567x"])
def test_support_opens_a_case_by_id_ip_name_or_hostname(desk, web, named):
    answer = desk.post(URL, answers(instance=named))
    case = DiagnosisCase.objects.get()
    assert answer.status_code == 302 and answer.url == f"/cases/{case.pk}/"
    assert (case.instance, case.region, case.account) == (web, web.region, web.account)
    assert case.due_at is not None


@pytest.mark.parametrize("more", ["web-99", "😀"])
def test_a_word_that_names_nothing_is_not_passed_over(desk, web, more):
    answer = desk.post(URL, answers(instance=f"web-77 {more}"))
    assert answer.status_code == 400 and f"Not known: {more}." in answer.content.decode()
    assert not DiagnosisCase.objects.exists()


def test_a_region_in_which_the_instance_is_not_is_not_passed_over(desk, web):
    answer = desk.post(URL, answers(region="eu-central-9"))
    assert answer.status_code == 400 and f"is in {web.region}." in answer.content.decode()
    assert "<details class='panel' open>" in answer.content.decode()
    assert not DiagnosisCase.objects.exists()
    assert desk.post(URL, answers(region=web.region)).status_code == 302


def test_the_opening_stands_in_the_audit(desk, web, support):
    desk.post(URL, answers())
    entry = AuditEntry.objects.get(act="case.opened")
    assert (entry.actor, entry.via) == (support, "page")
    assert entry.details["instance"] == web.instance_id


def test_a_viewer_may_not(client, viewer, web):
    client.force_login(viewer)
    assert client.get(URL).status_code == 403
    assert client.post(URL, answers()).status_code == 403
    assert not DiagnosisCase.objects.exists()


def test_a_double_click_opens_one_case(desk, web):
    once = answers()
    first, second = desk.post(URL, once), desk.post(URL, once)
    assert first.url == second.url
    assert DiagnosisCase.objects.count() == 1
    assert AuditEntry.objects.filter(act="case.opened").count() == 1


def test_the_page_fills_in_the_instance_it_was_asked_for(desk, web):
    page = desk.get(URL, {"instance": web.instance_id}).content.decode()
    assert f'value="{web.instance_id}"' in page


def test_the_report_is_offered_in_the_language_of_the_page(desk):
    page = desk.get(URL, headers={"accept-language": "zh-CN"})
    assert page.context["form"]["language"].value() == "zh-hans"
    assert desk.get(URL).context["form"]["language"].value() == "en"


def test_an_ambiguous_name_offers_the_candidates(desk, web):
    twin = InstanceFactory(name="web-77", region="ap-southeast-1")
    answer = desk.post(URL, answers())
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "choose one of them" in page
    assert web.instance_id in page and twin.instance_id in page
    desk.post(URL, answers(which=str(twin.pk)))
    assert DiagnosisCase.objects.get().instance == twin


def test_an_instance_of_others_is_unknown_here(client, web):
    narrow = a_person("support", region="ap-southeast-1")
    client.force_login(narrow)
    answer = client.post(URL, answers())
    assert answer.status_code == 400
    assert "No instance that you may see" in answer.content.decode()
    assert not DiagnosisCase.objects.exists()


def test_an_instance_outside_our_accounts_opens_an_evidence_only_case(desk):
    desk.post(URL, answers(instance="their-machine", outside="on"))
    case = DiagnosisCase.objects.get()
    assert case.instance is None and case.instance_text == "their-machine"


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"instance": ""}, "instance", "required"),
        ({"instance": "i-!!"}, "instance", "not an instance ID"),
        ({"instance": "300.1.2.3"}, "instance", "not an IP address"),
        ({"instance": "x" * 129}, "instance", "128"),
        ({"instance": "a\x00b"}, "instance", "ull characters"),
        ({"region": "Hangzhou!"}, "region", "not a region ID"),
        ({"seen_at": "yesterday"}, "seen_at", "date and a time"),
        ({"seen_at": "2999-01-01T00:00"}, "seen_at", "future"),
        ({"seen_at": "1999-01-01T00:00"}, "seen_at", "366 days"),
        ({"seen_at": "0001-01-01T00:00", "seen_zone": "Asia/Shanghai"}, "seen_at", "366 days"),
        ({"seen_within": "0"}, "seen_within", "greater than or equal to 1"),
        ({"seen_within": "99999"}, "seen_within", "less than or equal to 1440"),
        ({"seen_within": "soon"}, "seen_within", "whole number"),
        ({"seen_zone": "Mars/Olympus"}, "seen_zone", "not one of the available choices"),
        ({"language": "xx"}, "language", "not one of the available choices"),
        ({"sights": ["flew away"]}, "sights", "not one of the available choices"),
        ({"symptom": "x" * 4001}, "symptom", "4000"),
        ({"customer_reference": "a\nb"}, "customer_reference", "one line"),
        ({"opening": "not-a-uuid"}, "opening", "valid UUID"),
    ],
)
def test_a_wrong_answer_is_named_with_what_is_allowed(desk, web, changed, field, words):
    answer = desk.post(URL, answers(**changed))
    assert answer.status_code == 400
    assert words in str(answer.context["form"].errors[field])
    assert not DiagnosisCase.objects.exists()


def test_the_time_is_taken_in_the_reporters_zone(desk, web):
    day = timezone.now().date() - timedelta(days=2)
    desk.post(URL, answers(seen_at=f"{day}T02:30", seen_zone="Asia/Shanghai"))
    before = day - timedelta(days=1)
    assert DiagnosisCase.objects.get().seen_at.isoformat() == f"{before}T18:30:00+00:00"


def test_the_form_starts_in_the_zone_of_the_persons_last_case(desk, web):
    first = desk.get(URL).context["form"]
    assert first["seen_zone"].value() == "UTC" and "data-zone-here" in str(first["seen_zone"])
    desk.post(URL, answers(seen_zone="Asia/Shanghai"))
    form = desk.get(URL).context["form"]
    assert form["seen_zone"].value() == "Asia/Shanghai"
    assert "data-zone-here" not in str(form["seen_zone"])
    desk.force_login(a_person("operator"))
    assert desk.get(URL).context["form"]["seen_zone"].value() == "UTC"


def test_no_time_means_the_last_boot(desk, web):
    assert "the last boot is taken" in desk.get(URL).content.decode()
    desk.post(URL, answers(seen_at=""))
    assert DiagnosisCase.objects.get().seen_at is None
