"""The promised figures for Windows on the measuring corpus, where it lies beside the checkout."""

from .corpus import needs_corpus, scored


@needs_corpus
def test_the_promised_figures_hold():
    figures = scored("windows/cases")
    assert figures["missing"] == 0
    assert figures["blame"] == 0 and figures["bugcheck_code"] == 100
    assert figures["kind~"] >= 98
