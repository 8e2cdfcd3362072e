"""The stand-in tools print what the real ones print, from the machine's own records."""

import os
import re
import shutil
import subprocess
from base64 import b64decode
from datetime import datetime

import pytest

from tests.simulator.machines import answering, machine, shell, told

pytestmark = pytest.mark.usefixtures("sandbox_needed")
STAMP = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"


@pytest.mark.skipif(not shutil.which("last"), reason="needs the real last to compare with")
@pytest.mark.parametrize("options", ["-x -F", "-x", "-F -w", "-x -F -a", "-x --time-format iso"])
def test_last_prints_what_the_real_one_makes_of_the_same_wtmp(options, tmp_path):
    for name in ("web-01", "test-01", "job-01"):
        said = told(name, f"cat /etc/timezone; base64 -w0 /var/log/wtmp; echo; last {options}")
        zone, coded, printed = said.split("\n", 2)
        (tmp_path / "wtmp").write_bytes(b64decode(coded))
        real = subprocess.run(
            ["last", *options.split(), "-f", tmp_path / "wtmp"],
            env=os.environ | {"TZ": zone},
            capture_output=True,
            text=True,
        )
        assert printed == real.stdout


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ("short", rf"{STAMP} gw-01 \S+: .+"),
        ("short-iso", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000 gw-01 \S+: .+"),
        ("short-precise", r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{6} gw-01 \S+: .+"),
        ("short-full", r"[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC gw-01 \S+: .+"),
        ("cat", r".+"),
    ],
)
def test_journalctl_knows_the_usual_formats(form, shape):
    lines = told("gw-01", f"journalctl -q --no-pager -b -o {form} -n 40").splitlines()
    assert len(lines) == 40
    assert all(re.fullmatch(shape, line) for line in lines), lines


def test_journalctl_lists_boots_and_reads_the_one_before():
    rows = told("gw-01", "journalctl --no-pager --list-boots").splitlines()
    assert [row.split()[0] for row in rows] == ["-1", "0"]
    assert rows[-1].split()[1] == machine("gw-01").boot.boot_id.replace("-", "")
    before = told("gw-01", "journalctl -q -b -1 -o short-unix | tail -n 1").split()[0]
    present = told("gw-01", "journalctl -q -b 0 -o short-unix | head -n 1").split()[0]
    assert float(before) < float(present)


def test_journalctl_combines_matches_as_the_real_one_does():
    matches = "_TRANSPORT=kernel + SYSLOG_IDENTIFIER=sudo"
    lines = told("cache-01", f"journalctl -q -b -1 {matches} -o json").splitlines()
    assert lines
    assert all('"_TRANSPORT":"kernel"' in line or '"sudo"' in line for line in lines)
    assert any("COMMAND=/usr/sbin/reboot" in line for line in lines)
    both = told("cache-01", "journalctl -q _TRANSPORT=kernel SYSLOG_IDENTIFIER=sudo")
    assert both == ""


def test_journalctl_filters_by_priority_unit_identifier_time_and_text():
    errors = told("cache-01", "journalctl -q -b -p 3 -o cat")
    assert "Out of memory: Killed process" in errors
    assert "Server listening" not in errors
    assert "redis-server.service: " in told("cache-01", "journalctl -q -u redis-server -o cat")
    assert "Server listening" in told("cache-01", "journalctl -q -t sshd -o cat")
    recent = told("cache-01", 'journalctl -q --since "3 hours ago" -g "out of memory" -o cat')
    assert recent.startswith("Out of memory: Killed process 1873 (redis-server)")
    assert told("cache-01", 'journalctl -q --since "1 hour ago" -g "out of memory"') == ""
    newest, older = told("cache-01", "journalctl -q -r -n 2 -o short-unix").splitlines()
    assert newest.split()[0] >= older.split()[0]


def test_a_journal_kept_in_memory_knows_no_boot_before():
    ran = shell("web-03", "journalctl -b -1")
    assert ran.exit_code == 1
    assert b"no persistent journal was found" in ran.output


def test_unknown_options_are_refused_as_by_the_real_tools():
    assert told("web-01", "journalctl --frobnicate").startswith("journalctl: unrecognized option")
    assert told("web-01", "journalctl -o nonsense") == "Unknown output format 'nonsense'.\n"
    assert "unrecognized option" in told("web-01", "last --frobnicate; dmesg --frobnicate")


def test_dmesg_prints_stamps_clock_times_and_levels():
    assert re.match(r"\[    0\.000000\] Linux version 5\.10", told("web-03", "dmesg"))
    boot = machine("web-03").boot.started_at.timestamp()
    first = told("web-03", "TZ=UTC dmesg --time-format iso | head -n 1").split(" ")[0]
    assert abs(datetime.fromisoformat(first.replace(",", ".")).timestamp() - boot) <= 1
    shape = r"\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\] "
    assert re.match(shape, told("web-03", "dmesg -T | tail -n 1"))
    assert "Killed process" in told("cache-01", "dmesg -l err")
    assert "Linux version" not in told("cache-01", "dmesg --level=err,crit")


def test_systemctl_tells_states_in_words_and_exit_codes():
    assert shell("web-03", "systemctl is-active kdump").output == b"active\n"
    off = shell("api-01", "systemctl is-active kdump; systemctl is-enabled kdump")
    assert (off.output, off.exit_code) == (b"inactive\ndisabled\n", 1)
    none = shell("api-02", "systemctl is-enabled kdump-tools")
    assert none.exit_code == 1
    assert b"No such file or directory" in none.output
    shown = told("web-03", "systemctl show kdump -p ActiveState -p UnitFileState")
    assert shown == "ActiveState=active\nUnitFileState=enabled\n"
    assert "loaded" in told("web-03", "systemctl status sshd")
    assert "kdump.service" in told("web-03", "systemctl list-unit-files 'kdump*'")
    assert shell("web-03", "systemctl restart sshd").exit_code == 1


def test_tools_called_by_their_full_path_are_the_machines_too():
    for tool in ("uname -r", "dmesg | head -n 1", "uptime -s"):
        name, _, rest = tool.partition(" ")
        plain = told("batch-02", tool)
        assert told("batch-02", f"/usr/bin/{name} {rest}") == plain
        assert told("batch-02", f"PATH=/sbin:/bin; {name} {rest}") == plain


def test_other_tools_speak_for_the_machine():
    assert told("web-03", "hostnamectl | grep Boot").split()[-1] == machine(
        "web-03"
    ).boot.boot_id.replace("-", "")
    assert told("db-01", "sysctl -n vm.panic_on_oom") == "1\n"
    assert told("db-01", "sysctl vm.panic_on_oom kernel.panic") == (
        "vm.panic_on_oom = 1\nkernel.panic = 0\n"
    )
    assert told("web-01", "df -Pk /var/crash | awk 'NR == 2 { print $6 }'") == "/\n"
    assert told("web-01", "systemd-detect-virt") == "kvm\n"
    assert told("web-01", "date +%z") == "+0800\n"
    assert told("gw-01", "date +%z") == "+0000\n"
    assert "cannot reboot" in told("web-01", "reboot")


def test_every_record_agrees_on_when_the_machine_started():
    script = """
        grep btime /proc/stat | cut -d' ' -f2
        echo $(($(date +%s) - $(cut -d. -f1 /proc/uptime)))
        date -d "$(uptime -s)" +%s
        journalctl -q -b 0 -o short-unix | head -n 1 | cut -d. -f1
        date -d "$(last -F reboot | head -n 1 | cut -c40-63)" +%s
        dmesg --time-format iso | head -n 1 | cut -d, -f1 | xargs -I@ date -d @ +%s
    """
    for m in answering():
        started = m.boot.started_at.timestamp()
        times = [int(line) for line in told(m.name, script).splitlines()]
        assert len(times) == 6, m.name
        assert all(abs(t - started) <= 4 for t in times), (m.name, started, times)
