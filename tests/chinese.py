"""The catalogue as `compilemessages` would make it, and a look for English that was left over."""

import re
from functools import cache
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation import trans_real

CATALOGUE = Path(settings.BASE_DIR) / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
# Five words of English in a row, which is more than a name, a term or a path.
SENTENCE = re.compile(r"(?<![\w/.'-])[A-Za-z]+(?:[ ,'-]+[a-z]+\b(?![/.=_\d])){4,}")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("locale")
    made = folder / "zh_Hans" / "LC_MESSAGES"
    made.mkdir(parents=True)
    polib.pofile(str(CATALOGUE)).save_as_mofile(str(made / "django.mo"))
    return folder


@pytest.fixture
def chinese(settings, compiled):
    """Whoever asks for Simplified Chinese gets it."""
    settings.LOCALE_PATHS = [compiled]
    trans_real._translations.clear()
    yield
    trans_real._translations.clear()


@cache
def spoken_in_chinese() -> str:
    """All translations: commands and product names stay as they are."""
    return " ".join(
        told
        for entry in polib.pofile(str(CATALOGUE))
        for told in (entry.msgstr, *entry.msgstr_plural.values())
    )


def english_in(text: str, quoted: str = "") -> list[str]:
    """Sentences of English in `text` that stand nowhere in `quoted` (what machines said)."""
    said = " ".join(quoted.split())
    return [found for found in SENTENCE.findall(text) if " ".join(found.split()) not in said]
