"""Every act the simulator performed, counted: the other side's witness in tests."""

from __future__ import annotations

import threading
from collections import Counter


class Counters:
    """Counts under dotted paths, such as `calls.RunCommand` or `scripts.linux.sandbox`.

    calls.<operation>            answered calls, refused ones included
    refused.<operation>.<code>   calls that ended in an error
    faults.<kind>                faults that took effect
    runs.<instance>              times a script was started on a machine
    scripts.<linux|windows>.<sandbox|shared|recording|refused>   who really answered
    acts.<what>                  acts on the world: invocations, stops, commands kept
    reboots.<instance>, stops.<instance>, starts.<instance>   times it was sent down or up
    boots.<instance>             times it really came up anew
    tokens.<ClientToken>         times a call with it was acted upon
    installs.<instance>          times the agent was installed on a machine
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._lock = threading.Lock()

    def add(self, *path: str) -> None:
        with self._lock:
            self._counts[path] += 1

    def get(self, *path: str) -> int:
        with self._lock:
            return self._counts[path]

    def tree(self) -> dict[str, dict]:
        """All counts, nested by path."""
        with self._lock:
            counts = sorted(self._counts.items())
        tree: dict[str, dict] = {
            name: {} for name in ("calls", "refused", "faults", "runs", "scripts", "acts")
        }
        for path, count in counts:
            branch = tree
            for name in path[:-1]:
                branch = branch.setdefault(name, {})
            branch[path[-1]] = count
        return tree
