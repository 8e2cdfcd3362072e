"""What people hand in becomes evidence with its origin, and the case is judged with it."""

import gzip
import hashlib
import io
import json
import os
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError

from diagnostics import cases, jobs, uploads
from diagnostics.models import CaseState, Evidence
from portal.audit.models import AuditEntry
from tests.diagnostics import evtx_file
from tests.diagnostics.cases.conftest import carried, opened, told
from tests.diagnostics.guest.windows_log import MORNING, Log
from tests.factories import a_person

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[3]
CORPUS = Path(os.environ.get("PORTAL_CORPUS", ROOT.parent / "shared" / "corpus"))
SAMPLE = CORPUS / "windows" / "System-sample.evtx"
PANIC = b"""\
[    0.000000] Linux version 5.10.134-16.al8.x86_64 (builder@example) #1 SMP
[ 8123.100101] BUG: kernel NULL pointer dereference, address: 0000000000000018
[ 8123.100107] Oops: 0000 [#1] SMP NOPTI
[ 8123.100110] CPU: 1 PID: 0 Comm: swapper/1 Not tainted 5.10.134-16.al8.x86_64 #1
[ 8123.100115] RIP: 0010:nvme_queue_rq+0x2a/0x8c0 [nvme]
[ 8123.100120] Call Trace:
[ 8123.100121]  <IRQ>
[ 8123.100123]  blk_mq_dispatch_rq_list+0x118/0x830
[ 8123.100130]  </IRQ>
[ 8123.100140] Kernel panic - not syncing: Fatal exception in interrupt
"""


@pytest.fixture
def outside(support, cloud):
    """A case about a machine that nobody here can ask."""
    case = carried(opened(None, instance_text="their-machine", opened_by=support))
    assert case.kind == "undetermined"
    return case


def sent(client, case, *files, text=""):
    uploads_ = [SimpleUploadedFile(name, body) for name, body in files]
    return client.post(f"/cases/{case.pk}/by-hand/", {"files": uploads_, "text": text})


def judged(case):
    """The case after the worker of the `analyze` queue had its turn."""
    assert case.state == CaseState.JUDGING and jobs.judge(case.pk)
    case.refresh_from_db()
    return case


def crash() -> list[dict]:
    log = Log()
    log.started(0)
    log.crash(60, code=0xD1, parameters=("0x10", "0x2", "0x0", "0xfffff80012345678"))
    log.blue(64, 0xD1)
    return log.events


def test_an_uploaded_crash_log_gives_the_verdict_and_says_where_it_came_from(
    client, support, outside
):
    client.force_login(support)
    answer = sent(client, outside, ("vmcore-dmesg.txt", PANIC))
    assert answer.status_code == 302 and answer.url == outside.get_absolute_url()
    row = outside.evidence.get()
    assert row.origin == "upload" and row.kind == "vmcore_dmesg" and row.given_by == support
    assert (row.file_name, row.size) == ("vmcore-dmesg.txt", len(PANIC))
    assert row.sha256 == hashlib.sha256(PANIC).hexdigest() and row.body() == PANIC

    outside.refresh_from_db()
    case = judged(outside)
    assert (case.kind, case.function) == ("kernel_panic", "nvme_queue_rq")
    assert case.findings.first().evidence == row
    report = told(case)
    assert "vmcore-dmesg.txt" in report["root_cause"] and "could not verify" in report["root_cause"]
    assert f"uploaded by a person, unverified, {len(PANIC)} bytes" in report["report"]
    assert support.get_username() in report["report"]
    assert "**Read From:** vmcore-dmesg.txt, handed in by a person" in report["report"]
    assert "A person handed in: vmcore-dmesg.txt." in report["report"]
    guest = next(step for step in report["steps"] if step["key"] == "guest")
    assert guest["state"] == "done" and "vmcore-dmesg.txt" in " ".join(guest["summary"])


def test_the_customers_copy_does_not_name_who_brought_it(client, support, outside):
    from diagnostics.report import rendered

    support.username = "wang.fang"
    support.save()
    client.force_login(support)
    sent(client, outside, ("vmcore-dmesg.txt", PANIC))
    outside.refresh_from_db()
    case = judged(outside)
    assert "wang.fang" in rendered(case, "internal", "md")
    copy = rendered(case, "customer", "md")
    assert "wang.fang" not in copy and "vmcore-dmesg.txt" in copy


def test_several_files_packed_in_any_way_go_to_one_case(client, support, outside):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/vmcore-dmesg.txt", PANIC)
        archive.writestr("logs/messages.gz", gzip.compress(b"Nov 20 02:00:00 web01 sshd[1]: hi\n"))
    client.force_login(support)
    sent(
        client,
        outside,
        ("logs.zip", packed.getvalue()),
        ("console.log.gz", gzip.compress(b"login: \n")),
        text="[    1.0] pasted by hand\n",
    )
    rows = {row.file_name: row for row in outside.evidence.all()}
    assert {name: row.kind for name, row in rows.items()} == {
        "vmcore-dmesg.txt": "vmcore_dmesg",
        "messages": "messages",
        "console.log": "console",
        "pasted text": "text",
    }
    assert rows["pasted text"].origin == "paste"
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    assert rows["messages"].packed_in == f"logs.zip, SHA-256 {digest}"
    outside.refresh_from_db()
    assert judged(outside).function == "nvme_queue_rq"


def test_a_windows_event_log_is_read_through_the_upload_page(client, support, cloud):
    case = opened(
        None,
        instance_text="their-windows",
        opened_by=support,
        seen_at=MORNING + timedelta(minutes=61),
    )
    case = carried(case)
    client.force_login(support)
    sent(client, case, ("System.evtx", evtx_file.log(crash())))
    case.refresh_from_db()
    case = judged(case)
    assert (case.kind, case.bugcheck_code) == ("bugcheck", "0xD1")
    report = told(case)["report"]
    assert "### Step 3B: Windows System Diagnosis" in report and "System.evtx" in report


@pytest.mark.skipif(not SAMPLE.exists(), reason=f"no {SAMPLE}")
def test_a_real_system_log_is_read_end_to_end_through_the_upload_page(client, support, cloud):
    at = datetime(2018, 7, 12, 0, 41, tzinfo=UTC)
    case = carried(opened(None, instance_text="desktop", opened_by=support, seen_at=at))
    client.force_login(support)
    sent(client, case, ("System.evtx", SAMPLE.read_bytes()))
    case.refresh_from_db()
    case = judged(case)
    assert case.kind == "planned_update" and case.crashed is False
    assert case.came_back_at == datetime(2018, 7, 12, 0, 41, 50, 944730, tzinfo=UTC)
    assert "svchost.exe" in told(case)["report"]


def test_handing_in_is_written_in_the_audit(client, support, outside):
    client.force_login(support)
    sent(client, outside, ("vmcore-dmesg.txt", PANIC))
    entry = AuditEntry.objects.get(act="evidence.added")
    assert entry.actor == support
    assert entry.details["evidence"][0]["sha256"] == hashlib.sha256(PANIC).hexdigest()


def test_the_same_file_twice_is_kept_once(client, support, outside):
    client.force_login(support)
    for _again in range(2):
        answer = sent(client, outside, ("vmcore-dmesg.txt", PANIC))
    assert outside.evidence.count() == 1
    assert "is there already" in client.get(answer.url).content.decode()


def test_a_wrong_kind_is_corrected_and_the_case_judged_again(client, support, outside):
    client.force_login(support)
    sent(client, outside, ("vmcore-dmesg.txt", PANIC))
    outside.refresh_from_db()
    case = judged(outside)
    row = case.evidence.get()
    client.post(f"/cases/{case.pk}/evidence/{row.pk}/kind/", {"kind": "unused"})
    case.refresh_from_db()
    case = judged(case)
    assert case.kind == "undetermined" and not case.findings.exists()
    step = case.steps.get(key="guest")
    assert step.state == "failed" and step.reason_lines and step.instead_lines
    entry = AuditEntry.objects.get(act="evidence.kind_changed")
    assert (entry.details["before"], entry.details["after"]) == ("vmcore_dmesg", "unused")

    answer = client.post(f"/cases/{case.pk}/evidence/{row.pk}/kind/", {"kind": "nonsense"})
    assert "choose one of the list" in client.get(answer.url).content.decode()


def test_evidence_that_comes_while_the_case_is_judged_is_judged_too(support, outside, monkeypatch):
    from diagnostics import judging

    whole, late = judging.conclude, [uploads.Offer("vmcore-dmesg.txt", PANIC)]

    def conclude(facts):
        while late:
            uploads.hand_in(outside, [late.pop()], by=support, via="page")
        return whole(facts)

    monkeypatch.setattr(judging, "conclude", conclude)
    cases.judge_again(outside, by=support, via="page")
    assert jobs.judge(outside.pk)  # ends, and finds that more has come
    outside.refresh_from_db()
    assert judged(outside).function == "nvme_queue_rq"


def test_who_may_not_hand_in_still_reads_how_it_is_done(client, support, outside):
    outside.instance = None
    viewer = a_person("viewer")
    outside.opened_by = viewer
    outside.save()
    client.force_login(viewer)
    page = client.get(f"/cases/{outside.pk}/by-hand/").content.decode()
    assert "base64 -d" in page and 'type="file"' not in page
    assert sent(client, outside, ("x.txt", PANIC)).status_code == 403
    client.force_login(a_person("support"))
    assert sent(client, outside, ("x.txt", PANIC)).status_code == 404  # not theirs to see


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("empty.txt", b"", "empty"),
        ("nul.txt", bytes(5000), "is empty"),
        ("vmcore", b"\x7fELF" + bytes(500), "bring vmcore-dmesg.txt"),
        ("noise.bin", bytes(range(256)) * 40, "neither text nor"),
        ("logs.tar.gz", gzip.compress(bytes(257) + b"ustar" + bytes(500)), "tar archive"),
        ("bomb.gz", gzip.compress(bytes(1 << 20)) * 80, "unpacks to more than 64 MB"),
        ("cut.zip", b"PK\x03\x04" + bytes(100), "was cut off"),
        ("log.xz", b"\xfd7zXZ\x00" + bytes(90), "use gzip or zip"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_evidence_is_refused_beside_its_field(
    client, support, outside, name, body, why
):
    client.force_login(support)
    answer = sent(client, outside, (name, body))
    page = answer.content.decode()
    assert answer.status_code == 400 and why in page
    assert re.search(rf'id="files-told">\s*<p class="wrong" role="alert">[^<]*{name[:4]}', page)
    assert not outside.evidence.exists()


def test_nothing_is_an_answer_to_be_corrected(client, support, outside):
    client.force_login(support)
    answer = sent(client, outside)
    assert answer.status_code == 400
    assert "Choose a file or paste a text." in answer.content.decode()


def test_a_case_takes_only_so_much(client, support, outside, settings):
    settings.CASE_EVIDENCE_MOST = 1 << 20
    client.force_login(support)
    answer = sent(client, outside, ("big.log", b"line\n" * 300_000))
    assert answer.status_code == 400 and "at most" in answer.content.decode()
    assert not Evidence.objects.filter(case=outside).exists()


def test_the_command_hands_in_and_judges_at_once(support, outside, tmp_path, capsys):
    file = tmp_path / "vmcore-dmesg.txt"
    file.write_bytes(PANIC)
    asked = {"person": support.get_username(), "format": "json"}
    call_command("add_evidence", outside.pk, str(file), **asked)
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"]["function"] == "nvme_queue_rq" and answer["state"] == "concluded"
    assert answer["taken"][0]["kind"] == "vmcore_dmesg"
    assert outside.evidence.get().given_by == support


@pytest.mark.parametrize(
    ("case", "file", "person", "why"),
    [
        (0, "/no/such", "", "case: there is no case 0"),
        (None, "/no/such", "", "files: cannot read /no/such"),
        (None, "/bin/sh", "", "files: sh is a memory image"),
        (None, "/no/such", "nobody", "--as: there is no active user nobody"),
    ],
)
def test_the_command_names_what_is_wrong(outside, case, file, person, why):
    pk = outside.pk if case is None else case
    with pytest.raises(CommandError, match=re.escape(why)) as error:
        call_command("add_evidence", pk, file, person=person)
    assert error.value.returncode == 2


def test_a_hostile_name_stays_a_name_everywhere(client, support, outside):
    from diagnostics.report import FORMS, rendered

    name = 'x"; filename=y.exe <script>alert(1)</script> [a](b).txt'
    offer = uploads.Offer(name, PANIC)
    uploads.hand_in(outside, [offer], by=support, via="page")
    outside.refresh_from_db()
    case = judged(outside)
    row = case.evidence.get()
    client.force_login(support)
    urls = ["", "by-hand/", "report/", f"evidence/{row.pk}/"]
    pages = [client.get(f"/cases/{case.pk}/{url}").content.decode() for url in urls]
    for page in (*pages, rendered(case, "internal", "html")):
        assert "<script>alert" not in page
    assert "html" in FORMS and "[a](b)" not in rendered(case, "internal", "md")
    kept = client.get(f"/cases/{case.pk}/evidence/{row.pk}/raw/")["Content-Disposition"]
    assert kept.startswith("attachment; filename=") and kept.count('"') - kept.count('\\"') == 2
