"""The library's services are configuration only, and held to our limits."""

import os
import subprocess
import sys

import pytest

from portal.notices.kinds import library
from portal.notices.models import Kind, Notification
from portal.settings import BASE_DIR
from tests.notices.conftest import a_channel, a_rule, later, tell, work_off
from tests.notices.receivers import Receiver, listening

pytestmark = pytest.mark.django_db
TOKEN = "3ccdd113474722377935511fc85d3dd4"


def a_mattermost(receiver, extra=""):
    url = f"mmost://127.0.0.1:{receiver.port}/{TOKEN}{extra}"
    return a_channel(Kind.LIBRARY, url=url)


def test_a_service_of_the_library_gets_it(receiver):
    a_rule(a_mattermost(receiver))
    tell()
    work_off()
    (post,) = receiver.posts
    assert post.path == f"/hooks/{TOKEN}"
    assert "web-01 10.1.0.11: exit code 1" in post.said["text"]
    assert "https://portal.example.com/runs/7/" in post.said["text"]
    assert Notification.objects.get().state == "sent"


def test_it_is_tried_again_and_its_trouble_is_told_without_the_address(receiver, caplog):
    caplog.set_level("DEBUG")
    receiver.status = 500
    a_rule(a_mattermost(receiver))
    tell()
    work_off()
    row = Notification.objects.get()
    assert row.state == "failed" and "500" in row.trouble
    assert TOKEN not in row.trouble and TOKEN not in caplog.text
    receiver.status = 200
    later()
    assert Notification.objects.get().state == "sent"


def test_the_library_says_nothing_to_the_log_about_an_address():
    code = (
        "import django; django.setup()\n"
        "from portal.notices.kinds import library\n"
        f"for url in ('feishu://{TOKEN}%%%/x', 'tgram://{TOKEN}', 'lark://{TOKEN}!'):\n"
        "    print(library.problem(url))"
    )
    there = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "LOG_LEVEL": "DEBUG"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=BASE_DIR, env=there, capture_output=True, text=True
    )
    assert done.stdout.count("is written otherwise") == 3
    assert TOKEN not in done.stdout + done.stderr


def test_an_address_cannot_switch_redirects_on_or_certificates_off(receiver):
    with listening(Receiver()) as elsewhere:
        receiver.status, receiver.headers = 307, {"Location": f"{elsewhere.url}/"}
        a_rule(a_mattermost(receiver, "?redirect=yes&verify=no&rto=900"))
        tell()
        work_off()
        assert elsewhere.posts == [] and Notification.objects.get().state == "failed"


@pytest.mark.parametrize(
    "url",
    [
        "json://example.com/", "syslog://", "dbus://", "fcm://x/y?keyfile=/etc/passwd", "mailto://x",
        "file:///etc/passwd", "https://example.com/", "slack://", "", "slack", "feishu://\x00",
        "mmosts://169.254.169.254/token", "mmost://[x/token",
    ],
)  # fmt: skip
def test_what_is_not_let_through(settings, url):
    settings.NOTIFY_HOSTS = []
    assert library.problem(url)


@pytest.mark.parametrize(
    "url",
    [
        f"feishu://{TOKEN}", f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN[:24]}/#ops",
        f"wecombot://{TOKEN}", "tgram://123456789:abcdefg_hijklmnop/12315544", "ntfys://ntfy.example/ops",
    ],
)  # fmt: skip
def test_what_is_let_through(settings, url):
    settings.NOTIFY_HOSTS = []
    assert library.problem(url) == ""
