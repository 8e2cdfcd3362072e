"""The portal speaks Simplified Chinese: nothing left out, placeholders kept, pages that show it."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation import trans_real

from diagnostics.report import linux
from diagnostics.steps import outcome
from tests.factories import a_person

CATALOGUE = Path(settings.BASE_DIR) / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
DIAGNOSTICS = Path(settings.BASE_DIR) / "diagnostics"
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[.\d]*[sdf]")
ENTRIES = polib.pofile(str(CATALOGUE))


def test_every_message_is_translated():
    assert len(ENTRIES) > 800
    assert [entry.msgid for entry in ENTRIES if not entry.translated() or entry.fuzzy] == []


def test_no_message_stands_twice():
    """One that does stops `make run`, which compiles the catalogue."""
    times = Counter((entry.msgctxt, entry.msgid) for entry in ENTRIES)
    assert [message for message, many in times.items() if many > 1] == []


def test_placeholders_are_kept():
    for entry in ENTRIES:
        told = entry.msgstr or entry.msgstr_plural[0]
        assert sorted(PLACEHOLDER.findall(told)) == sorted(
            PLACEHOLDER.findall(entry.msgid_plural or entry.msgid)
        ), entry.msgid


def sentences(path: Path) -> Iterator[str]:
    """What a module of the diagnosis says with `say`, which looks like no call of gettext."""
    tree = ast.parse(path.read_text())
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "diagnostics.wording"
        for alias in node.names
        if alias.name == "say"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            if called == "say" or called in names:
                yield node.args[0].value


def test_a_report_says_every_sentence_of_ours_in_chinese():
    known = {entry.msgid for entry in ENTRIES}
    said = {line for path in DIAGNOSTICS.rglob("*.py") for line in sentences(path)}
    said |= set(linux.OOM_MEANS.values()) | {line for row in outcome.EXPLAINED for line in row[1:]}
    assert len(said) > 300
    assert sorted(said - known) == []


@pytest.fixture
def chinese(settings, tmp_path):
    """The catalogue, compiled as `compilemessages` would."""
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    ENTRIES.save_as_mofile(str(folder / "django.mo"))
    settings.LOCALE_PATHS = [tmp_path]
    trans_real._translations.clear()
    yield
    trans_real._translations.clear()


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
