"""How often verdicts were right, of those of which people know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.db.models.functions import TruncMonth

from diagnostics.models import DiagnosisCase, Judging, Mark

MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Share:
    """`right` of `told` verdicts were right."""

    name: object
    told: int
    right: int
    since: object = None

    @property
    def wrong(self) -> int:
        return self.told - self.right

    @property
    def percent(self) -> int | None:
        """Never rounded up to 100 while one was wrong."""
        return self.right * 100 // self.told if self.told else None


def judged(user) -> QuerySet[Judging]:
    """Verdicts of which people know whether they were right; of each case and each version of the
    analyzers the last one."""
    cases = DiagnosisCase.objects.visible_to(user)
    return Judging.objects.filter(
        ~Exists(_later(analyzers=OuterRef("analyzers"))),
        right__isnull=False,
        case__in=cases.values("pk"),
    )


def _later(**same: object) -> QuerySet[Judging]:
    return Judging.objects.filter(case=OuterRef("case"), number__gt=OuterRef("number"), **same)


def overall(told: QuerySet[Judging]) -> Share:
    """Of the verdicts that the cases show today."""
    counts = told.filter(~Exists(_later())).aggregate(**COUNTS)
    return Share("", counts["told"], counts["hits"])


def by_kind(told: QuerySet[Judging]) -> list[Share]:
    return _shares(told.filter(~Exists(_later())), "kind", "-told", "kind")


def by_version(told: QuerySet[Judging]) -> list[Share]:
    """The newest analyzers first; `since` is their first judging that is told of."""
    return _shares(told, "analyzers", "-since")


def by_analyzer(told: QuerySet[Judging]) -> list[Share]:
    """By what the verdict rests on and the version, as (analyzer, version)."""
    rows = told.order_by().values("rests_on", "analyzers").annotate(**COUNTS, last=Max("at"))
    rows = rows.order_by("rests_on", "-last")[:MOST_ROWS]
    return [Share((r["rests_on"], r["analyzers"]), r["told"], r["hits"]) for r in rows]


def by_month(told: QuerySet[Judging]) -> list[Share]:
    return _shares(told.annotate(month=TruncMonth("at")), "month", "-month")[:24]


COUNTS = {"told": Count("pk"), "hits": Count("pk", filter=Q(right=True))}


def _shares(rows: QuerySet[Judging], by: str, *order: str) -> list[Share]:
    found = rows.order_by().values(by).annotate(**COUNTS, since=Min("at")).order_by(*order)
    return [Share(r[by], r["told"], r["hits"], r["since"]) for r in found[:MOST_ROWS]]


def wrong(told: QuerySet[Judging]) -> QuerySet[Judging]:
    rows = told.filter(right=False).select_related("case__instance")
    return rows.defer("case__judgement")


def with_truth(judgings: Iterable[Judging]) -> list[tuple[Judging, Mark]]:
    """Each with what people said of its case last."""
    judgings = list(judgings)
    marks = Mark.objects.filter(case__in={each.case_id for each in judgings}).order_by("pk")
    last = {mark.case_id: mark for mark in marks.select_related("by")}
    return [(each, last[each.case_id]) for each in judgings]
