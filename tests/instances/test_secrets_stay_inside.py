"""Logs and errors tell RequestIds, never scripts, signatures or tokens."""

import logging
import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from instances import ecs
from tests.instances.endpoint import Raw, error, instance_page

HERE = ecs.Account()
ROOT = Path(__file__).resolve().parents[2]


def run_secret(**_):
    return ecs.run_script(
        HERE, "cn-hangzhou", ["i-1"], "pw=hunter2", type="RunShellScript", token="t", timeout=60
    )


def test_every_answer_leaves_its_request_id_in_the_log(answering, caplog):
    caplog.set_level(logging.INFO, "instances.ecs_sdk")
    with answering(lambda request: instance_page(["i-1"])):
        answer = ecs.instances(HERE, "cn-hangzhou")
    assert answer.request_ids[0] in caplog.text
    assert "DescribeInstances default cn-hangzhou" in caplog.text


@pytest.mark.parametrize(
    "answer", [Raw(hang_up=True), error(403, "Operation.Forbidden"), {"InvokeId": "t-1"}]
)
def test_a_script_is_neither_logged_nor_quoted_in_an_error(answering, caplog, answer):
    caplog.set_level(logging.DEBUG)
    told = ""
    with answering(lambda request: answer):
        try:
            run_secret()
        except ecs.EcsError as error_:
            told = "".join(traceback.format_exception(error_)) + repr(vars(error_))
    encoded = ecs.wire.encoded("pw=hunter2")
    for text in (caplog.text, told):
        assert "hunter2" not in text and encoded not in text and encoded[:8] not in text
        assert "Signature=" not in text


def test_an_answer_cannot_forge_log_lines(answering, caplog):
    caplog.set_level(logging.INFO, "instances.ecs_sdk")
    evil = error(400, "InvalidParameter\nERROR forged", "x\nERROR forged")
    with answering(lambda request: evil), pytest.raises(ecs.Refused):
        ecs.instances(HERE, "cn-hangzhou")
    assert "\nERROR forged" not in caplog.text


DEBUG_SDK = """
from instances import ecs
from tests.instances.endpoint import serving, instance_page
with serving(lambda request: instance_page(["i-1"])) as endpoint:
    ecs.configure(endpoint=endpoint.url, mode="observe")
    print(len(ecs.instances(ecs.Account(), "cn-hangzhou").value))
"""


def python(program, **environment):
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(ROOT), "DEBUG": "sdk"} | environment,
    )


def test_debug_sdk_prints_no_signature():
    ran = python(DEBUG_SDK)
    assert ran.stdout == "1\n", ran.stderr
    assert "uthorization" not in ran.stderr and "Signature" not in ran.stderr


def test_the_portal_does_not_even_start_with_debug_sdk():
    ran = python("import django; django.setup()", DJANGO_SETTINGS_MODULE="portal.settings")
    assert ran.returncode != 0
    assert "DEBUG" in ran.stderr
