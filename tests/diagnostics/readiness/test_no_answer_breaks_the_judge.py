"""Whatever a machine says, judging it ends well, with every check once and fit to be kept."""

import json

from hypothesis import given
from hypothesis import strategies as st

from diagnostics.readers import windows_record
from diagnostics.readiness import linux, reading, windows
from diagnostics.readiness.checks import KINDS, STATES
from diagnostics.speech import spoken
from diagnostics.wording import packed, unpacked

from ..guest.fuzzing import fuzz
from . import answers

LINES = [line for text in answers.linux().values() for line in text.splitlines()]
KEYS = sorted({line.partition("=")[0] for line in LINES})
VALUES = st.one_of(
    st.sampled_from([line.partition("=")[2] for line in LINES]),
    st.integers(-(10**20), 10**20).map(str),
    st.text(max_size=30),
)
SECTIONS = st.sampled_from(["system", "kdump", "cmdline", "sysctl", "readiness", "collection"])
PAIRS = st.tuples(st.sampled_from([*KEYS, "journal_storage", "syslog"]), VALUES)
TEXTS = st.lists(PAIRS.map(lambda pair: f"{pair[0]}={pair[1]}"), max_size=12).map("\n".join)
PARTS = ("system", "crash_control", "pagefile", "readiness", "dumps", "events", "dump_counts")
NAMES = sorted({key for part in answers.WINDOWS.values() for key in part})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*NAMES, "Name", "LogName", "DeviceID"]), inner)
    ),
    max_leaves=12,
)


def sound(checks) -> None:
    names = [check.name for check in checks]
    assert len(names) == len(set(names)) and set(names) <= KINDS.keys()
    for check in checks:
        assert check.state in STATES
        kept = json.loads(json.dumps(packed(check)))
        assert spoken(unpacked(kept["found"]))


@fuzz()
@given(st.dictionaries(SECTIONS, TEXTS | st.text(max_size=60)))
def test_no_words_of_linux_break_it(sections):
    checks = linux.judge(linux.read({**answers.linux(), **sections}))
    assert len(checks) == 13
    sound(checks)


@fuzz()
@given(st.dictionaries(st.sampled_from(PARTS), JSON))
def test_no_record_of_windows_breaks_it(parts):
    record = windows_record.read({"record": json.dumps({**answers.WINDOWS, **parts})})
    checks = windows.judge(windows.read(record))
    assert len(checks) == 8
    sound(checks)


@fuzz(400)
@given(st.binary(max_size=300))
def test_no_bytes_break_it(noise):
    assert reading.read(noise).checks == ()
