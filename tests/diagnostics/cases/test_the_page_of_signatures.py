"""The same crash on many machines is one line, with how many, which kernels, and since when."""

from datetime import UTC, datetime, timedelta

import pytest

from diagnostics import signatures
from diagnostics.models import DiagnosisCase
from tests.diagnostics.cases.kept import PANIC, judged_case
from tests.factories import CaseFactory, InstanceFactory, a_person

pytestmark = pytest.mark.django_db
START = datetime(2026, 10, 1, tzinfo=UTC)
SAME = "null_deref:nvme_queue_rq:nvme:5.10:0a1b2c3d"


def crashes(signature: str, count: int = 1, kind: str = "kernel_panic", **told) -> None:
    for day in range(count):
        down = START + timedelta(days=day)
        told = {"kernel": "5.10.134-16.al8", "went_down_at": down} | told
        CaseFactory(state="concluded", kind=kind, signature=signature, **told)


def page(client, query: str = "") -> str:
    return client.get(f"/cases/signatures/{query}").content.decode()


@pytest.fixture
def viewer(client):
    client.force_login(a_person("viewer"))
    return client


def test_the_same_crash_on_two_machines_is_one_line_that_leads_to_both(viewer):
    cases = [judged_case(), judged_case(PANIC.replace("8123.", "977."))]
    known = signatures.described(
        signatures.grouped(DiagnosisCase.objects.all()), DiagnosisCase.objects.all()
    )
    assert [(each.cases, each.machines, each.kernels) for each in known] == [(2, 2, ("5.10",))]
    assert "null pointer in nvme_queue_rq, module nvme" in known[0].words
    shown = page(viewer)
    link = f"/cases/?signature={known[0].signature.replace(':', '%3A')}"
    assert link in shown
    listed = viewer.get(link).content.decode()
    assert all(f"#{case.pk} " in listed for case in cases)
    assert link in viewer.get(cases[0].get_absolute_url()).content.decode()


def test_it_tells_how_many_on_how_many_since_when_and_on_what(viewer):
    machine = InstanceFactory()
    crashes(SAME, 3, instance=machine)
    crashes(SAME, kernel="5.10.140-1", went_down_at=START + timedelta(days=9))
    (row,) = signatures.described(
        signatures.grouped(DiagnosisCase.objects.all()), DiagnosisCase.objects.all()
    )
    assert (row.cases, row.machines) == (4, 2)
    assert (row.first, row.last) == (START, START + timedelta(days=9))
    assert row.kernels == ("5.10.134-16.al8", "5.10.140-1")
    assert not row.vague
    assert "Kernels or builds: 5.10.134-16.al8, 5.10.140-1" in page(viewer)


def test_the_most_frequent_stands_first_and_every_heading_sorts(viewer):
    crashes("oops:rare:-:5.10:-")
    crashes(SAME, 3)
    assert page(viewer).index("nvme_queue_rq") < page(viewer).index("rare")
    assert page(viewer, "?sort=-cases").index("rare") < page(viewer, "?sort=-cases").index("nvme")
    for sort in ("machines", "first", "last"):
        assert "nvme_queue_rq" in page(viewer, f"?sort={sort}")


def test_ends_that_are_no_crash_are_not_among_them(viewer):
    crashes("own_action", kind="own_action")
    crashes("unexplained_reboot", kind="unexplained_reboot")
    crashes("", kind="kernel_panic")
    assert "No crash has a signature yet." in page(viewer)


def test_a_signature_that_names_only_its_cause_says_so(viewer):
    crashes("gpf:-:-:5.10:-")
    assert "this may be several causes" in page(viewer)


def test_a_blue_screen_is_told_in_words(viewer):
    crashes("bugcheck:0x9F:0x3:netkvm.sys", kind="bugcheck")
    assert "blue screen: 0x9F, first parameter 0x3, driver netkvm.sys" in page(viewer)


def test_it_is_narrowed_by_words_and_kind(viewer):
    crashes(SAME)
    crashes("bugcheck:0x9F:0x3:-", kind="bugcheck")
    assert "0x9F" not in page(viewer, "?q=NVME") and "nvme_queue_rq" in page(viewer, "?q=NVME")
    assert "nvme_queue_rq" not in page(viewer, "?kind=bugcheck")
    assert "No signature fits this filter." in page(viewer, "?q=nothing")


def test_only_cases_that_one_sees_are_counted(client):
    crashes(SAME, 2)
    crashes(SAME, instance=InstanceFactory(region="cn-beijing"))
    client.force_login(a_person("viewer", region="cn-beijing"))
    (row,) = signatures.grouped(DiagnosisCase.objects.visible_to(a_person(region="cn-beijing")))
    assert (row["cases"], row["machines"]) == (1, 1)
    assert "nvme_queue_rq" in page(client)
    client.force_login(a_person("viewer", region="cn-elsewhere"))
    assert "nvme_queue_rq" not in page(client)


def test_every_signature_is_on_exactly_one_page(viewer, monkeypatch):
    import re

    for number in range(120):
        crashes(f"oops:function_{number:03}:-:5.10:-", 1 + number % 3)
    seen, query = [], "?sort=cases"
    while query:
        shown = page(viewer, query)
        seen += re.findall(r"<code>oops:(function_\d+)", shown)
        onward = re.search(r'rel="next" href="([^"]+)"', shown)
        query = onward[1].replace("&amp;", "&") if onward else ""
    assert len(seen) == 120 and len(set(seen)) == 120


def test_all_of_them_come_as_csv(viewer):
    crashes(SAME, 2)
    lines = viewer.get("/cases/signatures/?csv=1").getvalue().decode().splitlines()
    assert lines[0].startswith("\ufeffSignature,In words,Cases")
    assert lines[1].startswith(SAME) and ",2,2," in lines[1]
