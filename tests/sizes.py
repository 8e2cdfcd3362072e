"""How much is tried: a quick form by default, the whole with PORTAL_TEST_LONG=1, as CI runs it."""

import os
from collections.abc import Iterable

import pytest

LONG = os.environ.get("PORTAL_TEST_LONG") == "1"
LEFT_OUT = (
    "quick form: a twentieth of the random examples, a fifth of the kill points, a sample of the "
    "machines, pages and tools that are all alike; tests that only the long form runs are "
    "skipped. PORTAL_TEST_LONG=1 runs everything."
)
long_only = pytest.mark.skipif(not LONG, reason="only in the long form (PORTAL_TEST_LONG=1)")


def examples(whole: int) -> int:
    """Random examples of a property."""
    return whole if LONG else max(whole // 20, 10)


def sample(values: Iterable, of: int) -> list:
    """Every value in the long form, the first of each `of` of them in the quick one."""
    return list(values)[:: 1 if LONG else of]


def points(whole: int) -> int:
    """Moments at which something is killed."""
    return whole if LONG else whole // 5
