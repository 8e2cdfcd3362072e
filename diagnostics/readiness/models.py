"""What is known of each instance's readiness, and the runs that ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commands.models import Invocation
from diagnostics.readiness.checks import ADVISED, MISSING, OK, TITLES, UNKNOWN, Check
from diagnostics.wording import clean, packed
from instances.models import Instance, scope_of
from portal.work import Work

LEGIBLE = 500  # characters of one line that are kept


def listed(names: Iterable[str]) -> str:
    """Names as one text in which `named` finds each: " kdump journal "."""
    return "".join(f" {name}" for name in names) + " "


def named(name: str) -> str:
    return f" {name} "


class ReadinessQuerySet(models.QuerySet["Readiness"]):
    def visible_to(self, user) -> ReadinessQuerySet:
        if user.is_superuser and user.is_active:
            return self.all()
        return self.filter(scope_of(user, "instance__"))

    def with_check(self, name: str, state: str) -> ReadinessQuerySet:
        """Those whose check `name` is ok, missing or unknown."""
        found = {MISSING: "missing", UNKNOWN: "unknown", OK: "fine"}[state]
        return self.filter(**{f"{found}__contains": named(name)})

    def counts(self) -> dict[str, dict[str, int]]:
        """How many instances stand where: check -> state -> instances. One query."""
        columns = {MISSING: "missing", UNKNOWN: "unknown", OK: "fine"}
        wanted = {
            f"{name}__{state}": models.Count("pk", filter=Q(**{f"{column}__contains": named(name)}))
            for name in TITLES
            for state, column in columns.items()
        }
        told = self.order_by().aggregate(**wanted)
        found = {n: {s: told[f"{n}__{s}"] for s in columns} for n in TITLES}
        return {name: states for name, states in found.items() if any(states.values())}


class Readiness(models.Model):
    """The newest answer of one instance: what would be missing if it crashed now.

    `missing`, `unknown` and `fine` repeat the states of `checks` as texts (see `listed`), which
    every database counts and filters quickly.
    """

    instance = models.OneToOneField(Instance, models.PROTECT, related_name="readiness")
    as_of = models.DateTimeField(_("as of"), null=True)  # null: no answer was ever read
    family = models.CharField(_("family"), max_length=10, blank=True)
    checks = models.JSONField(_("checks"), default=list)  # readiness.checks.Check, packed
    missing = models.TextField(_("missing"), blank=True, default="")
    unknown = models.TextField(_("unknown"), blank=True, default="")
    fine = models.TextField(_("ok"), blank=True, default="")
    lacks = models.PositiveSmallIntegerField(_("needed and missing"), default=0)
    run = models.ForeignKey(Invocation, models.PROTECT, null=True, related_name="+")
    tried_at = models.DateTimeField(_("last tried"))
    trouble = models.TextField(_("why no answer"), blank=True)  # of the last try

    objects = ReadinessQuerySet.as_manager()

    class Meta:
        verbose_name = _("readiness")
        verbose_name_plural = _("readiness")
        indexes = [models.Index(fields=["-lacks", "-id"]), models.Index(fields=["-as_of", "-id"])]

    def __str__(self) -> str:
        return str(self.instance)

    def get_absolute_url(self) -> str:
        return reverse("instances:detail", args=[self.instance_id]) + "#readiness"

    @classmethod
    @transaction.atomic
    def keep(
        cls, instance: Instance, checks: Iterable[Check], *, at: datetime, family: str, run
    ) -> None:
        """Keep an answer, unless a newer one is kept already."""
        checks = list(checks)
        states = {s: listed(c.name for c in checks if c.state == s) for s in (MISSING, UNKNOWN, OK)}
        lacking = [c for c in checks if c.state == MISSING and c.name not in ADVISED]
        told = {
            "as_of": at,
            "family": family,
            "checks": [{**packed(c), "line": packed(c.line[:LEGIBLE])} for c in checks],
            "missing": states[MISSING],
            "unknown": states[UNKNOWN],
            "fine": states[OK],
            "lacks": len(lacking),
            "run": run,
            "tried_at": at,
            "trouble": "",
        }
        row, made = cls.objects.get_or_create(instance=instance, defaults=told)
        if not made:
            older = Q(as_of=None) | Q(as_of__lte=at)
            cls.objects.filter(older, pk=row.pk).update(**told)

    @classmethod
    @transaction.atomic
    def tried(cls, instance: Instance, trouble: str, *, at: datetime, run) -> None:
        """No answer came: what was known stays, and says how old it is and why."""
        told = {"tried_at": at, "trouble": clean(trouble[:LEGIBLE])}
        row, made = cls.objects.get_or_create(instance=instance, defaults={**told, "run": run})
        if not made:
            cls.objects.filter(pk=row.pk, tried_at__lte=at).update(**told)


class ReadinessRunQuerySet(models.QuerySet["ReadinessRun"]):
    def visible_to(self, user) -> ReadinessRunQuerySet:
        runs = Invocation.objects.visible_to(user)
        return self.filter(models.Exists(runs.filter(pk=models.OuterRef("run"))))


class ReadinessRun(Work):
    """One run of the readiness script; woken when it ends, it reads the answers in portions."""

    job: ClassVar[str] = "diagnostics.readiness.jobs.read_answers"

    run = models.OneToOneField(Invocation, models.PROTECT, null=True, related_name="+")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    read_to = models.PositiveBigIntegerField(default=0, editable=False)  # key of a target
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = ReadinessRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("check of readiness")
        verbose_name_plural = _("checks of readiness")
        indexes = [models.Index(fields=["finished_at", "-id"])]
        constraints = [
            models.CheckConstraint(
                name="readiness_run_finished_is_over",
                condition=Q(finished_at=None) | Q(due_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.run}"
