"""Who sees which case, page by page; and that pages stay quick and plain."""

import csv
import io

import pytest

from diagnostics.models import DiagnosisCase, Evidence
from tests.diagnostics.cases.conftest import carried, mirrored, opened
from tests.factories import CaseFactory, InstanceFactory, UserFactory, a_person

pytestmark = pytest.mark.django_db
PAGES = ["", "progress/", "report/", "report.md", "report.html", "report.json", "script/"]


@pytest.fixture
def crashed(cloud, sandbox_needed, db):
    return carried(opened(mirrored(cloud, "api-01"), customer_reference="T-900"))


def sees(client, person, url: str) -> int:
    client.force_login(person)
    return client.get(url).status_code


@pytest.mark.parametrize("page", PAGES)
def test_a_case_is_seen_by_whoever_sees_its_instance(client, crashed, viewer, page):
    url = f"/cases/{crashed.pk}/{page}"
    assert sees(client, viewer, url) == 200
    assert sees(client, a_person("manager", region="ap-southeast-1"), url) == 404
    assert sees(client, UserFactory(), url) == 403


def test_raw_evidence_is_for_support_and_up(client, crashed, viewer, support):
    row = crashed.evidence.get(name="guest_output")
    for url in (f"/cases/{crashed.pk}/evidence/{row.pk}/{tail}" for tail in ("", "raw/")):
        assert sees(client, support, url) == 200
        assert sees(client, viewer, url) == 403
        assert sees(client, a_person("support", region="ap-southeast-1"), url) == 404


def test_evidence_of_one_case_is_not_read_through_another(client, crashed, support):
    other = CaseFactory(instance=crashed.instance)
    row = crashed.evidence.first()
    assert sees(client, support, f"/cases/{other.pk}/evidence/{row.pk}/") == 404


def test_raw_evidence_comes_as_it_was_and_never_as_a_page(client, crashed, support):
    row = crashed.evidence.get(name="console")
    client.force_login(support)
    answer = client.get(f"/cases/{crashed.pk}/evidence/{row.pk}/raw/")
    assert answer.content == row.body()
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")


def test_hostile_evidence_is_shown_as_text(client, crashed, support):
    body = b"<script>alert(1)</script>"
    row = Evidence.objects.create(case=crashed, name="x", origin="api", **Evidence.pack(body))
    client.force_login(support)
    page = client.get(f"/cases/{crashed.pk}/evidence/{row.pk}/").content.decode()
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page


def test_an_evidence_only_case_is_seen_by_its_opener_alone(client, db):
    opener, other = a_person("support"), a_person("administrator")
    case = opened(None, instance_text="their-machine", opened_by=opener)
    assert sees(client, opener, f"/cases/{case.pk}/") == 200
    assert sees(client, other, f"/cases/{case.pk}/") == 404
    root = UserFactory(is_superuser=True)
    assert sees(client, root, f"/cases/{case.pk}/") == 200
    opener.is_active = False
    opener.save()
    assert not DiagnosisCase.objects.visible_to(opener).exists()


def test_the_answer_stands_on_the_page_with_its_proof(client, crashed, viewer):
    client.force_login(viewer)
    page = client.get(f"/cases/{crashed.pk}/").content.decode()
    assert page.index("kernel crash") < page.index("Recommendations") < page.index("Proof")
    assert crashed.findings.first().quote[:40] in page.replace("&gt;", ">").replace("&lt;", "<")
    assert "hx-trigger" not in page  # concluded: nothing refreshes any more


def test_a_case_under_way_refreshes_itself_also_without_javascript(client, viewer):
    case = CaseFactory()
    client.force_login(viewer)
    page = client.get(f"/cases/{case.pk}/").content.decode()
    assert 'hx-trigger="every 1s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "Waiting for a free worker" in page


def test_a_report_of_a_case_under_way_does_not_exist(client, viewer):
    case = CaseFactory()
    assert sees(client, viewer, f"/cases/{case.pk}/report/") == 404
    assert sees(client, viewer, f"/cases/{case.pk}/report.md") == 404


def test_an_unknown_copy_or_form_does_not_exist(client, crashed, viewer):
    assert sees(client, viewer, f"/cases/{crashed.pk}/report.pdf") == 404
    assert sees(client, viewer, f"/cases/{crashed.pk}/report/?copy=press") == 404


def test_the_history_is_found_by_what_people_remember(client, viewer):
    web = InstanceFactory(name="shop-1", hostname="shop1.local")
    web.addresses.create(address="10.7.7.7")
    case = CaseFactory(instance=web, customer_reference="T-123", state="concluded")
    CaseFactory()
    client.force_login(viewer)
    for asked in ("shop-1", "shop1.local", "10.7.7.7", "T-123", web.instance_id):
        rows = client.get("/cases/", {"q": asked}).context["page"].rows
        assert [row.pk for row in rows] == [case.pk], asked


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "kernel_panic"},
        {"state": "concluded"},
        {"region": "cn-hangzhou"},
        {"opened_by": "li"},
        {"since": "2026-01-01", "until": "2999-01-01"},
    ],
)
def test_each_filter_narrows(client, viewer, asked):
    li = UserFactory(username="li")
    inside = InstanceFactory(region="cn-hangzhou")
    from tests.factories import RegionFactory

    RegionFactory(region_id="cn-hangzhou")
    fits = CaseFactory(instance=inside, kind="kernel_panic", state="concluded", opened_by=li)
    CaseFactory(instance=InstanceFactory(region="ap-southeast-1"))
    client.force_login(viewer)
    rows = [row.pk for row in client.get("/cases/", asked).context["page"].rows]
    assert fits.pk in rows
    assert len(rows) == (2 if "since" in asked else 1)


@pytest.mark.parametrize(
    "asked", [{"q": "a\x00b"}, {"since": "soon"}, {"kind": "x"}, {"q": "x" * 200}, {"at": "junk"}]
)
def test_a_wrong_filter_is_no_error_page(client, viewer, asked):
    CaseFactory()
    assert sees(client, viewer, "/cases/?" + "&".join(f"{k}={v}" for k, v in asked.items())) == 200


def test_the_history_downloads_as_csv(client, viewer):
    case = CaseFactory(customer_reference="=cmd()", kind="kernel_panic", state="concluded")
    client.force_login(viewer)
    body = b"".join(client.get("/cases/", {"csv": "1"}).streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(body)))
    assert rows[0]["Case"] == str(case.pk) and rows[0]["Verdict"] == "kernel_panic"
    assert rows[0]["Customer reference"] == "'=cmd()"


def test_the_pages_ask_the_database_a_bounded_number_of_times(
    client, crashed, viewer, django_assert_max_num_queries
):
    for _each in range(12):
        CaseFactory()
    client.force_login(viewer)
    for url, most in (("/cases/", 16), (f"/cases/{crashed.pk}/", 18)):
        with django_assert_max_num_queries(most):
            client.get(url)


def test_judging_again_is_for_support(client, crashed, viewer, support):
    url = f"/cases/{crashed.pk}/judge/"
    client.force_login(viewer)
    assert client.post(url).status_code == 403
    client.force_login(support)
    assert client.get(url).status_code == 405
    assert client.post(url).status_code == 302
    crashed.refresh_from_db()
    assert crashed.state == "judging"
