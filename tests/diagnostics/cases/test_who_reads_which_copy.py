"""The internal copy names colleagues and shell history: it is for those who may read evidence."""

import pytest

from diagnostics.models import DiagnosisCase
from tests.diagnostics.cases.conftest import carried, mirrored, opened

pytestmark = pytest.mark.django_db
PATHS = ["report/", "report.md", "report.html", "report.json"]


@pytest.fixture
def case(cloud, sandbox_needed, db) -> DiagnosisCase:
    return carried(opened(mirrored(cloud, "api-01"), contact="colleague-of-ours"))


def answers(client, case, asked: str) -> list[int]:
    return [client.get(f"{case.get_absolute_url()}{path}{asked}").status_code for path in PATHS]


def test_each_reads_the_copy_that_is_theirs(client, case, viewer, support):
    client.force_login(viewer)
    assert answers(client, case, "") == [200] * 4
    assert answers(client, case, "?copy=customer") == [200] * 4
    assert answers(client, case, "?copy=internal") == [403] * 4
    assert "Internal copy" not in client.get(f"{case.get_absolute_url()}report/").text
    client.force_login(support)
    assert answers(client, case, "?copy=internal") == [200] * 4
    assert answers(client, case, "?copy=secret") == [404] * 4
    assert "Internal copy" in client.get(f"{case.get_absolute_url()}report/").text
