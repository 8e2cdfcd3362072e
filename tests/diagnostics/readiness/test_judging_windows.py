"""What a Windows machine lacks for the next crash, and what only looks like it. No database."""

import pytest

from diagnostics.readiness import windows
from diagnostics.readiness.checks import KINDS, MISSING, OK, UNKNOWN
from diagnostics.readiness.fixes import steps

from . import answers
from .answers import GIB


def judged(record) -> dict:
    return {check.name: check for check in windows.judge(windows.read(record))}


def state(name: str, **changes) -> str:
    return judged(answers.windows(**changes))[name].state


def control(**values):
    return {"crash_control": values}


def free(gib: float):
    return {"readiness": {"Drives": [{"DeviceID": "C:", "FreeSpace": int(gib * GIB)}]}}


def test_a_machine_that_keeps_everything_lacks_nothing():
    found = judged(answers.windows())
    assert {check.state for check in found.values()} == {OK}
    assert found.keys() <= KINDS.keys()


def test_a_machine_that_told_nothing_is_unknown_and_never_ok():
    nothing = {"system": {}, "crash_control": None, "pagefile": None, "gaps": ["no rights"]}
    found = judged(nothing)
    assert {check.state for check in found.values()} == {UNKNOWN}
    assert "no rights" in str(found["dump_enabled"].found)


@pytest.mark.parametrize(
    ("expected", "value"),
    [(MISSING, 0), (OK, 1), (OK, 2), (OK, 3), (OK, 7), (UNKNOWN, 9), (UNKNOWN, None)],
)
def test_the_kind_of_dump(expected, value):
    assert state("dump_enabled", **control(CrashDumpEnabled=value)) == expected


def pagefile(megabytes: int, name: str = "C:\\pagefile.sys"):
    used = [{"Name": name, "AllocatedBaseSize": megabytes}] if megabytes else []
    return {"pagefile": {"Win32_PageFileUsage": used}}


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (OK, pagefile(4864)),
        (MISSING, pagefile(0)),
        (MISSING, pagefile(4864, "D:\\pagefile.sys")),
        (MISSING, pagefile(4864) | control(CrashDumpEnabled=1)),  # a complete dump of 16 GiB
        (OK, pagefile(16641) | control(CrashDumpEnabled=1)),
        (OK, pagefile(0) | control(DedicatedDumpFile="D:\\dedicated.sys")),
        (UNKNOWN, pagefile(400)),  # may do on a small machine
        (OK, pagefile(400) | control(CrashDumpEnabled=3)),
        (MISSING, pagefile(0) | control(CrashDumpEnabled=0)),  # judged by what is to be turned on
        (UNKNOWN, {"pagefile": None}),
    ],
)
def test_the_page_file(expected, changes):
    assert state("page_file", **changes) == expected


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (OK, free(6)),
        (MISSING, free(5)),
        (MISSING, free(6) | control(CrashDumpEnabled=1)),
        (OK, free(0.1) | control(CrashDumpEnabled=3)),
        (UNKNOWN, control(DumpFile="D:\\MEMORY.DMP")),  # nothing is known of that drive
        (UNKNOWN, {"pagefile": {"TotalPhysicalMemory": None}}),
    ],
)
def test_the_room_for_a_dump(expected, changes):
    assert state("dump_space", **changes) == expected


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (OK, free(25)),
        (MISSING, free(24.9)),
        (OK, free(9) | control(AlwaysKeepMemoryDump=1)),
        (OK, free(9) | control(CrashDumpEnabled=3)),
        (UNKNOWN, {"readiness": free(9)["readiness"] | {"PartOfDomain": None}}),
        (OK, {"readiness": free(9)["readiness"] | {"PartOfDomain": True}}),
    ],
)
def test_a_dump_that_windows_would_delete_again(expected, changes):
    assert state("dump_kept", **changes) == expected


@pytest.mark.parametrize(
    ("name", "setting"), [("auto_reboot", "AutoReboot"), ("crash_event", "LogEvent")]
)
@pytest.mark.parametrize(("expected", "value"), [(OK, 1), (MISSING, 0), (UNKNOWN, None)])
def test_settings_of_the_blue_screen(name, setting, expected, value):
    assert state(name, **control(**{setting: value})) == expected


def log(**values):
    first = answers.WINDOWS["readiness"]["EventLogs"][0]
    return {"readiness": {"EventLogs": [first | values]}}


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (OK, log(LogMode="AutoBackup")),
        (MISSING, log(LogMode="Retain")),
        (MISSING, log(IsEnabled=False)),
        (MISSING, log(MaximumSizeInBytes=1 << 20)),
        (UNKNOWN, log(LogMode="")),
        (UNKNOWN, log(MaximumSizeInBytes=None)),
        (UNKNOWN, log(LogName="Application")),
    ],
)
def test_the_system_log(expected, changes):
    assert state("event_log", **changes) == expected


def test_one_log_or_drive_may_come_without_its_list():
    told = answers.WINDOWS["readiness"]
    alone = {"Drives": told["Drives"][0], "EventLogs": told["EventLogs"][0]}
    assert state("event_log", readiness=alone) == OK


def test_whatever_is_missing_has_steps_and_its_line():
    settings = dict.fromkeys(("CrashDumpEnabled", "AutoReboot", "LogEvent"), 0)
    bad = answers.windows(
        system={"agent_version": "1.0"},
        crash_control=settings,
        readiness=free(1)["readiness"] | log(IsEnabled=False)["readiness"],
        **pagefile(0),
    )
    for check in judged(bad).values():
        assert check.state == MISSING, check
        assert check.line, check.name
        assert steps(check.fix, "windows"), check.name
