"""Every text under tests/evidence gets the verdict written beside it."""

import json
from pathlib import Path

import pytest

from diagnostics.analyzers import linux

EVIDENCE = Path(__file__).parent.parent / "evidence"
CASES = sorted(path.parent for path in EVIDENCE.glob("*/expected.json"))


def judged(folder: Path):
    text = next(folder.glob("*.log")).read_text(errors="replace")
    return linux.judge({"text": text})


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_verdict_is_the_known_one(folder):
    verdict = judged(folder).verdict
    expected = json.loads((folder / "expected.json").read_text())
    assert {name: getattr(verdict, name) for name in expected} == expected


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_every_finding_quotes_a_line_of_the_text(folder):
    text = next(folder.glob("*.log")).read_text(errors="replace")
    for finding in judged(folder).findings:
        assert finding.quote and finding.quote.text[:200] in text


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_no_analyzer_breaks(folder):
    assert not judged(folder).broken
