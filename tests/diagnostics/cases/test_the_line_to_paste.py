"""The script as one line, pasted on a machine whose agent is down, brings what the agent would."""

import base64
import gzip
import re
from datetime import UTC, datetime

import pytest

from diagnostics import reading, scripts
from diagnostics.conclusions import conclude
from diagnostics.facts import Facts, Machine
from diagnostics.known import with_reading
from diagnostics.readers import kinds
from diagnostics.reading import Handed
from tests.diagnostics.cases.conftest import carried, machine, mirrored, opened
from tests.diagnostics.cases.test_handing_evidence_in import judged, sent

pytestmark = pytest.mark.django_db
SILENT = "mq-01"  # crashed, its agent did not come up again, nothing on the serial port


def typed(simulator, line: str) -> str:
    return simulator.control("POST", "logins", {"instance": SILENT, "lines": line})["output"]


@pytest.mark.parametrize("os", ["linux", "windows"])
def test_the_line_holds_the_very_script_and_nothing_to_fetch(os):
    (way,) = scripts.ways(7, os)
    assert "\n" not in way.line and "http" not in way.line
    (packed,) = re.findall(r"[A-Za-z0-9+/=]{1000,}", way.line)
    assert gzip.decompress(base64.b64decode(packed)).decode() == scripts.text(os)


def test_powershell_can_read_its_line():
    import tree_sitter_powershell
    from tree_sitter import Language, Parser

    (way,) = scripts.ways(7, "windows")
    short = re.sub(r"[A-Za-z0-9+/=]{1000,}", "QUJD", way.line)
    parser = Parser(Language(tree_sitter_powershell.language()))
    assert not parser.parse(short.encode()).root_node.has_error


def test_both_ways_are_offered_where_nobody_knows_the_system():
    assert [way.os for way in scripts.ways(7, "")] == ["linux", "windows"]
    assert [way.os for way in scripts.ways(7, "windows")] == ["windows"]


def test_the_line_prints_a_whole_bundle_and_keeps_it_in_a_file(cloud, sandbox_needed):
    (way,) = scripts.ways(7, "linux")
    output = typed(cloud, f"{way.line} > /dev/null; cat {way.output}")
    body = output.encode()
    assert kinds.recognised("paste", body) == kinds.BUNDLE
    found = reading.read({}, "linux", None, [Handed("upload-1", kinds.BUNDLE, "paste", body)])
    truth = machine(cloud, SILENT).truth
    assert found.complete and found.state is not None
    assert (found.guest.verdict.kind, found.guest.verdict.function) == (truth.kind, truth.function)


def test_the_agent_down_case_comes_to_its_verdict_from_uploads_alone(
    client, support, cloud, sandbox_needed
):
    before = cloud.counters()["runs"]
    case = carried(opened(mirrored(cloud, SILENT), opened_by=support))
    assert case.kind == "undetermined"
    client.force_login(support)
    page = client.get(f"/cases/{case.pk}/by-hand/").content.decode()
    (way,) = scripts.ways(case.pk, "linux")
    assert way.line.replace('"', "&quot;") in page
    sent(client, case, text=typed(cloud, way.line))
    case.refresh_from_db()
    case = judged(case)
    truth = machine(cloud, SILENT).truth
    assert (case.kind, case.subkind, case.function) == (truth.kind, truth.subkind, truth.function)
    assert abs((case.went_down_at - truth.down_at).total_seconds()) < 120
    row = case.evidence.get(origin="paste")
    assert row.kind == "bundle" and case.findings.first().evidence == row
    dumps = case.steps.get(key="dumps")
    assert dumps.state == "done" and not dumps.reason and not dumps.instead
    assert cloud.counters()["runs"] == before  # nothing went through the agent


@pytest.mark.parametrize(
    ("known", "by_hand", "noticed"),
    [
        ("db-02", True, True),
        ("MQ-01.corp.local", True, False),
        ("", True, False),
        ("db-02", False, 0),
    ],
)
def test_the_output_of_another_machine_is_noticed(cloud, sandbox_needed, known, by_hand, noticed):
    (way,) = scripts.ways(7, "linux")
    body = typed(cloud, way.line).encode()
    pieces = [Handed("upload-1", kinds.BUNDLE, "out.txt", body)] if by_hand else []
    found = reading.read({} if by_hand else {"guest_output": body}, "linux", None, pieces)
    facts = Facts(datetime.now(UTC), Machine("i-1", os_type="linux", hostname=known))
    said = [str(line) for line in conclude(with_reading(facts, found)).contradictions]
    assert any("is of the host mq-01, but" in line for line in said) == bool(noticed)
