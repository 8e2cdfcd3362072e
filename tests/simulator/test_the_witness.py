"""The counters tell who really answered, and a recorded answer of a Linux machine is caught."""

import pytest

from simulator import sandbox
from simulator.counters import Counters
from tests import simulation


def counted(*answers: tuple[str, str]) -> dict[str, dict]:
    counters = Counters()
    for system, source in answers:
        counters.add("scripts", system, source)
    return counters.tree()


def test_a_recorded_answer_of_a_linux_machine_fails_the_tests(monkeypatch):
    monkeypatch.setattr(simulation, "REQUIRED", {"sandbox"})
    told = counted(("linux", "sandbox"), ("linux", "recording"), ("windows", "recording"))
    with pytest.raises(AssertionError, match="'recording': 1"):
        simulation.refuse_recordings(told)


def test_really_run_scripts_and_recorded_windows_answers_pass(monkeypatch):
    monkeypatch.setattr(simulation, "REQUIRED", {"sandbox"})
    simulation.refuse_recordings(counted(("linux", "sandbox"), ("windows", "recording")))
    simulation.refuse_recordings(counted())


def test_a_host_without_a_sandbox_may_answer_from_recordings(monkeypatch):
    monkeypatch.setattr(simulation, "REQUIRED", set())
    monkeypatch.setattr(sandbox, "offered", lambda: False)
    simulation.refuse_recordings(counted(("linux", "recording")))
