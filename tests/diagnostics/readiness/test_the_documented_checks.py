"""docs/readiness.md tells of every check, and of none that is gone."""

import re
from pathlib import Path

from diagnostics.readiness.checks import ADVISED, KINDS

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "readiness.md").read_text()
ROWS = dict(re.findall(r"^\| (\w+) \| (.+?) \|", TEXT.split("|---|---|---|")[1], re.M))


def test_every_check_has_its_row():
    assert ROWS.keys() == KINDS.keys()


def test_the_rows_say_which_are_only_advised():
    assert {name for name, systems in ROWS.items() if "advised" in systems} == ADVISED
