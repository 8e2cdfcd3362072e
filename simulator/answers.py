"""Answers that machines of one system share: a script runs once and answers for all of them.

Nobody's thread waits: whoever asks is told later, each as long after asking as the script takes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace

from simulator.later import Later
from simulator.machine import Ran, refused

KEPT = 60.0  # seconds that an answer serves; a script sent again later runs again

Find = Callable[[threading.Event], Ran]  # really runs the script, until that event is set
Tell = Callable[[Ran], None]
Submit = Callable[..., object]

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody who asked: when, and whether the answer is still wanted."""

    asked_at: float
    tell: Tell
    wanted: Callable[[], bool]


@dataclass(slots=True, eq=False)
class Answer:
    """One real run of a script. `ran` is there once it has ended, after `took` seconds."""

    stop: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)
    ran: Ran | None = None
    took: float = 0.0
    until: float = float("inf")
    waiting: list[Waiter] = field(default_factory=list)


class Answers:
    """Asks the system behind a question once, and tells its answer to everybody who asks."""

    def __init__(self, submit: Submit, later: Later) -> None:
        self._submit, self._later = submit, later
        self._answers: dict[Hashable, Answer] = {}
        self._lock = threading.Lock()

    def ask(self, question: Hashable, find: Find, tell: Tell, wanted: Callable[[], bool]) -> None:
        """Have `tell` called with the answer; its source is `shared` unless `find` was needed."""
        with self._lock:
            now = time.monotonic()
            self._answers = {q: a for q, a in self._answers.items() if a.until > now}
            answer = self._answers.get(question)
            if first := answer is None:
                answer = self._answers[question] = Answer()
            waiter = Waiter(now, tell, wanted)
            if known := answer.ran:
                answer.until = now + KEPT + answer.took
            else:
                answer.waiting.append(waiter)
        if first:
            self._submit(self._find, question, answer, find)
        elif known:
            self._tell(waiter, replace(known, source="shared"), answer.took)

    def unwanted(self) -> None:
        """Stop every script that nobody wants any more."""
        with self._lock:
            for question, answer in list(self._answers.items()):
                if answer.ran is None and not any(w.wanted() for w in answer.waiting):
                    answer.stop.set()
                    del self._answers[question]

    def close(self) -> None:
        with self._lock:
            for answer in self._answers.values():
                answer.stop.set()

    def _find(self, question: Hashable, answer: Answer, find: Find) -> None:
        answer.began = time.monotonic()
        try:
            ran = find(answer.stop)
        except Exception as error:
            log.exception("a shared script broke")
            ran = refused("ExecutionException", f"the simulator broke: {error!r}")
        with self._lock:
            ended = time.monotonic()
            answer.ran, answer.took = ran, ended - answer.began
            answer.until = ended + (KEPT if ran.exit_code is not None else 0.0)
            waiting, answer.waiting = answer.waiting, []
        for number, waiter in enumerate(waiting):
            self._tell(waiter, replace(ran, source="shared") if number else ran, answer.took)

    def _tell(self, waiter: Waiter, ran: Ran, took: float) -> None:
        remaining = waiter.asked_at + took - time.monotonic()
        if remaining > 0:
            self._later.after(remaining, lambda: waiter.tell(ran))
        else:
            waiter.tell(ran)
