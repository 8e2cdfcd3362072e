"""A simulated fleet whose timed runs fire when a test says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine

STEP = timedelta(minutes=5)


class Hand:
    """Moves time on for the portal and the simulator, to the next fire."""

    def __init__(self, clock):
        self.clock, self.due = clock, []

    def after(self, seconds, act):
        self.due.append(act)

    def fire(self):
        self.clock.shift(STEP)
        due, self.due = self.due, []
        for act in due:
            act()


@contextmanager
def by_hand(simulator) -> Iterator[Hand]:
    repeating = simulator.cloud.runs.repeating
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:
        before, repeating.later = repeating.later, Hand(clock)
        yield repeating.later
        repeating.later = before
