"""One real run answers for all who ask meanwhile, and nobody's thread waits for it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulator.answers import Answers
from simulator.later import Later
from simulator.machine import Ran


class Slow:
    """A system whose script ends when it is let go."""

    def __init__(self):
        self.runs, self.go, self.told = 0, threading.Event(), []

    def find(self, stop):
        self.runs += 1
        while not self.go.is_set():
            if stop.wait(0.01):
                return Ran(None, b"", "sandbox", stopped=True)
        return Ran(0, b"x", "sandbox")


@pytest.fixture
def answers():
    later = Later()
    with ThreadPoolExecutor(4) as pool:
        yield Answers(pool.submit, later)
    later.close()


def until(question):
    ends = time.monotonic() + 10
    while not question():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_those_who_wait_get_the_first_ones_answer(answers):
    slow = Slow()
    for _ in range(5):
        answers.ask("q", slow.find, slow.told.append, lambda: True)
    until(lambda: slow.runs == 1)
    slow.go.set()
    until(lambda: len(slow.told) == 5)
    assert slow.runs == 1
    assert sorted(ran.source for ran in slow.told) == ["sandbox"] + ["shared"] * 4
    assert {ran.output for ran in slow.told} == {b"x"}


def test_another_question_is_another_run(answers):
    slow = Slow()
    slow.go.set()
    for question in "abc":
        answers.ask(question, slow.find, slow.told.append, lambda: True)
    until(lambda: len(slow.told) == 3)
    assert slow.runs == 3


def test_a_run_that_somebody_wants_goes_on(answers):
    slow = Slow()
    answers.ask("q", slow.find, slow.told.append, lambda: False)
    answers.ask("q", slow.find, slow.told.append, lambda: True)
    answers.unwanted()
    slow.go.set()
    until(lambda: len(slow.told) == 2)
    assert not any(ran.stopped for ran in slow.told)


def test_a_run_that_nobody_wants_is_stopped_and_serves_no_one(answers):
    slow = Slow()
    answers.ask("q", slow.find, slow.told.append, lambda: False)
    until(lambda: slow.runs == 1)
    answers.unwanted()
    until(lambda: slow.told and slow.told[0].stopped)
    slow.go.set()
    answers.ask("q", slow.find, slow.told.append, lambda: True)
    until(lambda: len(slow.told) == 2)
    assert slow.runs == 2 and slow.told[1].output == b"x"


def test_a_run_that_breaks_is_told_to_all(answers):
    def broken(stop):
        raise OSError("no more processes")

    told = []
    answers.ask("q", broken, told.append, lambda: True)
    until(lambda: told)
    assert told[0].error_code == "ExecutionException"
