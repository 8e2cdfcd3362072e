"""What is known of an instance before it goes down: facts, why it is unfit, what is risky.

Facts are plain JSON, kept on the item as asked for and as of the latest look, so that whoever
decides sees what changed. Everything here reads our mirror; `looking` brings that up to date.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commands.models import (
    LIVE,
    Decision,
    Invocation,
    ItemOutcome,
    ItemState,
    RebootBatch,
    RebootItem,
    Target,
    Way,
)
from commands.models.runs import REPEATING
from commands.outcomes import EXIT_CODES_SINCE, goes_down
from commands.parameters import filled
from commands.targets import version
from instances.event_filter import PENDING
from instances.models import Instance, InstanceTag, SystemEvent

Facts = dict[str, Any]
LONG_UP = timedelta(days=365)
LOCAL_DISKS = re.compile(r"ecs\.(?:i|d)\d")  # families whose disks live and die with their host
LATELY = timedelta(days=90)  # a reboot that failed since then is told


class Unfit(TextChoices):
    """Why it is not taken down."""

    RELEASED = "released", _("released")
    GONE = "gone", _("not in ECS's listing")
    STATUS = "status", _("not in the right status")
    LOCKED = "locked", _("locked")
    WRONG_OS = "wrong_os", _("the script is for another operating system")
    AGENT = "agent", _("Cloud Assistant does not answer, and the script needs it")
    AGENT_OLD = "agent_old", _("Cloud Assistant too old for exit codes")
    IN_FLIGHT = "in_flight", _("another reboot of it is under way")
    RUN = "run", _("a run that takes it down is under way")
    NO_PROOF = "no_proof", _("no proof possible, and nobody accepted that")
    UNTAGGED = "untagged", _("no longer with the tag for which a rule let it pass")
    PROTECTED = "protected", _("tagged as protected since somebody decided")


class Risk(TextChoices):
    """What whoever decides has to know."""

    NO_PROOF = "no_proof", _("no proof possible: Cloud Assistant does not answer")
    ALSO_ASKED = "also_asked", _("another open request has it too: it would go down twice")
    EVENT = "event", _("ECS has planned something for it")
    PROTECTED = "protected", _("tagged as protected")
    LONG_UP = "long_up", _("up for more than a year")
    LOCAL_DISK = "local_disk", _("has local disks")
    SPOT = "spot", _("pay-as-you-go at spot price: it may not get its place back")
    FAILED_BEFORE = "failed_before", _("an earlier reboot of it failed")


@dataclass(frozen=True, slots=True)
class Needs:
    """What a batch asks of its instances."""

    status: str  # which ECS status they have to be in
    os_type: str  # "" for any
    agent: bool  # a script runs on them, or their exit code takes them down
    exit_codes: bool

    @classmethod
    def of(cls, batch: RebootBatch) -> Needs:
        scripts = [script for script in (batch.pre_script, batch.post_script) if script]
        systems = {"linux" if s["type"] == "RunShellScript" else "windows" for s in scripts}
        return cls(
            status="Stopped" if batch.way == Way.START else "Running",
            os_type=systems.pop() if len(systems) == 1 else "",
            # A machine that is stopped has no agent that could answer yet.
            agent=bool(scripts) and batch.way != Way.START,
            exit_codes=batch.way == Way.EXIT_CODE,
        )


def facts_of(instances: Iterable[Instance], but: RebootBatch | None = None) -> dict[int, Facts]:
    """By key, as of the last look. Reboots of the batch `but` do not count as others."""
    rows = list(instances)
    keys = [row.pk for row in rows]
    tags: dict[int, dict[str, str]] = defaultdict(dict)
    for key, name, value in _in(InstanceTag, keys).values_list("instance_id", "key", "value"):
        tags[key][name] = value
    events = {}
    pending = _in(SystemEvent, keys).filter(cycle_status__in=PENDING).order_by("-not_before")
    for event in pending:
        events[event.instance_id] = event
    items = _in(RebootItem, keys)
    if but is not None:
        items = items.exclude(batch=but)
    flying = dict(items.filter(state__in=LIVE).values_list("instance_id", "batch_id"))
    planned = items.filter(state=ItemState.PLANNED).order_by("-pk")
    elsewhere = dict(planned.values_list("instance_id", "batch_id"))
    runs = _runs_down(keys)
    failed = items.filter(
        outcome__in=(ItemOutcome.NOT_BACK, ItemOutcome.SAME_BOOT),
        judged_at__gte=timezone.now() - LATELY,
    )
    failures = set(failed.values_list("instance_id", flat=True))
    return {
        row.pk: _facts(row, tags[row.pk], events.get(row.pk), row.pk in failures)
        | {
            "in_flight": flying.get(row.pk),
            "also_asked": elsewhere.get(row.pk),
            "run": runs.get(row.pk),
        }
        for row in rows
    }


def _runs_down(keys: list[int]) -> dict[int, int]:
    """Of these instances those that a run under way takes down by its exit code, and which run:
    also where their turn in it is still to come."""
    going = Invocation.objects.filter(state=Invocation.State.RUNNING, wave_run=None, dry_run=False)
    going = going.exclude(repeat_mode__in=REPEATING)
    told = going.values_list("pk", "script", "parameters", "type")
    down = [pk for pk, script, values, type in told if goes_down(filled(script, values), type)]
    if not down:
        return {}
    targets = _in(Target, keys).filter(invocation__in=down, over=False)
    return dict(targets.values_list("instance_id", "invocation_id"))


def _in(model: Any, keys: list[int]) -> Any:
    return model.objects.filter(instance__in=keys)


def _facts(
    row: Instance,
    tags: Mapping[str, str],
    event: SystemEvent | None,
    failed: bool,
) -> Facts:
    up = timezone.now() - row.started_at if row.started_at else None
    return {
        "released": row.released_at is not None,
        "gone": row.missed_at is not None,
        "status": row.status,
        "locks": sorted(row.lock_reasons),
        "os": row.os_type,
        "zone": row.zone,
        "agent": row.agent_state() if row.network_type != "classic" else "silent",
        "agent_version": row.agent_version,
        "tags": dict(sorted(tags.items())),
        "event": event.type if event else "",
        "event_id": event.event_id if event else "",
        "event_by": event.not_before.isoformat() if event and event.not_before else "",
        "up_days": up.days if up else None,
        "type": row.instance_type,
        "charge": row.charge_type,
        "failed_before": failed,
    }


def unfit(facts: Facts, needs: Needs, *, accepted: bool = False) -> Unfit | None:
    """Why it cannot be taken down now. `accepted`: somebody accepted it without proof."""
    if facts["released"]:
        return Unfit.RELEASED
    if facts["gone"]:
        return Unfit.GONE
    if facts["status"] != needs.status:
        return Unfit.STATUS
    if facts["locks"]:
        return Unfit.LOCKED
    if facts["in_flight"]:
        return Unfit.IN_FLIGHT
    if facts.get("run"):
        return Unfit.RUN
    if needs.os_type and facts["os"] and facts["os"] != needs.os_type:
        return Unfit.WRONG_OS
    silent = facts["agent"] != "alive"
    if needs.agent and silent:
        return Unfit.AGENT
    if needs.exit_codes and version(facts["agent_version"]) < EXIT_CODES_SINCE:
        return Unfit.AGENT_OLD
    if silent and needs.status == "Running" and not accepted:
        return Unfit.NO_PROOF
    return None


def unfit_since(before: Facts, now: Facts, tag: tuple[str, str] | None) -> Unfit | None:
    """Why the yes does not hold for it any more; `before` is what whoever said it saw, `tag` what
    a written rule that said it wants."""
    if tag and now["tags"].get(tag[0]) != tag[1]:
        return Unfit.UNTAGGED
    return Unfit.PROTECTED if is_protected(now) and not is_protected(before) else None


def tag_of_rule(batch: RebootBatch) -> tuple[str, str] | None:
    """The tag that every instance has to carry, where a written rule said yes."""
    said = Decision.objects.filter(approval__batch=batch, rule__isnull=False, yes=True)
    return said.values_list("rule__tag_key", "rule__tag_value").first()


def risks(facts: Facts, needs: Needs) -> list[Risk]:
    found = []
    if facts["agent"] != "alive" and needs.status == "Running":
        found.append(Risk.NO_PROOF)
    if facts.get("also_asked"):
        found.append(Risk.ALSO_ASKED)
    if facts["event"]:
        found.append(Risk.EVENT)
    if is_protected(facts):
        found.append(Risk.PROTECTED)
    if needs.status == "Running" and (facts["up_days"] or 0) >= LONG_UP.days:
        found.append(Risk.LONG_UP)
    if LOCAL_DISKS.match(facts["type"]):
        found.append(Risk.LOCAL_DISK)
    if "spot" in facts["charge"].lower():
        found.append(Risk.SPOT)
    if facts["failed_before"]:
        found.append(Risk.FAILED_BEFORE)
    return found


def is_protected(facts: Facts) -> bool:
    key, _equals, value = settings.PROTECTED_TAG.partition("=")
    held = facts["tags"].get(key)
    return held is not None and (not value or held == value)


# What is shown as changed between the request and now; the rest moves by itself.
TOLD = ("released", "gone", "status", "locks", "agent", "agent_version", "tags", "in_flight")
TOLD += ("run", "also_asked", "event", "failed_before", "zone")


def changes(before: Facts, now: Facts) -> dict[str, tuple[Any, Any]]:
    """What is another than when it was asked for: name -> (then, now); tags one by one."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in TOLD:
        then, current = before.get(name), now.get(name)
        if name == "tags":
            for key in sorted({*(then or {}), *(current or {})}):
                old, new = (then or {}).get(key, ""), (current or {}).get(key, "")
                if old != new:
                    found[f"tag {key}"] = (old, new)
        elif then != current:
            found[name] = (then, current)
    return found
