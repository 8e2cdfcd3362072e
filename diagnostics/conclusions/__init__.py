"""From facts to the one answer: what happened, why we believe it, and what to do now.

Pure functions, no Django. The rules stand in their order of precedence; the first that answers
wins, and the last one always does: with nothing to judge by, the answer is `undetermined`.
"""

from __future__ import annotations

from diagnostics.conclusions import linux, outside, own, platform, quiet, unknown, windows
from diagnostics.conclusions.answer import Conclusion, complete
from diagnostics.facts import Facts
from diagnostics.incident import settle

__all__ = ["Conclusion", "conclude"]

RULES = (
    platform.ended_it,  # a platform event that fits ends the search
    quiet.stayed_up,  # the machine did not go down in the window
    linux.crashed,
    windows.crashed,
    own.took_it_down,
    outside.took_it_down,  # somebody else did, by the account's audit trail
    linux.orderly,
    windows.orderly,
    platform.saw_the_guest_fail,
    linux.unexplained,
    windows.unexplained,
    platform.ecs_alone,
    unknown.nothing_to_judge_by,
)


def conclude(facts: Facts) -> Conclusion:
    """The answer to the case, whatever is missing."""
    incident = settle(facts)
    for rule in RULES:
        cause = rule(facts, incident)
        if cause:
            return complete(outside.beside(facts, incident, cause), facts, incident)
    raise AssertionError("the last rule always answers")
