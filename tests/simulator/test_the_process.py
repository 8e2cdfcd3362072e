"""`python -m simulator` starts, answers, keeps its latency and stops; wrong arguments are named."""

import json
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from simulator.__main__ import arguments
from tests.simulation import KEY, ROOT, in_a_thread
from tests.simulator.conftest import REGION, client_of, every_instance, healthy, run
from tests.simulator.wires import ask


@pytest.mark.stack
def test_it_says_where_it_listens_and_ends_on_sigterm(start_simulator):
    simulator = start_simulator()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", simulator.endpoint)
    assert len(every_instance(client_of(simulator))) >= 3
    simulator.process.send_signal(signal.SIGTERM)
    assert simulator.process.wait(timeout=10) == 0


@pytest.mark.stack
def test_running_scripts_do_not_outlive_it(start_simulator, sandbox_needed):
    simulator = start_simulator()
    client = client_of(simulator)
    ids = [machine.instance_id for machine in healthy(client)[:3]]
    run(client, ids, "sleep 300")
    deadline = time.monotonic() + 10
    while len(simulator.counters()["runs"]) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    began = time.monotonic()
    simulator.process.send_signal(signal.SIGTERM)
    assert simulator.process.wait(timeout=20) == 0
    assert time.monotonic() - began < 15


@pytest.mark.stack
def test_world_keys_and_faults_come_from_its_arguments(start_simulator, tmp_path):
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"kind": "throttle", "operation": "DescribeRegions"}]))
    simulator = start_simulator(
        *("--world", "fleet:6", "--access-key", "a:b", "--access-key", "c:d:noread"),
        *("--faults", str(faults)),
    )
    assert ask(simulator, "DescribeRegions", ("a", "b")).code == "Throttling.User"
    told = ask(simulator, "DescribeInstances", ("a", "b"), RegionId=REGION)
    assert told.body["TotalCount"] == 3
    told = ask(simulator, "DescribeInstances", ("c", "d"), RegionId=REGION)
    assert told.body["Instances"] == {"Instance": []}
    assert ask(simulator, "DescribeRegions", KEY).code == "InvalidAccessKeyId.NotFound"


@pytest.mark.stack
def test_a_taken_port_is_told(start_simulator):
    port = start_simulator().endpoint.rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, "-m", "simulator", "--port", port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert f"cannot listen on port {port}" in second.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--port", "web"], "a port is 0 to 65535"),
        (["--world", "flat"], "a world is demo, fleet:N or fleet:N:mixed"),
        (["--world", "fleet:10001"], "at most 10000"),
        (["--latency", "-1"], "a latency is 0 to 60000"),
        (["--access-key", "alone"], "ID:SECRET"),
        (["--access-key", "a:b:c"], "noread"),
        (["--faults", __file__], "Extra data"),
    ],
)
def test_wrong_arguments_are_named(capsys, given, told):
    with pytest.raises(SystemExit) as ended:
        arguments(given)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_no_answer_comes_before_its_latency():
    with in_a_thread("fleet:2", latency=0.2) as simulator:
        began = time.monotonic()
        assert ask(simulator, "DescribeRegions").status == 200
        assert time.monotonic() - began >= 0.2


def test_one_connection_serves_many_calls_even_pipelined(simulator):
    host, port = simulator.host.split(":")
    with socket.create_connection((host, int(port))) as connection:
        request = b"GET /_simulator/counters HTTP/1.1\r\nhost: x\r\n\r\n"
        connection.sendall(request * 3)
        connection.settimeout(10)
        told = b""
        while told.count(b"HTTP/1.1 200 OK") < 3:
            told += connection.recv(65536)
        assert told.count(b"Connection: keep-alive") >= 2


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\na: 1\r\na: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"GET /?" + b"x" * 300_000 + b" HTTP/1.1\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"\x00\xff\r\n\r\n",
    ],
)
def test_what_cannot_be_read_is_refused_and_hung_up_on(simulator, raw):
    host, port = simulator.host.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.settimeout(10)
        connection.sendall(raw)
        told = b""
        try:
            while piece := connection.recv(65536):
                told += piece
        except ConnectionResetError:
            pass  # what was not read of an endless line makes the hang-up a reset
    assert told.startswith(b"HTTP/1.1 4") or not told
    assert ask(simulator, "DescribeRegions").status == 200
