"""The list of analyzers, and the one place that runs them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..findings import Finding

log = logging.getLogger(__name__)
Analyzer = Callable[..., Iterable[Finding]]
ANALYZERS: dict[str, tuple[Analyzer, tuple[str, ...]]] = {}


@dataclass(slots=True)
class Run:
    findings: list[Finding] = field(default_factory=list)
    skipped: dict[str, tuple[str, ...]] = field(default_factory=dict)  # analyzer -> missing
    broken: dict[str, str] = field(default_factory=dict)  # analyzer -> error


def analyzer(*needs: str) -> Callable[[Analyzer], Analyzer]:
    """Register a function of the named evidence that yields findings."""

    def register(function: Analyzer) -> Analyzer:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        if name in ANALYZERS:
            raise ValueError(f"two analyzers are called {name}")
        ANALYZERS[name] = (function, needs)
        return function

    return register


def needing(*given: str) -> list[str]:
    """The analyzers that need nothing but this."""
    return [name for name, (_, needs) in ANALYZERS.items() if set(needs) <= set(given)]


def touching(*given: str) -> list[str]:
    """The analyzers that need some of this."""
    return [name for name, (_, needs) in ANALYZERS.items() if set(needs) & set(given)]


def run(evidence: Mapping[str, object], names: Iterable[str] | None = None) -> Run:
    """Every analyzer (or those named) over this evidence. One that raises stops no other."""
    outcome = Run()
    for name in ANALYZERS if names is None else names:
        function, needs = ANALYZERS[name]
        if missing := tuple(need for need in needs if need not in evidence):
            outcome.skipped[name] = missing
            continue
        try:
            found = list(function(*(evidence[need] for need in needs)))
        except Exception as error:  # the only one in the project: it reports
            log.exception("analyzer %s broke", name)
            outcome.broken[name] = repr(error)
        else:
            outcome.findings += [replace(finding, analyzer=name) for finding in found]
    return outcome
