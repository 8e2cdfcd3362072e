"""Analyzers are listed by name, skipped with what they lack, and one that breaks stops no other."""

import ast
from pathlib import Path

import pytest

from diagnostics import analyzers
from diagnostics.analyzers import linux, registry
from diagnostics.findings import Finding, Severity

FOLDER = Path(analyzers.__file__).parent
CRASH = "[   12.345678] Kernel panic - not syncing: Fatal machine check\n"


@pytest.fixture
def listed(monkeypatch):
    monkeypatch.setattr(registry, "ANALYZERS", dict(registry.ANALYZERS))
    return registry.ANALYZERS


def test_two_of_one_name_are_refused(listed):
    def kills():
        return ()

    registry.analyzer("down")(kills)
    with pytest.raises(ValueError, match="two analyzers are called"):
        registry.analyzer("story")(kills)


def test_a_missing_input_is_named(listed):
    outcome = registry.run({"clock": None}, ["wtmp.last_end"])
    assert outcome.skipped == {"wtmp.last_end": ("last",)}


def test_one_that_breaks_is_told_and_the_verdict_stands(listed):
    def breaks(down):
        yield Finding("kernel.panic", Severity.CRITICAL, "never told whole")
        raise LookupError("no such row")

    registry.analyzer("down")(breaks)
    analysis = linux.judge({"text": CRASH})
    [(name, why)] = analysis.broken.items()
    assert name.endswith(".breaks") and "no such row" in why
    assert analysis.verdict.subkind == "mce"
    assert all(finding.title != "never told whole" for finding in analysis.findings)


def test_every_broad_except_but_the_runners_is_absent():
    found = []
    for path in [*FOLDER.glob("*.py"), *(FOLDER.parent / "readers").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler):
                names = "" if node.type is None else ast.unparse(node.type)
                if names in ("", "Exception", "BaseException"):
                    found.append(path.name)
    assert found == ["registry.py"]


def test_readers_and_analyzers_know_no_django():
    for path in [*FOLDER.glob("*.py"), *(FOLDER.parent / "readers").glob("*.py")]:
        assert "django" not in path.read_text().lower().replace("no django", ""), path


def test_each_analyzer_says_what_it_finds():
    for name, (function, needs) in registry.ANALYZERS.items():
        assert function.__doc__, name
        assert needs, name
