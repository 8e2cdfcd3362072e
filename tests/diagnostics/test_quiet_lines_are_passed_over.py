"""Most lines of a log are never read. What is told is what reading every line would tell."""

import json
import random
import re
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics.analyzers import linux
from diagnostics.management.commands import analyze
from diagnostics.readers import events, lines
from tests.diagnostics.test_linux_analysis_of_mangled_evidence import EVIDENCE
from tests.diagnostics.test_linux_figures_on_the_corpus import CORPUS, needs_corpus
from tests.sizes import LONG, examples

EXAMPLES = settings(
    max_examples=examples(1000), deadline=None, suppress_health_check=list(HealthCheck)
)
CONSOLES = {file.parent.name: file.read_text() for file in EVIDENCE.glob("*/console.log")}
PREFIXES = [
    *("", "> ", "<4>", "Nov  9 12:01:01 web-7 kernel: ", "2026-02-29T25:01:01Z h app[12]: "),
    *("Nov  9 12:01:01 web-7 app[12]: ", "Feb 29 12:01:01 h a/b: ", "2026-02-28T02:28:02Z h a/b: "),
    *("Nov 31 12:01:01 h app: ", "Nov 30 12:01:01 h postfix/kernel[1]: ", "Nov 1 12:01:01 h a@b: "),
]
STRAY = ["\0" * 40, "\x1b[31m", "订单 7 已支付 ", "DEBUG: ", "INFO: ", "\xa0", "x" * 70000, "\r"]


class EveryLine:
    """Takes each line for one that tells something."""

    def stand_in(self, text: str) -> bool:
        return True

    def places(self, text: str) -> list[int]:
        return [found.start() for found in re.finditer("^", text, re.MULTILINE)]


@pytest.fixture(scope="module")
def slowly():
    """Does something with every line read."""

    def do(work, *given):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(events, "TELLING", EveryLine())
            patch.setattr(events, "TELLING_OF_PROGRAMS", EveryLine())
            return work(*given)

    return do


def told(blocks: list[str]) -> tuple:
    return list(events.read(blocks)), linux.judge_stream(blocks)


@st.composite
def mangled(draw) -> str:
    """Parts of consoles: cut, shuffled, interleaved, with other prefixes and strays in front."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    parts = []
    for name in draw(st.lists(st.sampled_from(sorted(CONSOLES)), min_size=1, max_size=3)):
        lines = CONSOLES[name].splitlines()
        start = chance.randrange(len(lines))
        parts.append(lines[start : start + chance.randrange(1, 200)])
    order = draw(st.sampled_from(["one after the other", "shuffled", "interleaved"]))
    lines = [
        (chance.random() if order == "interleaved" else n, line)
        for n, part in enumerate(parts)
        for line in part
    ]
    lines = [line for _, line in sorted(lines, key=lambda pair: pair[0])]
    if order == "shuffled":
        chance.shuffle(lines)
    prefix = draw(st.sampled_from(PREFIXES))
    strays = draw(st.lists(st.sampled_from(STRAY), max_size=4))
    for stray in strays:
        at = chance.randrange(len(lines))
        lines[at] = stray + lines[at]
    cut = draw(st.integers(0, 30))
    return draw(st.sampled_from(["\n", "\r\n"])).join(prefix + line for line in lines)[cut:]


@EXAMPLES
@given(mangled(), st.sampled_from([97, 5000, 1 << 20]))
def test_mangled_logs_tell_what_they_tell_line_by_line(slowly, text, size):
    blocks = [text[at : at + size] for at in range(0, len(text), size)]
    assert told(blocks) == slowly(told, blocks)


@EXAMPLES
@given(mangled(), st.sampled_from(["utf-8-sig", "utf-16", "latin-1", "gb18030"]))
def test_logs_in_other_encodings_too(slowly, tmp_path_factory, text, encoding):
    file = tmp_path_factory.getbasetemp() / "log"
    file.write_bytes(text.encode(encoding, "replace"))

    def judged() -> dict:
        with file.open("rb") as stream:
            return analyze._one(stream, "linux")

    assert judged() == slowly(judged)


@needs_corpus
def test_the_corpus_tells_what_it_tells_line_by_line(slowly):
    cases = chain.from_iterable(
        (CORPUS / "linux" / name).read_text().splitlines()
        for name in ("reports.jsonl", "syzkaller.jsonl")
    )
    texts = [[json.loads(case)["text"]] for case in cases]
    assert texts
    for number, text in enumerate(texts if LONG else texts[::8]):
        assert told(text) == slowly(told, text), number


@pytest.mark.parametrize("header", events.TABLE, ids=lambda header: header.code)
def test_every_line_that_a_header_fits_holds_one_of_its_words(header):
    @settings(EXAMPLES, max_examples=examples(400))
    @given(st.from_regex(header.pattern))
    def holds(text):
        if found := header.pattern.search(text):
            assert any(word in found[0] for word in header.words), found[0]

    holds()


def test_each_word_is_found_wherever_it_stands():
    for word in events.EVERY_WORD:
        for before in ("", "x", " ", "é订单 ", "\0", "B", "BUG"):
            text = f"quiet 订单\n{before}{word}\nquiet"
            (place,) = {text.count("\n", 0, at) for at in events.TELLING.places(text)}
            assert place == 1, (before, word)
            assert events.TELLING.stand_in(text)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_who_surely_is_a_program_is_one(prefix):
    if lines.PROGRAM.match(prefix + "INFO: all is well"):
        assert not lines.read(prefix + "INFO: all is well").by_kernel


@EXAMPLES
@given(st.from_regex(lines.PROGRAM))
def test_whatever_surely_is_a_program_is_one(text):
    line = lines.read(text[lines.PROGRAM.search(text).start() :])
    assert not line.by_kernel


@pytest.mark.parametrize("stray", ["\0", "\0" * 400, "\x1b[31m", "\x1b[0;1;31m"])
def test_a_word_broken_apart_is_read_too(stray):
    log = (
        f"all is quiet\n[   99.100000] Ker{stray}nel panic - not syncing: Fatal exception\nquiet\n"
    )
    assert linux.judge_stream([log]).verdict.kind == "kernel_panic"


def test_what_applications_say_all_day_is_not_read():
    log = "Nov  9 12:01:01 web-7 app[12]: DEBUG: cache is warm\nweb-7 app[13]: DEBUG o.e.Shop\n"
    assert not events.TELLING.stand_in(log * 100)
    assert not list(events.TELLING.places(log * 100))
