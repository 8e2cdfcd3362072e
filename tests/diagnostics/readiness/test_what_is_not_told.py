"""Whatever part of an answer is lost, nothing becomes ok by it, and silence is nobody's fault."""

import copy

import pytest

from diagnostics.readiness import linux, windows
from diagnostics.readiness.checks import MISSING, OK

from . import answers

READY = answers.linux()
BARE = answers.linux(
    "quiet",
    "journal_storage=/etc/systemd/journald.conf:volatile\n",
    system={"agent_version": "1.0"},
    kdump={
        "service": "kdump-tools",
        "use_kdump": "0",
        "crash_size": "0",
        "crash_loaded": "0",
        "space_free_kb": "1",
    },
    sysctl=dict.fromkeys(answers.LINUX["sysctl"], "0"),
    readiness={"pstore_backend": "(null)", "var_free_kb": "1", "journal_place": "used"},
)
FAR = answers.linux(kdump={"target": "nfs 10.0.0.9:/dumps"}, readiness={"collector": "scp"})
# Only the order of lines guards these: what is cut behind them is missed elsewhere.
ORDER_GUARDS = "journal_storage="


def judged(sections) -> dict[str, str]:
    return {check.name: check.state for check in linux.judge(linux.read(sections))}


def without_each_line(sections):
    for name, text in sections.items():
        yield name, {key: value for key, value in sections.items() if key != name}
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            if not line.startswith(ORDER_GUARDS):
                left = "".join(lines[:number] + lines[number + 1 :])
                yield line, {**sections, name: left}
        for number in range(len(lines)):  # and cut from here on, as a time limit cuts
            yield f"from {lines[number]}", {**sections, name: "".join(lines[:number])}


@pytest.mark.parametrize("sections", [READY, BARE, FAR], ids=["ready", "bare", "far"])
def test_a_lost_line_makes_nothing_ok_on_linux(sections):
    before = judged(sections)
    for what, cut in without_each_line(sections):
        if "cmdline" in what or "BOOT_IMAGE" in what or what == "quiet":
            continue  # a command line is one line: it is there or not
        for name, state in judged(cut).items():
            assert state != OK or before[name] == OK, (name, what)


def test_a_lost_line_accuses_nobody_on_linux():
    for what, cut in without_each_line(READY):
        accused = [name for name, state in judged(cut).items() if state == MISSING]
        assert not accused or what.startswith(("BOOT", "from BOOT")), (accused, what)


def test_every_line_of_the_first_answer_matters_or_is_known_not_to():
    idle = {"os_id", "init", "config_path", "core_path", "efi", "now"}
    idle |= {"active"}  # a crash kernel that is loaded says more
    before = judged(READY)
    deaf = {
        what.partition("=")[0]
        for what, cut in without_each_line(READY)
        if "=" in what and not what.startswith("from") and judged(cut) == before
    }
    assert deaf == idle


def parts_of(record: dict):
    for part, values in record.items():
        if isinstance(values, dict):
            yield part, {**record, part: None if part != "system" else {}}
            for key in values:
                changed = copy.deepcopy(record)
                del changed[part][key]
                yield f"{part}.{key}", changed


BARE_WINDOWS = answers.windows(
    crash_control={"CrashDumpEnabled": 0, "AutoReboot": 0, "LogEvent": 0},
    pagefile={"Win32_PageFileUsage": [], "SystemDriveFree": 1 << 30},
    readiness={"Drives": [{"DeviceID": "C:", "FreeSpace": 1 << 30}], "EventLogs": []},
)


@pytest.mark.parametrize("record", [answers.windows(), BARE_WINDOWS], ids=["ready", "bare"])
def test_a_lost_value_makes_nothing_ok_and_accuses_nobody_on_windows(record):
    def judged(record):
        return {check.name: check.state for check in windows.judge(windows.read(record))}

    before = judged(record)
    for what, changed in parts_of(record):
        for name, state in judged(changed).items():
            assert state != OK or before[name] == OK, (name, what)
            assert state != MISSING or before[name] == MISSING, (name, what)
