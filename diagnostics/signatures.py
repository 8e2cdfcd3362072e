"""Crash signatures over all cases that a person may see: a query, no table of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from diagnostics.analyzers import signature
from diagnostics.models import CaseQuerySet
from diagnostics.verdicts import KINDS, SUBKINDS

# An orderly or unexplained end is no fingerprint of anything.
KINDS_SIGNED = ("kernel_panic", "bugcheck", "hang", "oom_kill", "warning")
MOST_KERNELS = 5  # named per signature; the list of its cases has them all


@dataclass(frozen=True, slots=True)
class Known:
    """One signature with what is known of it."""

    signature: str
    kind: str
    words: str
    vague: bool  # nothing but the cause is known, so it may be several different things
    cases: int
    machines: int
    first: datetime
    last: datetime
    kernels: tuple[str, ...] = ()
    more_kernels: int = 0

    @property
    def on(self) -> str:
        """The kernels or builds on which it happened, in words; "" where none is known."""
        if not self.kernels:
            return ""
        named = ", ".join(self.kernels)
        if self.more_kernels:
            named = _("%(named)s and %(count)s more") % {"named": named, "count": self.more_kernels}
        return _("Kernels or builds: %s") % named


def grouped(cases: CaseQuerySet) -> QuerySet:
    """One row a signature: signature, kind, cases, machines, first, last."""
    seen = Coalesce("went_down_at", "opened_at")
    return (
        cases.filter(signature__gt="")
        .order_by()
        .values("signature")
        .annotate(
            kind=Max("kind"),
            cases=Count("pk"),
            machines=Count("instance", distinct=True),
            first=Min(seen),
            last=Max(seen),
        )
        .filter(
            kind__in=KINDS_SIGNED
        )  # behind the grouping, so that the index of signatures is walked
    )


def described(rows: Iterable[Mapping], cases: CaseQuerySet) -> list[Known]:
    """The rows of `grouped` in words, with the kernels of `cases`."""
    rows = list(rows)
    kernels = defaultdict(list)
    told = cases.filter(signature__in=[row["signature"] for row in rows]).exclude(kernel="")
    for name, kernel in told.order_by().values_list("signature", "kernel").distinct():
        kernels[name].append(kernel)
    return [_known(row, sorted(kernels[row["signature"]])) for row in rows]


def _known(row: Mapping, kernels: list[str]) -> Known:
    parts = signature.parts(row["signature"])
    return Known(
        **{name: row[name] for name in ("signature", "kind", "cases", "machines", "first", "last")},
        words=in_words(row["signature"], row["kind"]),
        vague=not (parts.function or parts.module or parts.parameter)
        and row["signature"].endswith(":-"),
        kernels=tuple(kernels[:MOST_KERNELS]) or ((parts.kernel,) if parts.kernel else ()),
        more_kernels=max(0, len(kernels) - MOST_KERNELS),
    )


def in_words(text: str, kind: str) -> str:
    """A signature as a person says it: kernel crash, null pointer: in f (module m)."""
    parts = signature.parts(text)
    words = str(KINDS.get(kind, kind))
    cause = str(SUBKINDS.get(parts.cause, parts.cause))
    words = words if parts.cause == kind else f"{words}: {cause}"
    if parts.parameter and kind == "bugcheck":
        words += _(", first parameter %s") % parts.parameter
    if parts.function:
        place = _(", program %s") if kind == "oom_kill" else _(" in %s")
        words += place % parts.function
    if parts.module:
        words += (_(", driver %s") if kind == "bugcheck" else _(", module %s")) % parts.module
    return words
