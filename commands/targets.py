"""Which instances a run is for, and who of them is left out and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _

from commands import outcomes
from commands.models import LIVE, CommandType, RebootItem
from instances import filters, lookup
from instances.filters import BadFilter, Filter
from instances.models import Instance, InstanceGroup, InstanceTag

LONGEST_PASTE = 400_000  # characters: ten thousand ids fit twice
LEFT_OUT_NAMED = 200  # of each reason, on the run's own row
CONTAINERS_SINCE = (2, 2, 3, 344)


class Reason(TextChoices):
    """Why an instance that was meant is not asked. ECS would refuse the whole call for most."""

    RELEASED = "released", _("released")
    NOT_RUNNING = "not_running", _("not running")
    NOT_VPC = "not_vpc", _("not in a VPC")
    WRONG_OS = "wrong_os", _("another operating system")
    ELSEWHERE = "elsewhere", _("not in the command's account and region")
    AGENT_UNKNOWN = "agent_unknown", _("Cloud Assistant not seen yet")
    AGENT_SILENT = "agent_silent", _("Cloud Assistant silent")
    AGENT_OLD = "agent_old", _("Cloud Assistant too old for this")
    GOING_DOWN = "going_down", _("a reboot of it is under way, and this would take it down as well")


@dataclass(frozen=True, slots=True)
class Selection:
    """What a person picked. Ticked, named and grouped instances add up and the filter narrows
    them; without any of those the filter alone picks. Nothing given means no instance."""

    picked: tuple[int, ...] = ()
    text: str = ""
    group: int | None = None
    filter: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Selection:
        """From a run's or schedule's JSON."""
        return cls(
            tuple(kept.get("picked", ())),
            kept.get("text", ""),
            kept.get("group"),
            dict(kept.get("filter", {})),
        )

    def kept(self) -> dict[str, Any]:
        parts = {"picked": list(self.picked), "text": self.text}
        parts |= {"group": self.group, "filter": self.filter}
        return {name: value for name, value in parts.items() if value}

    @property
    def names_some(self) -> bool:
        return bool(self.picked or self.text.strip() or self.group)

    def __bool__(self) -> bool:
        return bool(self.kept())


@dataclass(frozen=True)
class Reach:
    """Whom a selection reaches, as of the last sync."""

    fit: list[Instance]
    left_out: dict[Reason, list[Instance]]
    unknown: list[str] = field(default_factory=list)
    ambiguous: dict[str, list[Instance]] = field(default_factory=dict)

    @property
    def meant(self) -> int:
        return len(self.fit) + sum(map(len, self.left_out.values()))

    def only_in(self, account: int, region: str) -> Reach:
        """The same, with everybody outside this account and region left out."""
        here = [row for row in self.fit if (row.account_id, row.region) == (account, region)]
        elsewhere = [row for row in self.fit if (row.account_id, row.region) != (account, region)]
        left_out = {**self.left_out, **({Reason.ELSEWHERE: elsewhere} if elsewhere else {})}
        return replace(self, fit=here, left_out=left_out)

    def left_out_kept(self) -> dict[str, Any]:
        """For the run's row: how many for each reason, and the first of them by name."""
        return {
            str(reason): {"count": len(rows), "names": [str(i) for i in rows[:LEFT_OUT_NAMED]]}
            for reason, rows in self.left_out.items()
        }

    def by_tag(self, key: str) -> list[tuple[str, int]]:
        """How many of the fit have which value of a tag, the biggest share first."""
        keys = [instance.pk for instance in self.fit]
        tagged = InstanceTag.objects.filter(key=key, instance__in=keys)
        shares = Counter(tagged.values_list("value", flat=True))
        if untagged := len(keys) - shares.total():
            shares[""] += untagged
        return shares.most_common()


@dataclass(frozen=True)
class Resolved:
    """Whom a selection means, by name; released ones too where they were named."""

    rows: list[Instance]
    unknown: list[str] = field(default_factory=list)
    ambiguous: dict[str, list[Instance]] = field(default_factory=dict)


def resolve(selection: Selection, user: Any) -> Resolved:
    """Whom this person means; raises BadFilter for a filter that cannot be read."""
    seen = Instance.objects.visible_to(user) if user else Instance.objects.all()
    named = lookup.find(seen, selection.text)
    wanted = _wanted(selection, [instance.pk for instance in named.found])
    rows = {}
    if wanted is not None:
        picked = seen.filter(wanted).select_related("account")
        if selection.filter:
            picked = _narrowed(selection).apply(picked)
        rows = {row.pk: row for row in picked}
    ordered = sorted(rows.values(), key=lambda row: (row.name, row.instance_id))
    return Resolved(ordered, named.unknown, named.ambiguous)


def reach(selection: Selection, user: Any, *, script: str, type: str, container: bool) -> Reach:
    """Whom of a selection a script can run on, for this person; raises BadFilter as `resolve`."""
    meant = resolve(selection, user)
    fit, left_out = [], {}
    down = _under_way(meant.rows) if outcomes.goes_down(script, type) else set()
    for row in meant.rows:
        reason = unfit(row, script=script, type=type, container=container)
        if reason := reason or (Reason.GOING_DOWN if row.pk in down else None):
            left_out.setdefault(reason, []).append(row)
        else:
            fit.append(row)
    return Reach(fit, left_out, meant.unknown, meant.ambiguous)


def _under_way(rows: list[Instance]) -> set[int]:
    """Those whom a batch of reboots has under way: one of them at a time takes a machine down."""
    live = RebootItem.objects.filter(state__in=LIVE, instance__in=[row.pk for row in rows])
    return set(live.values_list("instance_id", flat=True))


def _narrowed(selection: Selection) -> Filter:
    """Whoever was named is told of even if released; a filter alone does not bring those up."""
    narrow = Filter.read(selection.filter)
    return replace(narrow, released="shown") if selection.names_some else narrow


def _wanted(selection: Selection, named: list[int]) -> Q | None:
    """What the filter narrows; None for no instance at all."""
    wanted = Q(pk__in=[*selection.picked, *named])
    if selection.group:
        group = InstanceGroup.objects.filter(pk=selection.group).first()
        if group is None:
            raise BadFilter("group", _("there is no such group"))
        wanted |= Q(pk__in=filters.members(group).values("pk"))
    if selection.names_some:
        return wanted
    return Q() if selection.filter else None


def unfit(instance: Instance, *, script: str, type: str, container: bool = False) -> Reason | None:
    """Why this instance cannot be asked to run this, as of the last sync."""
    if instance.released_at:
        return Reason.RELEASED
    if instance.status != "Running":
        return Reason.NOT_RUNNING
    if instance.network_type == "classic":
        return Reason.NOT_VPC
    if instance.os_type and instance.os_type != CommandType(type).os_type:
        return Reason.WRONG_OS
    if instance.agent_running is None:
        return Reason.AGENT_UNKNOWN
    if instance.agent_state() != "alive":
        return Reason.AGENT_SILENT
    since = needed_agent(script, type, container=container)
    return Reason.AGENT_OLD if since and version(instance.agent_version) < since else None


def needed_agent(script: str, type: str, *, container: bool = False) -> tuple[int, ...]:
    """The oldest Cloud Assistant that can do this; () for any."""
    needs = [CONTAINERS_SINCE] if container else []
    needs += [outcomes.EXIT_CODES_SINCE] if outcomes.goes_down(script, type) else []
    return max(needs, default=())


def version(text: str) -> tuple[int, ...]:
    """2.2.3.317 as numbers; what is no version counts as the oldest."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", text)[:4])
