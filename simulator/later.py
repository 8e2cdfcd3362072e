"""Acts put off for a while, all in one thread however many there are."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Later:
    """`after(seconds, act)` runs `act` once that time is over, unless it is closed before."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._serial), act))
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="later", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (wait := self._wait()) != 0:
                    self._changed.wait(wait)
                if self._closed:
                    return
                act = heapq.heappop(self._due)[2]
            act()

    def _wait(self) -> float | None:
        """Seconds until the next act; None without one."""
        return max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
