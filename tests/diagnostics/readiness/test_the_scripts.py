"""The readiness scripts: made of the collection scripts' own probes, small, and read-only."""

import pytest

from diagnostics import scripts
from diagnostics.readers import bundle
from diagnostics.readiness import reading
from diagnostics.readiness.checks import AGENT_SINCE, MISSING, OK, UNKNOWN
from diagnostics.scripts import shared
from tests.sizes import long_only

from ..guest.conftest import kit, machine

__all__ = ["kit", "machine"]


@pytest.mark.parametrize("os", ["linux", "windows"])
def test_they_fit_into_a_call(os):
    assert len(shared.readiness(os).encode("ascii")) <= 18_000
    assert "#use" not in shared.readiness(os)


@pytest.mark.parametrize(
    ("os", "name"), [("linux", "kdump"), ("linux", "sysctls"), ("windows", "pagefile")]
)
def test_a_probe_is_written_once(os, name):
    assert shared.part(scripts.text(os), os, name) in shared.readiness(os)


def test_a_part_that_is_gone_is_named():
    with pytest.raises(KeyError, match=r"linux.sh has no part kdumps"):
        shared.part(scripts.text("linux"), "linux", "kdumps")


@pytest.fixture
def asked(monkeypatch):
    """What the readiness script prints on the machine: (checks by name, the bundle)."""
    monkeypatch.setattr(scripts, "text", shared.readiness)

    def run(machine):
        output = machine.run()
        found = bundle.read(output)
        assert (found.os, found.complete, found.problems) == ("linux", True, ())
        assert len(output) < 24_000
        return {check.name: check for check in reading.read(output).checks}

    return run


def test_a_machine_without_anything_lacks_kdump_in_every_shell(kit, asked):
    found = asked(kit)
    assert found["kdump_service"].state == MISSING
    assert found["journal"].state == MISSING
    assert found["crash_kernel"].state != OK
    assert found["dump_space"].state in (OK, MISSING)


def ready(machine):
    machine.write("proc/cmdline", "root=/dev/vda1 crashkernel=256M console=ttyS0\n")
    machine.write("sys/kernel/kexec_crash_size", "268435456\n")
    machine.write("sys/kernel/kexec_crash_loaded", "1\n")
    machine.write("sys/module/pstore/parameters/backend", "efi_pstore\n")
    machine.write("sys/fs/pstore/empty", "")
    machine.write("var/log/journal/0123/system.journal", "LPKSHHRH")
    machine.write("etc/kdump.conf", "path /var/crash\ncore_collector makedumpfile -l -d 31\n")
    machine.tool("journalctl", "exit 0\n")
    machine.tool(
        "systemctl",
        'case "$1 $2" in "is-enabled kdump") echo enabled ;; '
        '"is-active kdump") echo active ;; *) exit 1 ;; esac\n',
    )
    return machine


def test_a_machine_with_everything_says_so_in_every_shell(kit, asked):
    found = asked(ready(kit))
    wanted = ("kdump_service", "crash_memory", "crash_kernel", "journal", "pstore")
    assert {name: found[name].state for name in wanted} == dict.fromkeys(wanted, OK)
    assert found["crash_memory"].line == "crash_size=268435456"


def test_the_journals_configuration_is_read_with_its_drop_ins(kit, asked):
    ready(kit).write("etc/systemd/journald.conf", "[Journal]\n#Storage=auto\nStorage=persistent\n")
    kit.write("etc/systemd/journald.conf.d/90-ram.conf", "[Journal]\nStorage = volatile\n")
    found = asked(kit)["journal"]
    assert found.state == MISSING
    assert found.line == "/etc/systemd/journald.conf.d/90-ram.conf: Storage=volatile"


@pytest.mark.parametrize("tool", ["df", "stat", "sed", "awk", "timeout", "gzip"])
def test_a_missing_tool_makes_nothing_ok_that_was_not_seen(machine, asked, tool):
    whole = asked(ready(machine))
    machine.without = (tool,)
    cut = asked(machine)
    for name, check in cut.items():
        assert check.state in (whole[name].state, UNKNOWN, MISSING), name
        if check.state == OK:
            assert whole[name].state == OK, name


@long_only
def test_a_disk_that_does_not_answer_does_not_hold_it_up(machine, asked):
    machine.tool("df", "sleep 60\n")
    found = asked(ready(machine))
    assert found["var_space"].state == UNKNOWN
    assert found["crash_kernel"].state == OK


def test_an_answer_that_was_cut_judges_nothing():
    text = "#ecs-bundle 1 linux plain\n#section kdump\nservice=none\n"
    answer = reading.read(text.encode())
    assert answer.checks == ()
    assert "end of the bundle is missing" in answer.problem


def test_the_age_of_agents_is_judged_as_everywhere():
    from commands.outcomes import EXIT_CODES_SINCE

    assert AGENT_SINCE == EXIT_CODES_SINCE
