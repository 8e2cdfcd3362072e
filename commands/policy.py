"""Judging a run before it is asked for, on its resolved text and its targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from commands.models import PolicyRule, Verb
from instances.models import Instance, InstanceTag
from portal import patterns
from portal.kept import kept

# The rules that every portal starts with, so that they are read in every language.
FIRST_RULES = (
    kept("Removing the root directory: rm -r on / destroys the system."),
    kept("Removing the system drive: What is on the system drive is lost."),
    kept("Formatting or overwriting a disk: What is on the disk is lost."),
    kept(
        "Going down without the exit code: Cloud Assistant loses the script's result when the"
        " machine goes down under it. End the script with exit 194 (restart) or 193 (stop), on"
        " Windows with 3010 or 3009, instead."
    ),
    kept("Going down by exit code: The instances restart or stop when the script ends."),
    kept(
        "Passing on an installer's exit code: Installers end with 3010 where they want a restart,"
        " and Cloud Assistant then restarts the machine."
    ),
    kept("Protected instances: At least one instance carries the tag protected."),
)


@dataclass(frozen=True)
class Judgement:
    """The rules that fire, by what they do."""

    warns: list[PolicyRule]
    demands: list[PolicyRule]
    refuses: list[PolicyRule]

    @property
    def digest(self) -> list[str]:
        """Changes where other rules fire."""
        return sorted(f"{rule.pk} {rule.verb}" for rule in self._all())

    def _all(self) -> Iterable[PolicyRule]:
        return [*self.warns, *self.demands, *self.refuses]


def text_of(script: Mapping[str, Any]) -> str:
    """All of a script that a machine reads (fields as in `Script`): the directory that it begins
    in, the text, and the launcher, which runs what it likes."""
    where = script.get("working_dir")
    parts = where and f'cd "{where}"', script["script"], script.get("launcher")
    return "\n".join(part for part in parts if part)


def judge(text: str, instances: Sequence[Instance]) -> Judgement:
    """Every enabled rule against the text as it would run, and everybody it would run on.

    A line that a shell joins with the next one is read as it reads it."""
    text = text.replace("\\\n", "")
    fired: dict[str, list[PolicyRule]] = {verb: [] for verb in Verb.values}
    for rule in PolicyRule.objects.filter(enabled=True).order_by("name"):
        if _fires(rule, text, instances):
            fired[rule.verb].append(rule)
    return Judgement(fired[Verb.WARN], fired[Verb.APPROVE], fired[Verb.REFUSE])


def _fires(rule: PolicyRule, text: str, instances: Sequence[Instance]) -> bool:
    if rule.above is not None and len(instances) <= rule.above:
        return False
    if rule.pattern and not _fits(rule.pattern, text):
        return False
    return not rule.tag_key or _tagged(rule, instances)


def _fits(pattern: str, text: str) -> bool:
    """A pattern that cannot be read holds for every text: rules fail towards the safe side."""
    try:
        return patterns.read(pattern, any_case=True, by_line=True).stands_in(text)
    except patterns.BadPattern:
        return True


def _tagged(rule: PolicyRule, instances: Sequence[Instance]) -> bool:
    wanted = Q(key=rule.tag_key)
    if rule.tag_value:
        wanted &= Q(value=rule.tag_value)
    tagged = InstanceTag.objects.filter(wanted, instance__in=[row.pk for row in instances])
    return tagged.exists()
