"""Cut, shuffled, interleaved and re-encoded evidence: never an exception, never invented blame."""

import random
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics.analyzers import linux
from tests.sizes import examples

from .test_shapes_of_linux_reports import OOPS, REPORTS

EVIDENCE = Path(__file__).parent.parent / "evidence"
TELLING = ("null-irq", "oom-panic", "hung-panic", "softlockup-panic", "hard-reset", "reboot-ok")
HEALTHY = [
    line
    for line in (EVIDENCE / "healthy" / "console.log").read_text().splitlines()
    if "Linux version" not in line
]
EXAMPLES = settings(
    max_examples=examples(2000),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


def tail(name: str) -> list[str]:
    return (EVIDENCE / name / "console.log").read_text(errors="replace").splitlines()[325:]


LINES = {name: tail(name) for name in TELLING}
SURVIVED = [text for text, verdict in REPORTS.values() if verdict[0] != "kernel_panic"]
SHAPES = [text for text, _ in REPORTS.values()] + ["\n".join(OOPS)]
WORDS = ["Kernel panic", "Oops", "reboot", "BUG", "\x00", "\x1b[31m", "é" * 40, "{", "[", "> "]
PREFIXES = ["", "> ", "<4>", "Nov  9 12:01:01 web-7 kernel: ", "2026-03-04T02:28:02Z h kernel: "]


def survives(text: str, section: str = "text") -> linux.Analysis:
    analysis = linux.judge(
        {section: text, "system": "now=1\n"} if section != "text" else {"text": text}
    )
    assert not analysis.broken, analysis.broken
    assert analysis.verdict.kind
    return analysis


@EXAMPLES
@given(st.sampled_from(TELLING), st.data())
def test_cut_and_interleaved_reports_are_survived(name, data):
    lines = LINES[name]
    start = data.draw(st.integers(0, len(lines)))
    part = lines[start : start + data.draw(st.integers(0, 60))]
    other = LINES[data.draw(st.sampled_from(TELLING))][:20]
    seed = data.draw(st.integers(0, 2**32))
    mixed = part + other
    random.Random(seed).shuffle(mixed)
    section = data.draw(st.sampled_from(["text", "console", "messages", "vmcore_dmesg", "pstore"]))
    survives("\n".join(mixed), section)


@EXAMPLES
@given(
    st.sampled_from(TELLING), st.sampled_from(["utf-8", "utf-16", "latin-1", "cp037"]), st.data()
)
def test_re_encoded_and_broken_bytes_are_survived(name, encoding, data):
    raw = "\n".join(LINES[name][:40]).encode(encoding, "replace")
    at = data.draw(st.integers(0, len(raw)))
    broken = raw[:at] + data.draw(st.binary(max_size=30)) + raw[at:]
    survives(broken.decode("utf-8", "replace"))


@EXAMPLES
@given(st.data())
def test_healthy_lines_never_become_a_crash(data):
    """Whatever part, order, prefix or stray word: no line of these says that anything died."""
    part = data.draw(st.lists(st.sampled_from(HEALTHY), max_size=40))
    prefix = data.draw(st.sampled_from(PREFIXES))
    stray = [f"note: {word}" for word in data.draw(st.lists(st.sampled_from(WORDS), max_size=5))]
    verdict = survives("\n".join(prefix + line for line in [*part, *stray])).verdict
    assert not verdict.crashed, verdict


@EXAMPLES
@given(
    st.text(max_size=300), st.sampled_from(["last", "who", "dumps", "system", "history", "boots"])
)
def test_any_text_in_any_section_is_survived(text, section):
    sections = {"journal_previous": "\n".join(HEALTHY[:3]), section: text}
    assert not linux.judge(sections).broken


@EXAMPLES
@given(st.data())
def test_reports_that_were_survived_never_become_a_crash(data):
    """Cut, put through each other, wrapped and behind any prefix: nobody says that it died."""
    text = mangled(data, SURVIVED)
    verdict = survives(text).verdict
    assert not verdict.crashed, text


@EXAMPLES
@given(st.data())
def test_a_function_that_is_named_stands_in_the_evidence(data):
    text = mangled(data, SHAPES)
    function = survives(text).verdict.function
    assert function is None or function in text, text


def mangled(data, shapes: list[str]) -> str:
    """Parts of some reports, shuffled or in order, behind one prefix, long lines perhaps broken."""
    parts = data.draw(st.lists(st.sampled_from(shapes), min_size=1, max_size=3))
    lines = [line.strip() for text in parts for line in text.splitlines()]
    start = data.draw(st.integers(0, len(lines)))
    kept = lines[start : start + data.draw(st.integers(0, 40))]
    if data.draw(st.booleans()):
        random.Random(data.draw(st.integers(0, 2**32))).shuffle(kept)
    width = data.draw(st.sampled_from([400, 70, 30]))
    broken = [line[at : at + width] for line in kept for at in range(0, len(line), width)]
    prefix = data.draw(st.sampled_from([*PREFIXES, "[  812.345678] "]))
    return "\n".join(prefix + line for line in broken)
