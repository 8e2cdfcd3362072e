"""The portal speaks Simplified Chinese: nothing left out, placeholders kept, pages that show it."""

import re
import shutil
import subprocess
import sys

import polib
import pytest
from django.conf import settings

from tests import messages
from tests.chinese import CATALOGUE, chinese, compiled
from tests.factories import a_person
from tests.sizes import long_only

__all__ = ["chinese", "compiled"]
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[.\d]*[sdf]")
ENTRIES = polib.pofile(str(CATALOGUE))
KNOWN = {(entry.msgctxt, entry.msgid) for entry in ENTRIES}


def test_every_message_in_use_is_translated():
    used = messages.used()
    assert len(used) > 2500
    assert sorted(used - KNOWN, key=str) == [], "append them to locale/zh_Hans"


def test_no_entry_is_empty_doubtful_or_told_twice():
    assert [e.msgid for e in ENTRIES if not e.translated() or e.fuzzy or e.obsolete] == []
    assert len(ENTRIES) == len(KNOWN)


def test_placeholders_are_kept():
    for entry in ENTRIES:
        told = entry.msgstr or entry.msgstr_plural[0]
        assert sorted(PLACEHOLDER.findall(told)) == sorted(
            PLACEHOLDER.findall(entry.msgid_plural or entry.msgid)
        ), entry.msgid


@pytest.mark.parametrize(
    "template",
    [
        "{% load i18n %}{% translate 'It (always) has' %} brackets",
        "{% load i18n %}{% blocktranslate with a=b %}It (always) has{% endblocktranslate %}",
        "{% load i18n %}{% badge 'good' _('It (always) has') %}",
    ],
)
def test_a_template_is_read_for_its_messages(template):
    assert list(messages.in_template(template)) == [(None, "It (always) has")]


@long_only
def test_django_finds_no_other_message(tmp_path):
    """Its own machinery, on a copy, reads the same messages as `tests.messages` does."""
    copy = tmp_path / "portal"
    left_out = shutil.ignore_patterns(".*", "tests", "docs", "benchmarks", "static*", "__pycache__")
    shutil.copytree(settings.BASE_DIR, copy, ignore=left_out)
    (copy / "locale/zh_Hans/LC_MESSAGES/django.po").unlink()
    told = ["-l", "zh_Hans", "--no-location", "--no-wrap", "--ignore", "simulator", "-v0"]
    command = [sys.executable, "manage.py", "makemessages", *told]
    subprocess.run(command, cwd=copy, check=True)
    found = polib.pofile(str(copy / "locale/zh_Hans/LC_MESSAGES/django.po"))
    assert {(entry.msgctxt, entry.msgid) for entry in found} - messages.used() == set()


@pytest.mark.django_db
def test_a_message_with_numbers_is_spoken_when_it_is_shown(client, chinese):
    client.force_login(a_person("operator"))
    page = client.get("/commands/new/", headers={"accept-language": "zh-CN"}).content.decode()
    assert "最少 10，最多 86400。" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "words"),
    [("/", "最近 7 天的崩溃"), ("/cases/new/", "开始诊断"), ("/instances/", "没有符合筛选的实例")],
)
def test_a_page_shows_it(client, chinese, path, words):
    client.force_login(a_person("support"))
    page = client.get(path, {"text": "x"}, headers={"accept-language": "zh-CN"})
    assert 'lang="zh-hans"' in page.content.decode()
    assert words in page.content.decode()
