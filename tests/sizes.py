"""How much is tried: a quick form by default, the whole with PORTAL_TEST_LONG=1, as CI runs it."""

import os
from collections import Counter
from collections.abc import Iterable

import pytest

LONG = os.environ.get("PORTAL_TEST_LONG") == "1"
LEFT_OUT = (
    "quick form: a fortieth of the random examples, a fifth of the kill points, a fifth of what "
    "runs scripts in a sandbox or reboots machines, a sample of pages and tools; tests that only "
    "the long form runs are skipped or deselected. PORTAL_TEST_LONG=1 runs everything."
)
long_only = pytest.mark.skipif(not LONG, reason="only in the long form (PORTAL_TEST_LONG=1)")


DEAR = {"sandbox_needed", "rebooting"}  # fixtures: scripts that really run, machines that reboot


def quick(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests of the quick form, and those left out: of the dear ones it has the first of a
    file, and then one in five."""
    dear, kept, left_out = Counter(), [], []
    for item in items:
        is_dear = not DEAR.isdisjoint(getattr(item, "fixturenames", ()))
        (left_out if is_dear and dear[item.path] % 5 else kept).append(item)
        dear[item.path] += is_dear
    return kept, left_out


def examples(whole: int) -> int:
    """Random examples of a property."""
    return whole if LONG else max(whole // 40, 10)


def sample(values: Iterable, of: int) -> list:
    """Every value in the long form, the first of each `of` of them in the quick one."""
    return list(values)[:: 1 if LONG else of]


def points(whole: int) -> int:
    """Moments at which something is killed."""
    return whole if LONG else whole // 5
