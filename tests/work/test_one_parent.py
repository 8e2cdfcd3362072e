"""One parent for everything: it refuses what cannot work."""

import socket
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from tests.sizes import long_only
from tests.stack import ROOT, Stack

pytestmark = pytest.mark.stack


def supervise(stack: Stack, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "manage.py", "supervise", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=stack.environment, capture_output=True, text=True, timeout=60
    )


@long_only
def test_a_port_in_use_is_named_with_what_to_do(tmp_path):
    stack = Stack(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = supervise(stack, "--bind", bind)
    assert refused.returncode == 1
    assert bind in refused.stderr
    assert "PORT=8001 make run" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("bind", ["8000", "127.0.0.1:0", "127.0.0.1:http", ":8000"])
def test_an_address_that_is_none_is_refused(bind, settings):
    settings.SECRET_KEY = "x" * 40
    with pytest.raises(CommandError, match="must be HOST:PORT"):
        call_command("supervise", bind=bind)
