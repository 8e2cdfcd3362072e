"""`manage.py analyze`: evidence in, verdict out, no database.

Two tests start real processes; the others call the same entry, where any use of the database fails.
"""

import gzip
import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from django.core.management import ManagementUtility

from tests.diagnostics import evtx_file
from tests.diagnostics.guest.windows_log import Log

ROOT = Path(__file__).parent.parent.parent
CRASH = (ROOT / "tests/evidence/null-irq/console.log").read_bytes()


def analyze(*args: str, given: bytes = b"") -> SimpleNamespace:
    """What the command answers `given` with: its returncode, stdout and stderr."""
    said, complained, code = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(given))),
        redirect_stdout(said),
        redirect_stderr(complained),
    ):
        try:
            command = ManagementUtility().fetch_command("analyze")
            command.run_from_argv(["manage.py", "analyze", *args])
        except SystemExit as ended:
            code = ended.code
    return SimpleNamespace(
        returncode=code, stdout=said.getvalue().encode(), stderr=complained.getvalue().encode()
    )


def analyze_in_a_process(*args: str, given: bytes = b"") -> subprocess.CompletedProcess:
    """The same in a process of its own, with a database that cannot be opened."""
    environ = os.environ | {"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3", "DEBUG": "1"}
    command = [sys.executable, str(ROOT / "manage.py"), "analyze", *args]
    return subprocess.run(command, input=given, capture_output=True, env=environ, timeout=60)


def test_a_file_is_judged_without_any_database():
    path = str(ROOT / "tests/evidence/null-irq/console.log")
    answer = json.loads(analyze_in_a_process(path).stdout)
    assert answer == json.loads(analyze(path).stdout)
    assert (answer["kind"], answer["subkind"], answer["crashed"]) == (
        "kernel_panic",
        "null_deref",
        True,
    )
    assert list(answer)[:8] == [
        "kind",
        "subkind",
        "crashed",
        "function",
        "bugcheck_code",
        "planned",
        "signature",
        "confidence",
    ]
    assert {"findings", "skipped", "broken"} <= set(answer)


def test_standard_input_is_judged_case_by_case():
    cases = [{"id": "a", "text": CRASH.decode()}, {"id": "b", "text": "all quiet"}]
    given = "\n".join(map(json.dumps, cases)).encode()
    answers = [
        json.loads(line) for line in analyze("-", "--jsonl", given=given).stdout.splitlines()
    ]
    assert [(a["id"], a["kind"]) for a in answers] == [("a", "kernel_panic"), ("b", "none")]


def test_a_process_reads_its_input_and_ends_with_2_where_it_cannot():
    crashed = analyze_in_a_process("-", given=CRASH)
    assert (crashed.returncode, json.loads(crashed.stdout)["kind"]) == (0, "kernel_panic")
    bad = analyze_in_a_process("--jsonl", given=b"{not json")
    assert bad.returncode == 2 and b"line 1 is not JSON" in bad.stderr and not bad.stdout


def test_bad_input_is_named_and_ends_with_2():
    for args, given, message in [
        (["/no/such/file"], b"", "cannot read /no/such/file"),
        (["--jsonl"], b"{not json", "line 1 is not JSON"),
        (["--jsonl"], b"[1, 2]", "line 1 must be a JSON object"),
        (["--jsonl", "--os", "linux"], b'{"id": 1, "text": 7}', "line 1: `text` must be a string"),
        (["--jsonl"], b'{"id": 1, "events": "x"}', "line 1: needs `text` (Linux) or `events`"),
        (["--os", "windows"], b"\xff\xfe nothing", "not JSON"),
        (["--os", "windows"], b"{}", "the input needs `events`"),
    ]:
        ended = analyze(*args, given=given)
        assert ended.returncode == 2, args
        assert message in ended.stderr.decode(), args


def test_what_holds_nothing_to_judge_by_is_called_neither_sound_nor_broken():
    for given in (
        b"",
        b" \r\n" * 9,
        b"\x00" * 100_000,
        bytes(range(256)) * 500,
        b"\x7fELF\2\1" * 99,
    ):
        ended = analyze("-", given=given)
        answer = json.loads(ended.stdout)
        assert (ended.returncode, answer["kind"], answer["confidence"]) == (
            0,
            "undetermined",
            "none",
        )
    empty = json.loads(analyze("--jsonl", given=b'{"id": 1, "text": "\\n"}').stdout)
    assert (empty["kind"], empty["crashed"]) == ("undetermined", False)


def test_text_in_which_nothing_happened_is_sound():
    for given in (b"x" * 3_000_000, b"all quiet", b"\x00" * 5000 + b"all quiet\n"):
        assert json.loads(analyze("-", given=given).stdout)["kind"] == "none"


def test_a_crash_between_bytes_that_are_no_text_is_found():
    noise = bytes(range(1, 32)) * 900
    assert json.loads(analyze("-", given=noise + b"\n" + CRASH).stdout)["kind"] == "kernel_panic"


def test_an_utf_16_text_is_read():
    given = b"\xff\xfe" + CRASH.decode(errors="replace").encode("utf-16-le")
    assert json.loads(analyze("-", given=given).stdout)["subkind"] == "null_deref"


def test_a_windows_case_is_told_by_its_events():
    given = json.dumps({"id": 7, "os": "Windows Server 2022", "events": []}).encode()
    answer = json.loads(analyze("--jsonl", given=given).stdout)
    assert (answer["id"], answer["crashed"], answer["function"]) == (7, False, None)


def test_what_the_collection_script_printed_is_taken_apart():
    text = "#section system\nnow=1772609460\n#section pstore\n" + CRASH.decode(errors="replace")
    given = f"#ecs-bundle 1 linux plain\n{text}\n#ecs-end bytes=0 cksum=0 seconds=1\n".encode()
    answer = json.loads(analyze(given=given).stdout)
    assert answer["subkind"] == "null_deref"
    assert answer["findings"][0]["quote"]["source"] == "pstore"


def test_what_people_bring_is_judged_as_in_a_case():
    log = Log()
    log.crash(60, code=0xD1)
    log.blue(64, 0xD1)
    given = gzip.compress(evtx_file.log(log.events))
    answer = json.loads(analyze(given=given).stdout)
    assert (answer["kind"], answer["bugcheck_code"]) == ("bugcheck", "0xD1")
    assert json.loads(analyze(given=gzip.compress(CRASH)).stdout)["kind"] == "kernel_panic"
    ended = analyze(given=b"PK\x03\x04 and no more")
    assert ended.returncode == 2 and b"was cut off" in ended.stderr
