"""A bundle is read whatever has happened to it on the way, and what happened is said."""

import gzip
import subprocess

from diagnostics.readers import bundle

from .windows_answers import numbered

TEXT = (
    "#section system\nhostname=web01\n#section cmdline\nquiet\n"
    "#section pstore\n#section journal_previous\n"
    + "".join(
        f"2026-11-20T10:{n // 60:02}:{n % 60:02}+0800 web01 kernel: line {n * 7919 % 1000}\n"
        for n in range(900)
    )
)


def sealed(text: str = TEXT, form: str = "gzip") -> bytes:
    """As the script prints it."""
    raw = text.encode()
    body = numbered(gzip.compress(raw, 9)) if form == "gzip" else raw
    crc = bundle.posix_cksum(raw)
    return b"#ecs-bundle 1 linux %s\n%s#ecs-end bytes=%d cksum=%d seconds=1\n" % (
        form.encode(),
        body,
        len(raw),
        crc,
    )


def test_a_packed_bundle_is_complete():
    read = bundle.read(sealed())
    assert (read.os, read.complete, read.problems) == ("linux", True, ())
    assert read.sections["system"] == "hostname=web01"


def test_asked_and_nothing_there_differs_from_not_asked():
    sections = bundle.read(sealed()).sections
    assert sections["pstore"] == ""
    assert "dmesg" not in sections


def test_windows_line_ends_and_words_around_it_do_no_harm():
    noisy = b"Welcome!\r\n" + sealed().replace(b"\n", b"\r\n") + b"\r\nbye\r\n"
    assert bundle.read(noisy) == bundle.read(sealed())


def test_a_plain_bundle_is_complete():
    read = bundle.read(sealed(form="plain"))
    assert read.complete and read.sections["cmdline"] == "quiet"


def test_of_a_plain_bundle_cut_in_the_middle_head_and_tail_survive():
    whole = sealed(form="plain")
    read = bundle.read(whole[:6000] + whole[9000:])
    assert not read.complete
    assert "3000 bytes are missing" in str(read.problems[0])
    assert read.sections["journal_previous"].endswith(TEXT[-40:-1])


def test_of_a_packed_bundle_cut_in_the_middle_only_true_lines_survive():
    whole = sealed()
    read = bundle.read(whole[:1500] + whole[2800:])
    assert not read.complete and read.problems
    lines = read.sections["journal_previous"].splitlines()
    assert len(lines) > 20
    assert set(lines[:-1]) <= set(TEXT.splitlines())


def test_a_changed_byte_is_noticed():
    whole = sealed(form="plain").replace(b"hostname=web01", b"hostname=web02")
    read = bundle.read(whole)
    assert not read.complete
    assert read.sections["system"] == "hostname=web02"


def test_a_bomb_is_unpacked_no_further_than_the_limit():
    bomb = sealed("#section dmesg\n" + "0" * 50_000_000)
    read = bundle.read(bomb)
    assert not read.complete
    assert sum(map(len, read.sections.values())) <= bundle.MAX_TEXT


def test_a_section_that_comes_twice_counts_once():
    read = bundle.read(sealed("#section cmdline\nquiet\n#section cmdline\ncrashkernel=1G\n"))
    assert read.sections["cmdline"] == "quiet"
    assert tuple(map(str, read.problems)) == ("section cmdline came twice: the first is kept",)


def test_sections_with_strange_names_are_left_out():
    read = bundle.read(sealed("#section ../../etc\nx\n#section <b>\ny\n#section who\nz\n"))
    assert read.sections == {"who": "z"}


def test_control_characters_never_come_through():
    read = bundle.read(sealed("#section who\nroot\x00\x1b[31m did it\x07\n"))
    assert read.sections["who"] == "root[31m did it"


def test_nothing_at_all_is_said_to_be_nothing():
    read = bundle.read(b"sh: not found")
    assert (read.os, read.sections, read.complete) == (None, {}, False)
    assert len(read.problems) == 3


def test_the_sum_is_the_one_that_cksum_prints():
    for text in (b"", b"a", TEXT.encode()):
        said = subprocess.run(["cksum"], input=text, capture_output=True, check=True).stdout
        assert bundle.posix_cksum(text) == int(said.split()[0])


def test_lost_lines_in_the_middle_are_noticed_and_end_what_is_read():
    lines = sealed().splitlines(keepends=True)
    read = bundle.read(b"".join(lines[:20] + lines[23:]))
    assert not read.complete
    assert set(read.sections["journal_previous"].splitlines()[:-1]) <= set(TEXT.splitlines())


def test_lines_that_a_narrow_terminal_broke_are_joined_again():
    narrow = b"".join(
        line[:50] + b"\n" + line[50:] if line[0] != ord("#") else line
        for line in sealed().splitlines(keepends=True)
    )
    assert bundle.read(narrow).complete
