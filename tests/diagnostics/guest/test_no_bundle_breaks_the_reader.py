"""Whatever happens to a bundle on its way, reading it ends well and never claims to be whole."""

import base64
import zlib

from hypothesis import example, given
from hypothesis import strategies as st

from diagnostics.readers import bundle, linux_state, windows_record

from .fuzzing import fuzz
from .test_reading_a_bundle import TEXT, sealed

WHOLE = {"gzip": sealed(), "plain": sealed(form="plain")}
SECTIONS = bundle.read(WHOLE["gzip"]).sections
LINES = set(TEXT.splitlines())

damages = st.lists(
    st.tuples(
        st.sampled_from(["cut", "insert", "flip", "twice", "crlf", "swap"]),
        st.integers(0, 40_000),
        st.integers(0, 40_000),
        st.binary(max_size=40),
    ),
    max_size=4,
)


def damaged(output, damages):
    for how, one, two, noise in damages:
        size = max(len(output), 1)
        start, end = sorted((one % size, two % size))
        if how == "cut":
            output = output[:start] + output[end:]
        elif how == "insert":
            output = output[:start] + noise + output[start:]
        elif how == "flip":
            output = output[:start] + noise[:1] + output[start + 1 :]
        elif how == "twice":
            output = output + output[start:]
        elif how == "crlf":
            output = output.replace(b"\n", b"\r\n")
        else:
            output = output[start:end] + output[:start] + output[end:]
    return output[:200_000]


@fuzz()
@given(st.sampled_from(["gzip", "plain"]), damages)
def test_a_damaged_bundle_is_read_as_far_as_it_goes(form, happened):
    read = bundle.read(damaged(WHOLE[form], happened))
    assert read.sections.keys() <= set(bundle.LINUX) | set(bundle.WINDOWS)
    assert read.complete == (read.complete and read.sections == SECTIONS)
    assert read.complete or read.problems
    linux_state.read(read.sections)
    windows_record.read(read.sections)


@fuzz()
@example(1370, 1, b"/")  # one character replaced by another that fits as well
@given(st.integers(0, 5000), st.integers(1, 5000), st.binary(max_size=20))
def test_a_cut_in_the_middle_invents_no_line(start, length, mark):
    whole = WHOLE["gzip"]
    start += 30
    read = bundle.read(whole[:start] + mark + whole[start + length :])
    for text in read.sections.values():
        assert set(text.splitlines()[:-1]) <= LINES, (start, length)


@fuzz()
@given(st.binary(max_size=400), st.sampled_from([b"", b"#ecs-bundle 1 linux gzip\n"]))
def test_no_bytes_break_the_reader(noise, header):
    bundle.read(noise)
    bundle.read(header + noise + b"\n#ecs-end bytes=5 cksum=1\n")
    packed = zlib.compressobj(wbits=31)
    body = packed.compress(noise) + packed.flush()
    bundle.read(header + base64.b64encode(body))
