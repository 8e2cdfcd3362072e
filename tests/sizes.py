"""How much is tried: a quick form by default, the whole with PORTAL_TEST_LONG=1, as CI runs it."""

import os

import pytest

LONG = os.environ.get("PORTAL_TEST_LONG") == "1"
LEFT_OUT = (
    "quick form: a twentieth of the random examples and a fifth of the kill points; tests that "
    "only the long form runs are skipped. PORTAL_TEST_LONG=1 runs everything."
)
long_only = pytest.mark.skipif(not LONG, reason="only in the long form (PORTAL_TEST_LONG=1)")


def examples(whole: int) -> int:
    """Random examples of a property."""
    return whole if LONG else max(whole // 20, 10)


def points(whole: int) -> int:
    """Moments at which something is killed."""
    return whole if LONG else whole // 5
