"""The template tags that every page uses."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.templatetags import portal as tags

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2, "just now"), (59, "59 s ago"), (60, "1 min ago"), (7200, "2 h ago"),
        (-7200, "in 2 h"), (3 * 86400, "3 d ago"), (90 * 86400, "2025-12-01"),
    ],
)  # fmt: skip
def test_times_are_said_as_people_say_them(seconds, words):
    assert tags.relative(NOW - timedelta(seconds=seconds), NOW) == words


def test_the_exact_time_is_at_hand():
    shown = tags.when(NOW)
    assert 'title="2026-03-01 12:00:00 UTC"' in shown and 'datetime="2026-03-01T12:00:00' in shown


def test_a_tone_has_a_word_and_a_drawing():
    shown = tags.badge("bad", "<b>Failed</b>")
    assert "<svg" in shown and "&lt;b&gt;Failed" in shown and "tone-bad" in shown


@pytest.mark.parametrize(
    ("word", "tone"), [("Running", "good"), ("kernel_panic", "bad"), ("no such word", "unknown")]
)
def test_words_have_a_tone(word, tone):
    assert tags.tone(word) == tone


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 B"), (1023, "1023 B"), (24576, "24.0 KiB"), (3 << 20, "3.0 MiB")]
)
def test_sizes_are_binary(number, words):
    assert tags.size(number) == words


def test_an_id_from_outside_is_escaped():
    assert "<script>" not in tags.copyable('"><script>')
