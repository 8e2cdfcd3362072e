"""How fast an operation may be called, and how long it rests after ECS said "too many".

ECS counts per account, region and operation and does not publish its thresholds, so each of
them has its own bucket here. It counts by the minute: two hundred calls at once cost no more than
the same calls spread over ten seconds. After a throttled call the operation rests, longer each
time, and is then tried once a second until a call gets through; other operations go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_REST = 60.0  # seconds: ECS counts by the minute
PROBE_INTERVAL = 1.0  # seconds between calls until one gets through again

Key = tuple[str, str, str]  # account, region, operation


class MustRest(Exception):
    """The operation rests longer than the caller can wait; `seconds` is how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.1f} s")
        self.seconds = seconds


@dataclass(slots=True)
class _Bucket:
    used_until: float = float("-inf")  # the moment at which everything taken is paid back
    strikes: int = 0  # throttled answers in a row


class Throttle:
    """Token buckets, one for each key; safe to share between threads."""

    def __init__(
        self,
        *,
        rate: float = 20.0,
        burst: int = 200,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate, self.burst, self.clock, self.sleep = rate, burst, clock, sleep
        self._buckets: dict[Key, _Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, key: Key, patience: float) -> None:
        """Wait for this caller's turn, or raise MustRest at once if it is too far away."""
        delay = self._take(key, patience)
        if delay > 0.001:
            self.sleep(delay)

    def _take(self, key: Key, patience: float) -> float:
        with self._lock:
            now, bucket = self.clock(), self._buckets.setdefault(key, _Bucket())
            interval = PROBE_INTERVAL if bucket.strikes else 1 / self.rate
            saved = 0 if bucket.strikes else (self.burst - 1) * interval
            start = max(bucket.used_until, now - saved)
            if start - now > patience:
                raise MustRest(start - now)
            bucket.used_until = start + interval
            return start - now

    def pause(self, key: Key, seconds: float | None = None) -> float:
        """Let the operation rest; return for how many seconds. `seconds` is ECS's own wish."""
        with self._lock:
            bucket = self._buckets.setdefault(key, _Bucket())
            rest = seconds if seconds is not None else 2.0**bucket.strikes
            rest = min(max(rest, 0.0), LONGEST_REST)
            bucket.strikes = min(bucket.strikes + 1, 10)
            bucket.used_until = max(bucket.used_until, self.clock() + rest)
            return rest

    def passed(self, key: Key) -> None:
        """A call got through: full speed again."""
        with self._lock:
            bucket = self._buckets.setdefault(key, _Bucket())
            if bucket.strikes:
                bucket.strikes, bucket.used_until = 0, self.clock()
