"""What a Linux machine lacks for the next crash, and what only looks like it. No database."""

import pytest

from diagnostics.readiness import linux
from diagnostics.readiness.checks import KINDS, MISSING, OK, UNKNOWN
from diagnostics.readiness.fixes import steps

from . import answers


def judged(sections) -> dict:
    return {check.name: check for check in linux.judge(linux.read(sections))}


def state(name: str, **changes) -> str:
    return judged(answers.linux(**changes))[name].state


def test_a_machine_that_keeps_everything_lacks_nothing():
    found = judged(answers.linux())
    assert {check.state for check in found.values()} == {OK}
    assert found.keys() <= KINDS.keys()


def test_a_machine_that_told_nothing_is_unknown_and_never_ok():
    found = judged({"collection": "system: not asked, the time was over"})
    assert {check.state for check in found.values()} == {UNKNOWN}


@pytest.mark.parametrize("section", ["kdump", "sysctl", "readiness"])
def test_without_a_section_nothing_that_rests_on_it_is_ok_or_missing(section):
    whole, cut = judged(answers.linux()), judged(answers.linux(**{section: None}))
    changed = {name for name in whole if whole[name].state != cut[name].state}
    assert changed
    assert {cut[name].state for name in changed} == {UNKNOWN}


def kdump(**values):
    return {"kdump": values}


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (MISSING, kdump(service="none", active="unknown", enabled="unknown")),
        (MISSING, kdump(enabled="disabled")),
        (MISSING, kdump(enabled="masked")),
        (MISSING, kdump(active="failed", crash_loaded="0")),
        (MISSING, kdump(service="kdump-tools", use_kdump="0")),
        (OK, kdump(service="kdump-tools", use_kdump="1")),
        (OK, kdump(enabled="static")),
        (OK, kdump(active="inactive")),  # somebody else loaded the crash kernel
        (UNKNOWN, kdump(enabled="unknown")),
        (UNKNOWN, kdump(active="activating", crash_loaded="0")),
        (UNKNOWN, kdump(active="unknown", crash_loaded="")),
    ],
)
def test_the_kdump_service(expected, changes):
    assert state("kdump_service", **changes) == expected


@pytest.mark.parametrize(
    ("expected", "cmdline", "size"),
    [
        (MISSING, "root=/dev/vda1", "0"),
        (MISSING, "root=/dev/vda1", ""),
        (MISSING, "root=/dev/vda1 crashkernel=auto", "0"),  # asked for, and not given
        (MISSING, "root=/dev/vda1 nocrashkernel=256M", "0"),
        (OK, "root=/dev/vda1 crashkernel=256M", "268435456"),
        (OK, "root=/dev/vda1", "268435456"),  # a default of the kernel itself
        (UNKNOWN, "root=/dev/vda1 crashkernel=256M", ""),
    ],
)
def test_the_memory_of_the_crash_kernel(expected, cmdline, size):
    assert state("crash_memory", cmdline=cmdline, **kdump(crash_size=size)) == expected


def test_memory_that_the_kernel_did_not_give_asks_for_other_steps():
    found = judged(answers.linux(**kdump(crash_size="0")))["crash_memory"]
    assert "256M" in str(found.found) and found.line == "crashkernel=256M crash_size=0"
    assert found.fix == "crash_memory_size"


@pytest.mark.parametrize(("expected", "loaded"), [(OK, "1"), (MISSING, "0"), (UNKNOWN, "")])
def test_the_loaded_crash_kernel(expected, loaded):
    assert state("crash_kernel", **kdump(crash_loaded=loaded)) == expected


def room(free_kb: int, memory_kb: int = 16_000_000, **more):
    told = {"memory_kb": str(memory_kb), **more}
    return {"kdump": {"space_free_kb": str(free_kb)}, "readiness": told}


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (OK, room(4_000_000)),  # the usual filter keeps the kernel's pages only
        (MISSING, room(3_999_999)),
        (MISSING, room(4_000_000, collector="scp")),
        (MISSING, room(4_000_000, collector="makedumpfile -c -d 1")),
        (OK, room(4_000_000, collector="makedumpfile -l --message-level 7 -d 31")),
        (OK, room(4_000_000, makedump_args="-c -d 31")),
        (OK, room(16_000_000, collector="cp")),
        (UNKNOWN, {"kdump": {"target": "nfs 10.0.0.9:/dumps"}}),
        (UNKNOWN, {"kdump": {"space_free_kb": ""}}),
        (UNKNOWN, {"readiness": {"memory_kb": ""}}),
    ],
)
def test_the_room_for_a_dump(expected, changes):
    assert state("dump_space", **changes) == expected


@pytest.mark.parametrize(
    ("expected", "panic", "loaded"),
    [
        (OK, "10", "0"),
        (OK, "-1", "0"),
        (OK, "0", "1"),  # the crash kernel restarts the machine
        (MISSING, "0", "0"),
        (UNKNOWN, "0", ""),
        (UNKNOWN, None, "1"),
    ],
)
def test_the_restart_after_a_panic(expected, panic, loaded):
    changes = {"sysctl": {"kernel.panic": panic}, "kdump": {"crash_loaded": loaded}}
    assert state("panic_reboot", **changes) == expected


@pytest.mark.parametrize("name", ["panic_on_oops", "softlockup_panic", "hung_task_panic"])
@pytest.mark.parametrize(("expected", "value"), [(OK, "1"), (MISSING, "0"), (UNKNOWN, None)])
def test_what_becomes_a_panic(name, expected, value):
    assert state(name, sysctl={f"kernel.{name}": value}) == expected


def journal(place: str, *storage: str, **more) -> str:
    lines = "".join(f"journal_storage={line}\n" for line in storage)
    return state("journal", more=lines, readiness={"journal_place": place, **more})


@pytest.mark.parametrize(
    ("expected", "place", "storage"),
    [
        (OK, "used", []),
        (OK, "used", ["/etc/systemd/journald.conf:persistent"]),
        (MISSING, "none", []),
        (MISSING, "none", ["/etc/systemd/journald.conf:persistent"]),
        (MISSING, "empty", []),
        (MISSING, "used", ["/etc/systemd/journald.conf:volatile"]),  # old files prove nothing
        (MISSING, "used", ["/etc/systemd/journald.conf:none"]),
        (
            OK,
            "used",
            [
                "/etc/systemd/journald.conf.d/50-keep.conf:persistent",
                "/etc/systemd/journald.conf:volatile",
            ],
        ),
        (
            MISSING,
            "used",
            [
                "/usr/lib/systemd/journald.conf.d/90-small.conf:volatile",
                "/etc/systemd/journald.conf.d/50-keep.conf:persistent",
            ],
        ),
        (
            OK,
            "used",
            [
                "/usr/lib/systemd/journald.conf.d/50-keep.conf:volatile",
                "/etc/systemd/journald.conf.d/50-keep.conf:persistent",
            ],
        ),
        (UNKNOWN, "unreadable", []),
    ],
)
def test_the_journal(expected, place, storage):
    assert journal(place, *storage) == expected


@pytest.mark.parametrize(
    ("expected", "written"), [(OK, 1795248000 - 600), (MISSING, 1795248000 - 2 * 86400)]
)
def test_without_a_journal_a_log_that_is_written_takes_its_place(expected, written):
    log = f"syslog={written} /var/log/messages\n"
    assert state("journal", more=log, readiness={"journald": "no"}) == expected


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        (OK, {}),
        (MISSING, {"pstore_backend": "(null)"}),
        (MISSING, {"pstore": "no", "pstore_backend": ""}),
        (UNKNOWN, {"pstore": ""}),
    ],
)
def test_pstore(expected, told):
    assert state("pstore", readiness=told) == expected


@pytest.mark.parametrize(
    ("expected", "cmdline"),
    [
        (OK, "console=tty0 console=ttyS0"),
        (OK, "console=ttyAMA0,115200"),
        (MISSING, "console=tty0"),
        (MISSING, "netconsole=ttyS0"),
    ],
)
def test_the_serial_console(expected, cmdline):
    assert state("serial_console", cmdline=cmdline) == expected


@pytest.mark.parametrize(
    ("expected", "size", "free"),
    [
        (OK, "40000000", "2000000"),
        (MISSING, "40000000", "1900000"),
        (MISSING, "4000000", "1000000"),
        (UNKNOWN, "40000000", ""),
    ],
)
def test_the_room_in_var(expected, size, free):
    assert state("var_space", readiness={"var_size_kb": size, "var_free_kb": free}) == expected


@pytest.mark.parametrize(
    ("expected", "version"),
    [(OK, "2.2.3.317"), (OK, "2.10.0.1"), (MISSING, "2.2.3.316"), (UNKNOWN, "")],
)
def test_the_agent(expected, version):
    assert state("agent", system={"agent_version": version}) == expected


def test_the_version_that_ecs_knows_stands_in_for_one_not_told():
    facts = linux.read(answers.linux(system={"agent_version": ""}))
    assert linux.judge(facts, "2.2.3.857")[-1].state == OK


@pytest.mark.parametrize("family", ["rhel", "debian", "suse", "other"])
def test_whatever_is_missing_has_steps_for_each_family(family):
    bad = answers.linux(
        "quiet",
        system={"agent_version": "1.0"},
        kdump={
            "service": "none",
            "crash_size": "0",
            "crash_loaded": "0",
            "space_free_kb": "1",
        },
        sysctl=dict.fromkeys(answers.LINUX["sysctl"], "0"),
        readiness={"journal_place": "none", "pstore": "no", "var_free_kb": "1"},
    )
    found = judged(bad)
    assert {check.state for check in found.values()} == {MISSING}
    for check in found.values():
        assert steps(check.fix, family), check.name
        assert check.line, check.name


def test_both_families_are_told_their_own_commands():
    def words(family: str) -> str:
        return " ".join(map(str, steps("kdump_install", family)))

    assert "yum install -y kexec-tools" in words("rhel") and "grub2-mkconfig" in words("rhel")
    assert "apt-get install -y kdump-tools" in words("debian") and "USE_KDUMP=1" in words("debian")
