"""One machine's answer, read and judged. Never raises, whatever the machine printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from diagnostics.readers import bundle, encodings, windows_record
from diagnostics.readiness import linux, windows
from diagnostics.readiness.checks import Check


@dataclass(frozen=True, slots=True)
class Answer:
    """The checks that an answer allows, with the machine's own time; `problem` says why there are
    none. `family` is rhel, debian, suse, other or windows."""

    checks: tuple[Check, ...]
    family: str = ""
    asked_at: datetime | None = None
    problem: str = ""


def read(output: bytes, known_agent: str = "") -> Answer:
    """Judge what the readiness (or the collection) script printed; `known_agent` from ECS."""
    found = bundle.read(encodings.decoded(output).text.encode())
    if found.os is None or not found.complete:
        # What a cut has taken away would look like something that the machine lacks.
        return Answer((), problem="; ".join(map(str, found.problems)) or "the answer is empty")
    if found.os == "windows":
        told = windows.read(windows_record.read(found.sections))
        checks = windows.judge(told, known_agent)
        return Answer(checks, "windows", told.state.asked_at)
    facts = linux.read(found.sections)
    return Answer(linux.judge(facts, known_agent), facts.state.family, facts.state.asked_at)
