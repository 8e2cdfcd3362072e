"""An address that a person typed in does not reach what only this machine should."""

import pytest

from portal.notices import posting
from portal.notices.message import Refused
from tests.notices.receivers import Receiver

BAD = [
    "ftp://example.com/", "file:///etc/passwd", "example.com", "http://", "http://[x", "",
    "http://example.com:99999/", "http://me:word@example.com/", "http://exa mple.com/",
    "http://example.com/\r\nX: y", "gopher://127.0.0.1/",
]  # fmt: skip
LOCAL = [
    "http://127.0.0.1/", "http://127.9.9.9:8000/", "http://[::1]/", "http://0.0.0.0/",
    "http://169.254.169.254/latest", "http://100.100.100.200/latest/meta-data/",
    "http://[::ffff:127.0.0.1]/", "http://[fe80::1]/", "http://224.0.0.1/",
    "http://localhost/", "http://127.1/", "http://2130706433/", "http://0x7f000001/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_address_of_the_web(settings, url):
    settings.NOTIFY_HOSTS = []
    assert posting.problem(url)
    with pytest.raises(Refused):
        posting.post(url, b"", {})


@pytest.mark.parametrize("url", LOCAL)
def test_what_is_on_this_machine_or_hands_out_credentials(settings, url):
    settings.NOTIFY_HOSTS = []
    with pytest.raises(Refused, match="this machine or a link-local"):
        posting.post(url, b"", {})


def test_a_list_of_hosts_allows_those_alone(settings):
    settings.NOTIFY_HOSTS = ["hooks.example.com", ".corp.example"]
    assert posting.problem("https://hooks.example.com/x") == ""
    assert posting.problem("https://ci.corp.example/x") == ""
    for host in ("example.com", "xhooks.example.com", "corp.example.evil", "127.0.0.1"):
        assert "NOTIFY_HOSTS" in posting.problem(f"https://{host}/x")


def test_nothing_arrives_at_a_local_receiver_that_nobody_named(settings, receiver: Receiver):
    settings.NOTIFY_HOSTS = []
    with pytest.raises(Refused):
        posting.post(receiver.url, b"{}", {})
    assert receiver.posts == []
