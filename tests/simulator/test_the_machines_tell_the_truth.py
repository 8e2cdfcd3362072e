"""What the collection scripts find on each machine comes to what really happened to it."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from diagnostics import scripts
from diagnostics.analyzers import linux, windows
from diagnostics.findings import Analysis, Verdict, Window
from diagnostics.readers import bundle, dump_header, linux_state, windows_record
from simulator.machine import Machine
from tests.simulator.machines import answering, demo, machine
from tests.sizes import sample

NOW = datetime.now(UTC)
LINUX = [m.name for m in answering()]
WINDOWS = [m.name for m in demo().machines if m.os_type == "windows"]
TYPES = {"linux": "RunShellScript", "windows": "RunPowerShellScript"}


def collected(m: Machine) -> dict[str, str]:
    ran = m.run(scripts.text(m.os_type), type=TYPES[m.os_type], timeout=60, stop=threading.Event())
    assert ran.exit_code == 0
    assert len(ran.output) <= 24_576
    found = bundle.read(ran.output)
    assert (found.complete, found.problems) == (True, ())
    return found.sections


def judged(m: Machine, window: Window | None = None) -> Analysis:
    return judgement(collected(m), m, window)


def judgement(sections: dict[str, str], m: Machine, window: Window | None = None) -> Analysis:
    if m.os_type == "linux":
        analysis = linux.judge(sections, window)
    else:
        analysis = windows.judge(windows_record.read(sections), window)
    assert not analysis.broken
    return analysis


def agrees(verdict: Verdict, m: Machine) -> None:
    truth = m.truth
    assert verdict.kind == (truth.kind if truth.guest is None else truth.guest)
    if truth.guest is None:
        assert truth.subkind in (None, verdict.subkind)
        assert truth.function in (None, verdict.function)
        assert truth.bugcheck_code == verdict.bugcheck_code


@pytest.mark.usefixtures("sandbox_needed")
@pytest.mark.parametrize("name", sample(LINUX, 4))
def test_the_linux_script_finds_it_and_in_the_window_too(name):
    m, hour = machine(name), timedelta(hours=1)
    sections = collected(m)
    agrees(judgement(sections, m).verdict, m)
    if down := m.truth.down_at:
        agrees(judgement(sections, m, Window(down - hour, down + hour)).verdict, m)


@pytest.mark.parametrize("name", WINDOWS)
def test_the_windows_script_finds_it(name):
    agrees(judged(machine(name)).verdict, machine(name))


@pytest.mark.usefixtures("sandbox_needed")
@pytest.mark.parametrize("name", ["web-01", "ad-01"])
def test_nothing_happened_lately_on_the_healthy_ones(name):
    lately = Window(NOW - timedelta(hours=6), NOW)
    assert judged(machine(name), lately).verdict.kind in ("none", "none_healthy")


def test_the_console_alone_tells_the_panic_that_the_guest_lost():
    m = machine("log-01")
    text, _ = m.console(NOW)
    verdict = linux.judge({"console": text.decode()}).verdict
    assert (verdict.kind, verdict.subkind, verdict.function) == (
        "kernel_panic", m.truth.subkind, m.truth.function,
    )  # fmt: skip


@pytest.mark.usefixtures("sandbox_needed")
@pytest.mark.parametrize(
    ("name", "service", "active", "dumped"),
    [
        ("web-03", "kdump", "active", True),
        ("api-01", "kdump", "inactive", False),
        ("api-02", "none", "unknown", False),
        ("test-01", "kdump-tools", "active", True),
    ],
)
def test_the_dump_setup_is_told_for_both_families(name, service, active, dumped):
    sections = collected(machine(name))
    rows = dict(line.split("=", 1) for line in sections["kdump"].splitlines())
    assert (rows["service"], rows["active"]) == (service, active)
    assert bool(sections["dumps"].strip()) is dumped
    assert linux_state.read(sections)


def test_the_minidumps_header_tells_its_bugcheck():
    (dump,) = windows_record.read(collected(machine("rds-01")))["dumps"]
    header = dump_header.read(dump["first"])
    assert (header.code, header.type, header.machine) == (0x133, "small", "x64")
    assert abs(header.crashed_at - machine("rds-01").truth.down_at) < timedelta(seconds=2)
