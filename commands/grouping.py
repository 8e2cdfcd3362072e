"""Machines that answered the same, as one group; the odd ones first, told by what differs."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db.models import Case, Count, IntegerField, Min, QuerySet, Value, When, Window

from commands.decoding import Text, decoded, plain
from commands.models import Outcome, Output, Target

EXACT, ALIKE = "exact", "alike"
KEYS = {EXACT: "output_id", ALIKE: "output__alike"}
SHOWN = 12  # groups on one page, the biggest besides
SHOWN_BYTES = 4_000  # of one output on the page
DIFF_LINES = 300  # of each side; a longer text is compared as far as that
DIFF_SHOWN = 60
KEPT_FOR = 24 * 3600  # seconds
TOTAL = Window(Count("*"))  # of the groups: windows are looked at after grouping
FACETS = ("outcome", "status", "exit_code", "error_code")
# Worst first: what a person has to look at stands on top.
ORDER = (
    Outcome.UNKNOWN,
    Outcome.FAILED,
    Outcome.UNREACHED,
    Outcome.STOPPED,
    Outcome.NOT_STARTED,
    Outcome.GOING_DOWN,
    Outcome.OK,
    "",
)


@dataclass
class Group:
    """`count` machines that ended alike; `target` is one of them."""

    outcome: str
    status: str
    exit_code: int | None
    error_code: str
    key: str
    count: int
    target: Target
    text: Text | None = None
    cut: int = 0  # bytes of the output that the page leaves out
    difference: list[tuple[str, str]] = field(default_factory=list)

    @property
    def query(self) -> dict[str, str]:
        """The filter of the run's answers that gives exactly this group."""
        exit_code = "" if self.exit_code is None else str(self.exit_code)
        said = {"outcome": self.outcome, "status": self.status, "exit_code": exit_code}
        which = {"error": self.error_code or "none", "same": self.key or "none"}
        return {k: v for k, v in said.items() if v} | which


@dataclass(frozen=True)
class Groups:
    """`majority` is the biggest group of those that ended well, else the biggest of all."""

    majority: Group | None
    odd: list[Group]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.odd) - (self.majority is not None)


def grouped(targets: QuerySet[Target], by: str, final: str = "") -> Groups:
    """The ended ones among `targets` by how they ended and what they printed.

    `final` names targets that will never change again: what was counted is kept for the next look.
    A few queries, whatever the number of machines; bodies are read for the shown groups only.
    """
    key = KEYS[by]
    rows = (
        targets.filter(over=True)
        .order_by()
        .values(*FACETS, key)
        .annotate(count=Count("pk"), first=Min("pk"), rank=_rank())
    )
    kept = f"groups:{final}:{by}"
    total, chosen = (cache.get(kept) if final else None) or _chosen(rows)
    if final:
        cache.set(kept, (total, chosen), KEPT_FOR)
    if not chosen:
        return Groups(None, [], 0)
    groups = _filled(chosen, key)
    majority, rest = groups[0], groups[1:]
    for group in rest:
        group.difference = _difference(majority, group)
    return Groups(majority, rest, total)


def _chosen(rows: Any) -> tuple[int, list[dict[str, Any]]]:
    """How many groups there are, the biggest, and the odd ones that the page shows."""
    first = list(rows.annotate(total=TOTAL).order_by("rank", "count", "first")[: SHOWN + 2])
    if not first:
        return 0, []
    total = first[0]["total"]
    biggest = _biggest(rows, first if len(first) == total else None)
    odd = [row for row in first if not _same(row, biggest)]
    return total, [biggest, *odd[:SHOWN]]


def _biggest(rows: Any, all_of_them: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Of those that ended well, else of all. Asked for only where the page does not hold all."""
    if all_of_them is None:
        good = rows.filter(outcome__in=Outcome.good())
        found = good.order_by("-count", "first").first()
        return found or rows.order_by("-count", "first").first()
    well = [row for row in all_of_them if row["outcome"] in Outcome.good()]
    return min(well or all_of_them, key=lambda row: (-row["count"], row["first"]))


def _same(row: dict[str, Any], other: dict[str, Any]) -> bool:
    return row["first"] == other["first"]


def _rank() -> Case:
    whens = [When(outcome=outcome, then=Value(place)) for place, outcome in enumerate(ORDER)]
    return Case(*whens, default=Value(len(ORDER)), output_field=IntegerField())


def _filled(rows: list[dict[str, Any]], key: str) -> list[Group]:
    firsts = Target.objects.select_related("instance", "output")
    firsts = firsts.in_bulk([row["first"] for row in rows])
    return [_group(row, firsts[row["first"]], row[key] or "") for row in rows]


def _group(row: dict[str, Any], target: Target, key: str) -> Group:
    facets = {name: row[name] for name in FACETS}
    group = Group(**facets, key=key, count=row["count"], target=target)
    if target.output:
        body = target.output.body()
        group.text = decoded(body[:SHOWN_BYTES])
        group.cut = max(0, len(body) - SHOWN_BYTES)
    return group


def _difference(majority: Group, group: Group) -> list[tuple[str, str]]:
    """(kind, line) with kinds "add", "drop", "same", "place"; [] where a diff tells nothing."""
    if not (majority.text and group.text) or "binary" in (
        majority.text.encoding,
        group.text.encoding,
    ):
        return []
    old = plain(majority.text.text).splitlines()[:DIFF_LINES]
    new = plain(group.text.text).splitlines()[:DIFF_LINES]
    kinds = {"+": "add", "-": "drop", "@": "place", " ": "same"}
    lines = list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]
    return [(kinds[line[0]], line[1:]) for line in lines if line[0] != "@"][:DIFF_SHOWN]


def outputs_of(targets: QuerySet[Target]) -> QuerySet[Output]:
    """Each distinct output of these targets once."""
    return Output.objects.filter(pk__in=targets.exclude(output=None).values("output"))
