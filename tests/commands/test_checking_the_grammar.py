"""A script that no shell can read is warned of before it is sent, and never run to find out."""

import pytest

from commands.syntax import complaint
from tests.commands.test_composing_a_run import preview, ready
from tests.factories import a_person

READABLE = [
    "echo hello",
    "for i in 1 2; do echo {{name}}; done",
    "#!/usr/bin/env python3\nprint('hi'",
    "",
]
UNREADABLE = ["if true; then echo", "echo 'open", "done", "x=$(", "case a in"]


@pytest.mark.parametrize("script", READABLE)
def test_what_can_be_read_is_left_alone(script):
    assert complaint(script, "RunShellScript") == ""


@pytest.mark.parametrize("script", UNREADABLE)
def test_what_cannot_is_named_with_its_line(script):
    assert complaint(script, "RunShellScript").startswith("line ")


def test_nothing_of_it_runs(tmp_path):
    complaint(f"touch {tmp_path}/ran", "RunShellScript")
    complaint(f"$(touch {tmp_path}/ran)\nif", "RunShellScript")
    assert list(tmp_path.iterdir()) == []


def test_other_types_are_not_judged():
    assert complaint("if true; then", "RunPowerShellScript") == ""


@pytest.mark.django_db
def test_the_preview_warns_and_still_lets_it_be_sent(client):
    client.force_login(a_person("operator"))
    ready(name="web-01")
    page = preview(client, text="web-01", script="echo 'open").text
    assert "A shell cannot read this script" in page
    assert "Run on 1 instance" in page
