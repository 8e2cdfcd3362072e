"""Queue workers and web servers fork; the SDK's connections must not be shared across it.

Runs in a process of its own, because the test runner's threads must not be forked.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, os, sys, time
from instances import ecs, ecs_call
from tests.instances.endpoint import serving

def echo(request):
    time.sleep(0.003)
    rows = [{"InstanceId": request.parameters["InvokeId"], "InvocationStatus": "Success"}]
    return {"Invocation": {"InvocationResults": {"InvocationResult": rows}, "NextToken": ""}}

def ask(invoke_id):
    try:
        rows = ecs.results(ecs.Account(), "cn-hangzhou", invoke_id).value
    except ecs.NoAnswer:
        return "none"
    return "own" if [row.instance_id for row in rows] == [invoke_id] else "somebody else's"

ecs_call.ATTEMPTS, ecs_call.BACKOFF = 1, 0

def child(number, inherited):
    if inherited is not None:  # as if nobody had dropped them
        ecs.ecs_call.ecs_sdk._loaded.core._sessions.update(inherited)
    return [ask(f"t-{number}-{turn}") for turn in range(20)]

with serving(echo) as endpoint:
    ecs.configure(endpoint=endpoint.url, mode="full", read_seconds=0.3)
    assert ask("t-parent") == "own"
    sessions = ecs.ecs_call.ecs_sdk._loaded.core._sessions
    inherited = dict(sessions) if sys.argv[1] == "unprotected" else None
    assert sessions
    pipes = []
    for number in range(4):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.write(writer, json.dumps(child(number, inherited)).encode())
            os._exit(0)
        os.close(writer)
        pipes.append(reader)
    print(json.dumps([json.loads(os.read(reader, 9999)) for reader in pipes]), flush=True)
    os._exit(0)
"""


def answers_of_four_children(way):
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, way],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={
            "PYTHONPATH": str(ROOT),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "simulator",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "simulator-secret",
        },
    )
    assert ran.stdout, ran.stderr
    return [answer for child in json.loads(ran.stdout) for answer in child]


def test_four_forked_children_get_their_own_answers():
    assert answers_of_four_children("protected") == ["own"] * 80


def test_with_inherited_connections_they_would_not():
    assert "somebody else's" in answers_of_four_children("unprotected")
