"""The promised figures for Linux on the measuring corpus, where it lies beside the checkout."""

import json

import pytest

from diagnostics.analyzers import linux

from .corpus import CORPUS, needs_corpus, scored

PROMISED = {"kind~": 99.0, "subkind~": 97.0, "crashed": 99.5, "function": 95.0}
INVENTED = 2.0


@needs_corpus
@pytest.mark.parametrize(
    "files", [("linux/syzkaller", "linux/reports"), ("linux/reports",)], ids=" + ".join
)
def test_the_promised_figures_hold(files):
    figures = scored(*files)
    assert figures["blame"] == 0 and figures["missing"] == 0
    fallen = {key: figures[key] for key, floor in PROMISED.items() if figures[key] < floor}
    assert not fallen
    assert figures["invented"] <= INVENTED


@needs_corpus
def test_real_vmcore_dmesg_files_are_judged_rightly():
    lines = (CORPUS / "linux" / "reports.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    cases = [case for case in cases if case["id"].startswith("vmcore-")]
    assert cases
    for case in cases:
        verdict = linux.judge({"text": case["text"]}).verdict
        truth = case["truth"]
        assert verdict.kind == truth["kind"], case["id"]
        assert verdict.subkind in {truth["subkind"], *truth["subkind_alt"]}, case["id"]
