"""Windows machines answer the collection script from recorded data, and refuse the rest."""

import base64
import gzip
import hashlib
import json
import struct
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator import windows, windows_boot
from simulator.machine import Machine, Ran
from simulator.world import World

SCRIPT = Path(__file__).resolve().parents[2] / "diagnostics/scripts/windows.ps1"


@pytest.fixture
def known_script(monkeypatch) -> str:
    script = "Write-Output 'read me'"
    digest = hashlib.sha256(script.encode()).hexdigest()
    monkeypatch.setattr(windows, "known_digests", lambda: {digest})
    return script


def machine(name: str) -> Machine:
    return next(m for m in World.demo(datetime.now(UTC)).machines if m.name == name)


def answer(name: str, script: str) -> Ran:
    return machine(name).run(script, type="RunPowerShellScript", timeout=5, stop=threading.Event())


def record(ran: Ran) -> dict:
    first, *body, end, _ = ran.output.decode("ascii").split("\r\n")
    assert first == "#ecs-bundle 1 windows gzip"
    plain = gzip.decompress(base64.b64decode("".join(line.partition(":")[2] for line in body)))
    assert f"bytes={len(plain)} sha256={hashlib.sha256(plain).hexdigest()}" in end
    marker, text, *_ = plain.decode("ascii").split("\n")
    assert marker == "#section record"
    return json.loads(text)


@pytest.mark.skipif(not SCRIPT.exists(), reason="the collection script is not there")
def test_the_portals_script_is_a_known_one():
    digest = hashlib.sha256(SCRIPT.read_bytes()).hexdigest()
    assert digest in windows.known_digests(), (
        f"windows.ps1 changed: if what it prints still has the recorded form, write\n{digest}\n"
        "into simulator/windows_scripts.txt"
    )


def test_the_portals_readiness_script_is_a_known_one():
    from diagnostics.scripts.shared import readiness

    digest = hashlib.sha256(readiness("windows").encode()).hexdigest()
    assert windows.known_scripts().get(digest) == "diagnostics/scripts/readiness.ps1", (
        f"readiness.ps1 or a part it uses changed: write\n{digest}\ninto windows_scripts.txt"
    )


def test_the_portals_probe_of_a_boot_is_a_known_one():
    from commands.reboots.proof import WINDOWS

    digest = hashlib.sha256(WINDOWS.encode()).hexdigest()
    assert digest == windows_boot.DIGEST, (
        f"the probe changed: if what it prints still has the recorded form, write\n{digest}\n"
        "into simulator/windows_boot.py"
    )


def test_each_script_prints_its_own_part(monkeypatch):
    script, digest = "Write-Output 'ready'", hashlib.sha256(b"Write-Output 'ready'").hexdigest()
    monkeypatch.setattr(windows, "known_scripts", lambda: {digest: "x/readiness.ps1"})
    assert set(record(answer("erp-01", script))) == set(windows.READINESS)
    monkeypatch.setattr(windows, "known_scripts", lambda: {digest: "x/windows.ps1"})
    found = record(answer("erp-01", script))
    assert "readiness" not in found and found["events"]


def test_a_recorded_answer_is_marked_as_such_and_fits_the_output_limit(known_script):
    ran = answer("erp-01", known_script)
    assert (ran.source, ran.exit_code) == ("recording", 0)
    assert len(ran.output) < 24_576
    assert record(ran)["system"]["hostname"] == "ERP-01"


def test_other_powershell_is_refused_with_the_reason(known_script):
    ran = answer("erp-01", known_script + " ")
    assert (ran.exit_code, ran.output) == (None, b"")
    assert "cannot run PowerShell" in ran.error_info


def test_shell_scripts_do_not_apply_to_windows():
    ran = machine("erp-01").run("true", type="RunShellScript", timeout=5, stop=threading.Event())
    assert ran.error_code == "CommandNotApplicable"


def test_the_minidump_alone_carries_the_bugcheck_code(known_script):
    found = record(answer("rds-01", known_script))
    (dump,) = found["dumps"]
    start = base64.b64decode(dump["header"]["0"])
    assert (start[:8], struct.unpack_from("<L", start, 0x38)) == (b"PAGEDU64", (0x133,))
    (power,) = (e for e in found["events"] if e["id"] == 41)
    assert power["data"]["BugcheckCode"] == "0"
    assert not any(e["id"] == 1001 for e in found["events"])


@pytest.mark.parametrize("name", ["erp-01", "sql-01", "file-01", "rds-01", "wsus-01"])
def test_the_last_boot_is_the_same_in_the_log_and_in_the_system(name, known_script):
    found = record(answer(name, known_script))
    starts = [e["time"] for e in found["events"] if e["id"] == 12]
    assert max(starts)[:19] == found["system"]["last_boot"][:19]


def test_a_machine_older_than_its_log_shows_rising_uptimes_and_no_start(known_script):
    found = record(answer("ad-01", known_script))
    assert {e["id"] for e in found["events"]} == {6013}
    uptimes = [int(e["data"]["Data"][4]) for e in reversed(found["events"])]
    assert uptimes == sorted(uptimes)
    assert uptimes[-1] < found["system"]["uptime_s"]
