"""Scripts really run, but see nothing of the host and cannot outlive their time."""

import os
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

from simulator import linux, sandbox
from tests.simulator.machines import machine, shell, told
from tests.sizes import sample

pytestmark = pytest.mark.usefixtures("sandbox_needed")


@pytest.fixture(params=sample(["bwrap", "unshare"], 2))
def way(request, monkeypatch) -> str:
    """Each way of setting scripts apart that this host offers."""
    if not sandbox._works(request.param):
        pytest.skip(f"this host does not offer {request.param}")
    monkeypatch.setattr(sandbox, "way_here", lambda: request.param)
    return request.param


def test_no_file_of_the_host_is_there(way):
    here = Path(__file__).resolve()
    paths = [here, here.parent, "/mnt", "/opt", "/srv", "/usr/share", "/var/lib/dpkg"]
    for path in paths:
        assert "No such file" in told("web-01", f"ls {path}"), path
    assert "lihua" in told("web-01", "cat /etc/passwd")


def test_the_hosts_programs_are_there_but_cannot_be_changed(way):
    said = told("web-01", "echo x > /usr/bin/planted; rm -f /usr/bin/env; env true && echo still")
    assert "Read-only file system" in said or "cannot create" in said
    assert said.endswith("still\n")
    assert not Path("/usr/bin/planted").exists()


def test_nothing_of_the_hosts_kernel_shows_through(way):
    said = told("batch-02", "uname -r; cat /proc/version; cat /proc/sys/kernel/osrelease; hostname")
    assert os.uname().release not in said
    assert said.splitlines()[0] == "6.1.0-50-cloud-amd64"
    assert said.splitlines()[-1] == "batch-02"
    boot_id = told("batch-02", "cat /proc/sys/kernel/random/boot_id").strip()
    assert boot_id == machine("batch-02").boot.boot_id
    assert boot_id != Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_there_is_no_network(way):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = told("web-01", f"#!/bin/bash\n: < /dev/tcp/127.0.0.1/{port} && echo connected")
    assert "connected" not in said
    assert said


def test_other_processes_of_the_host_are_out_of_sight_and_reach(way):
    said = told("web-01", f"kill -0 {os.getpid()} && echo reached; ls -d /proc/[0-9]* | wc -l")
    assert "reached" not in said
    assert int(said.splitlines()[-1]) < 15


def test_a_script_has_no_power_over_the_machine(way):
    assert "CapEff:\t0000000000000000" in told("web-01", "cat /proc/self/status")


def test_memory_is_limited(way):
    ran = shell("web-01", "awk 'BEGIN { s = \"x\"; while (1) s = s s }'")
    assert ran.exit_code not in (0, None)
    assert not ran.timed_out


def test_a_fork_bomb_is_put_out(way):
    ran = shell("web-01", "#!/bin/bash\nfor i in {1..400}; do sleep 64 & done; wait; echo end")
    assert ran.exit_code not in (0, None)
    assert b"end" not in ran.output.splitlines()
    assert b"256 processes" in ran.output or b"fork" in ran.output  # as root, or as a user


def test_a_file_cannot_grow_without_end(way):
    ran = shell("web-01", "head -c 200000000 /dev/zero > /tmp/big; stat -c %s /tmp/big")
    assert int(ran.output.split()[-1]) == sandbox.FILE_SIZE


def test_a_script_past_its_time_is_killed_with_everything_it_started(way):
    mark = f"sleep 61{os.getpid()}"
    ran = shell("web-01", f"echo before; ({mark} &) ; setsid {mark} & {mark}", timeout=0.7)
    assert (ran.exit_code, ran.timed_out, ran.output) == (None, True, b"before\n")
    assert _gone(mark)


def test_a_stopped_script_is_killed_with_everything_it_started(way):
    mark = f"sleep 62{os.getpid()}"
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    ran = machine("web-01").run(
        f"nohup {mark} & {mark}", type="RunShellScript", timeout=60, stop=stop
    )
    assert (ran.exit_code, ran.stopped) == (None, True)
    assert _gone(mark)


def test_what_a_script_leaves_running_ends_with_it(way):
    mark = f"sleep 63{os.getpid()}"
    ran = shell("web-01", f"setsid {mark} >/dev/null 2>&1 & echo done")
    assert (ran.exit_code, ran.output) == (0, b"done\n")
    assert _gone(mark)


def _gone(mark: str) -> bool:
    """Whether no process of the host carries that command line (within five seconds)."""
    for _ in range(50):
        if not any(mark.split() == words for words in _command_lines()):
            return True
        time.sleep(0.1)
    return False


def _command_lines() -> list[list[str]]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().decode(errors="replace").strip("\0").split("\0"))
        except OSError:
            continue
    return lines


def test_a_huge_output_keeps_both_ends_and_counts_the_rest(way):
    ran = shell("web-01", "echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last")
    assert ran.output.startswith(b"first\n")
    assert ran.output.endswith(b"x\nlast\n")
    assert len(ran.output) + ran.dropped == 3_000_000 + len(b"first\n\nlast\n")


def test_exit_codes_and_both_streams_come_back_in_order(way):
    ran = shell("web-01", "echo out; echo err >&2; echo out again; exit 194")
    assert (ran.exit_code, ran.output, ran.source) == (194, b"out\nerr\nout again\n", "sandbox")


def test_what_a_script_writes_stays_on_its_machine_alone(way):
    told("api-01", "echo mine > /root/note")
    assert told("api-01", "cat /root/note") == "mine\n"
    assert "No such file" in told("api-02", "cat /root/note")


def test_a_script_runs_as_the_named_user_in_the_named_directory(way):
    ran = shell("web-01", "id -un; pwd", username="lihua", working_dir="/var/log")
    assert ran.output == b"lihua\n/var/log\n"
    assert shell("web-01", "true", username="nobody-here").error_code == "AccountNotExists"
    for nowhere in ("/nowhere", "/x" * 90, "é" * 300, "\0", "../../mnt"):
        ran = shell("web-01", "true", working_dir=nowhere)
        assert ran.error_code == "DirectoryNotExists", nowhere


def test_without_any_sandbox_scripts_are_refused_with_the_reason(monkeypatch):
    monkeypatch.setattr(sandbox, "way_here", lambda: "")
    ran = shell("web-01", "echo never")
    assert (ran.exit_code, ran.output) == (None, b"")
    assert ran.error_code == "ExecutionException"
    assert ran.error_info == linux.NO_SANDBOX


def test_what_a_killed_simulator_left_behind_is_swept(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    gone = tmp_path / "ecs-simulator-4194999-a"  # above the largest process id
    alive = tmp_path / "ecs-simulator-1-b"
    for folder in (gone / "machine-x" / "etc", alive):
        folder.mkdir(parents=True)
    mine = sandbox.workshop.__wrapped__()
    assert mine.is_dir()
    assert alive.is_dir()
    assert not gone.exists()


def test_the_probe_believes_only_a_script_that_really_ran(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(broken))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert not sandbox._works("bwrap")
