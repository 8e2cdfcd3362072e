"""Whatever a machine printed is read as far as it is text, quickly, and nothing of it is hidden."""

import base64
import json
import time

import pytest

from commands.decoding import decoded, plain
from commands.masking import masked
from commands.searching import MOST_FOUND
from tests.commands.a_run import over
from tests.factories import InstanceFactory, a_person

pytestmark = pytest.mark.django_db
LONG = 24 * 1024


@pytest.mark.parametrize(
    ("body", "text", "encoding"),
    [
        (b"/sbin/init\0--switched-root\0", "/sbin/init\u2400--switched-root\u2400", "utf-8"),
        ("磁盘 C:".encode("utf-16"), "磁盘 C:", "utf-16"),
        ("Ubuntu (Default)\r\n".encode("utf-16-le"), "Ubuntu (Default)\n", "utf-16"),
        (b"one\rtwo\rthree", "one\ntwo\nthree", "utf-8"),
        (b" 10%\r 99%\r100%\ndone\r\n", "100%\ndone\n", "utf-8"),
        (b"before \x1b]never ended\nafter", "before never ended\nafter", "utf-8"),
        (b"\x7fELF\0\1\2", "", "binary"),
    ],
)
def test_text_is_read_and_shown_to_its_end(body, text, encoding):
    read = decoded(body)
    assert (plain(read.text), read.encoding) == (text, encoding)


@pytest.mark.parametrize("body", [b"x" * LONG, b"jan" * (LONG // 3), b"a\r" * (LONG // 2)])
def test_no_output_takes_long_to_read(body):
    began = time.process_time()
    plain(decoded(body).text)
    masked(body)
    assert time.process_time() - began < 0.15


def test_binary_data_is_exported_too(client):
    client.force_login(a_person("viewer"))
    body = b"\x7fELF\0\1\xff"
    run = over([(InstanceFactory(), "Success", 0, body)])
    url = run.get_absolute_url()
    [row] = json.loads(client.get(f"{url}answers.json").getvalue())
    assert base64.b64decode(row["output_base64"]) == body
    assert "7 bytes of binary data" in client.get(f"{url}answers.txt").getvalue().decode()
    assert "7 bytes of binary data" in client.get(f"{url}answers.csv").getvalue().decode()


def test_what_is_exported_by_a_word_is_all_that_holds_it(client, monkeypatch):
    monkeypatch.setattr("commands.searching.MOST_FOUND", 1)
    assert MOST_FOUND > 1
    client.force_login(a_person("viewer"))
    bodies = [b"error %d" % number for number in range(4)]
    run = over((InstanceFactory(), "Success", 0, body) for body in bodies)
    rows = json.loads(client.get(f"{run.get_absolute_url()}answers.json?text=error").getvalue())
    assert len(rows) == 4
