"""What a report is made from: one concluded case, read once, told in its language and zone."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from diagnostics import stages
from diagnostics.models import DiagnosisCase, Evidence, Finding, Step, StepState
from diagnostics.speech import both_clocks, clock, spoken, spoken_lines
from diagnostics.wording import say as _
from diagnostics.wording import unpacked

INTERNAL, CUSTOMER = "internal", "customer"
TRAIL = "audit_trail"
PRIVATE_SOURCES = ("history", TRAIL)
PRIVATE_CODES = ("login.session", "sysrq.asked")


class Source:
    """A case and its copy: the customer's leaves out names, shell history and internal errors."""

    def __init__(self, case: DiagnosisCase, copy: str) -> None:
        self.case, self.copy = case, copy

    @property
    def internal(self) -> bool:
        return self.copy == INTERNAL

    @cached_property
    def steps(self) -> dict[str, Step]:
        return {step.key: step for step in self.case.steps.all()}

    @cached_property
    def judgement(self) -> dict:
        return unpacked(self.case.judgement)

    @property
    def conclusion(self) -> dict:
        return self.judgement["conclusion"]

    @property
    def state(self) -> dict | None:
        return self.judgement.get("state")

    @property
    def handed(self) -> tuple[str, ...]:
        """Files that people gave and that were read."""
        return tuple(self.judgement.get("handed") or ())

    @property
    def scripted(self) -> bool:
        """What the collection script printed was read, whoever ran it."""
        return bool(self.judgement.get("scripted", self.state))

    @property
    def analysis(self) -> dict | None:
        """The analysis that the conclusion rests on, else whichever there is."""
        first = "console" if self.conclusion["origin"] == "console" else "guest"
        other = "guest" if first == "console" else "console"
        return self.judgement.get(first) or self.judgement.get(other)

    @cached_property
    def findings(self) -> list[Finding]:
        rows = list(self.case.findings.select_related("evidence").defer("evidence__packed"))
        if self.internal:
            return rows
        return [row for row in rows if not self._private(row)]

    @property
    def of_the_machine(self) -> list[Finding]:
        """Those that its own records or its console prove."""
        return [row for row in self.findings if row.source != TRAIL]

    def _private(self, finding: Finding) -> bool:
        private = finding.source in PRIVATE_SOURCES or "history" in finding.code
        return private or finding.code in PRIVATE_CODES

    @cached_property
    def evidence(self) -> list[Evidence]:
        rows = self.case.evidence.defer("packed").select_related("given_by")
        return list(rows.order_by("collected_at", "pk"))

    @property
    def windows(self) -> bool:
        return self.os_type == "windows"

    @property
    def os_type(self) -> str:
        told = self.steps[stages.INSTANCE].facts.get("os_type")
        known = told or (self.case.instance.os_type if self.case.instance else "")
        return known or self.judgement.get("os", "")

    def say(self, message: str, /, **params: object) -> str:
        return spoken(_(message, **params), self.case.zone)

    def told(self, name: str) -> str:
        """A sentence of the conclusion."""
        return spoken(self.conclusion[name], self.case.zone)

    def told_lines(self, name: str) -> tuple[str, ...]:
        return tuple(spoken_lines(self.conclusion.get(name, ()), self.case.zone))

    def at(self, moment: datetime) -> str:
        return clock(moment, self.case.zone)

    def at_both(self, moment: datetime) -> str:
        return both_clocks(moment, self.case.zone)

    def why_not(self, key: str) -> tuple[str, ...]:
        """Why a stage has no result. A customer is not told of our rights and errors."""
        step = self.steps[key]
        if step.state == StepState.FAILED and not self.internal:
            return (self.say("This could not be asked."),)
        said = [*unpacked(step.reason), *unpacked(step.instead)]
        return tuple(spoken_lines(said, self.case.zone)) or (
            self.say("The case ended before this was asked."),
        )

    def summary_of(self, key: str) -> tuple[str, ...]:
        said = unpacked(self.steps[key].summary)
        return tuple(spoken_lines(said, self.case.zone))

    def answered(self, key: str) -> bool:
        return self.steps[key].state == StepState.DONE
