"""A system that many machines of one image share: a script runs once and answers for all."""

import threading
import time
from dataclasses import dataclass, field, replace

from simulator.machine import Guest, Machine, Ran

KEPT = 60.0  # seconds that an answer serves; a script sent again later runs again
LOOK = 0.1  # seconds between two looks at the stop flag

Question = tuple[str, float, str, str]


@dataclass(slots=True)
class Answer:
    """What one run of a script gave; `ran` is there once `done` is set."""

    done: threading.Event = field(default_factory=threading.Event)
    ran: Ran | None = None
    until: float = float("inf")


@dataclass(slots=True)
class SharedGuest:
    """Asks the system behind it once per distinct script, and tells its answer to the others.

    The host name in an answer is that of the machine that was first. Reused answers are marked by
    their source, `shared`.
    """

    guest: Guest
    _answers: dict[Question, Answer] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(
        self,
        machine: Machine,
        script: str,
        *,
        timeout: float,
        username: str,
        working_dir: str,
        stop: threading.Event,
    ) -> Ran:
        question = (script, timeout, username, working_dir)
        while True:
            answer, first = self._answer(question)
            if first:
                return self._found(answer, machine, question, stop)
            if (ran := _awaited(answer, stop)) is not None:
                return ran

    def _found(
        self, answer: Answer, machine: Machine, question: Question, stop: threading.Event
    ) -> Ran:
        script, timeout, username, working_dir = question
        try:
            answer.ran = self.guest.run(
                machine,
                script,
                timeout=timeout,
                username=username,
                working_dir=working_dir,
                stop=stop,
            )
            return answer.ran
        finally:
            useful = answer.ran is not None and not answer.ran.stopped
            answer.until = time.monotonic() + (KEPT if useful else 0.0)
            answer.done.set()

    def console(self, machine: Machine) -> bytes:
        return self.guest.console(machine)

    def _answer(self, question: Question) -> tuple[Answer, bool]:
        """The answer to wait for, and whether the caller is the first and must find it."""
        now = time.monotonic()
        with self._lock:
            self._answers = {q: a for q, a in self._answers.items() if a.until > now}
            if question in self._answers:
                return self._answers[question], False
            self._answers[question] = Answer()
            return self._answers[question], True


def _awaited(answer: Answer, stop: threading.Event) -> Ran | None:
    """The first one's answer; None where it was stopped or broke, so that another must ask."""
    while not answer.done.wait(LOOK):
        if stop.is_set():
            return Ran(None, b"", "shared", stopped=True)
    if answer.ran is None or answer.ran.stopped:
        return None
    return replace(answer.ran, source="shared")
