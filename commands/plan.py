"""What a run would do, told before it is sent: on whom, how many, in how many calls."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils import timezone

from commands import parameters
from commands.freezes import standing
from commands.holding import call_size
from commands.models import CloudCommand, FreezeWindow
from commands.policy import Judgement, judge, text_of
from commands.quota import Quota, quotas
from commands.syntax import complaint
from commands.targets import Reach, Selection, reach


@dataclass(frozen=True)
class Plan:
    """`script` holds the fields of `Script.FIELDS`; `values` no secret. `secrets` are for the
    rules alone: nobody is shown them."""

    script: Mapping[str, Any]
    values: Mapping[str, str]
    reach: Reach
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    at_once: int | None = None

    @property
    def size(self) -> int:
        return len(self.reach.fit)

    @property
    def text(self) -> str:
        """The script with its parameters in place, secrets hidden."""
        return parameters.filled(self.script["script"], self.values)

    @cached_property
    def calls(self) -> Counter[tuple[str, str]]:
        """How many calls for each account and region."""
        sizes = Counter((row.account.name, row.region) for row in self.reach.fit)
        most = call_size(self.at_once)
        return Counter({place: -(-size // most) for place, size in sizes.items()})

    @cached_property
    def shares(self) -> list[tuple[str, int]]:
        """How many of each environment, by the tag that settings name."""
        return self.reach.by_tag(settings.ENVIRONMENT_TAG)

    @cached_property
    def quotas(self) -> list[Quota]:
        return quotas(self.calls)

    @property
    def must_type(self) -> bool:
        """Whether so many are reached that the number has to be typed."""
        return self.size > settings.RUN_CONFIRM_ABOVE

    @cached_property
    def freezes(self) -> list[FreezeWindow]:
        """The windows that stand in its way now."""
        return standing(timezone.now(), self.reach.fit)

    @cached_property
    def complaint(self) -> str:
        """What a shell says of the script's grammar; a warning only."""
        return complaint(self.script["script"], self.script["type"])

    @cached_property
    def unfilled(self) -> list[str]:
        """Places for parameters that nobody fills: a shell gets them as they stand."""
        return parameters.places(self.text)

    @cached_property
    def judgement(self) -> Judgement:
        """What the policy says about it, with its values in their places."""
        text = parameters.filled(text_of(self.script), {**self.values, **self.secrets})
        return judge(text, self.reach.fit)

    @cached_property
    def digest(self) -> str:
        """Changes with the script, its values, the rules that fire and every instance."""
        keys = sorted(row.pk for row in self.reach.fit)
        parts = [dict(self.script), dict(self.values), keys, self.judgement.digest]
        told = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:32]


def plan(
    script: Mapping[str, Any],
    values: Mapping[str, str],
    selection: Selection,
    user: Any,
    kept: CloudCommand | None = None,
    *,
    secrets: Mapping[str, str] | None = None,
    at_once: int | None = None,
) -> Plan:
    """What would happen if this person sent it now; raises BadFilter as `targets.reach` does.

    A command that lives in ECS is `kept` in one account and region, and runs only there."""
    container = bool(script["container_id"] or script["container_name"])
    found = reach(
        selection,
        user,
        script=parameters.filled(script["script"], {**values, **(secrets or {})}),
        type=script["type"],
        container=container,
    )
    if kept:
        found = found.only_in(kept.account_id, kept.region)
    return Plan(script, values, found, secrets or {}, at_once)
